"""Makes the description of the distribution from README.md, with absolute links.

A package index shows the description outside of the repository, where relative links do not work.
"""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

# A link with a relative target, or with an exclamation mark a picture.
_LINK = re.compile(r"(!?)(\[[^\]]*\])\((?!https?://|#)([^)\s]+)\)")


class ReadmeHook(MetadataHookInterface):
    """Metadata hook that provides the description."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the description to README.md, its links relative to the project's Source URL."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        source = metadata["urls"]["Source"]
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": with_absolute_links(text, source),
        }


def with_absolute_links(text: str, source: str) -> str:
    """Return *text* with relative links and pictures turned into URLs of the repository at *source*."""

    def absolute(link: re.Match[str]) -> str:
        mark, label, target = link.groups()
        return f"{mark}{label}({source}/{'raw' if mark else 'blob'}/main/{target})"

    return _LINK.sub(absolute, text)
