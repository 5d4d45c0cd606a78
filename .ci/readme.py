"""Creates the distribution's description from README.md, with absolute links.

A package index shows the description outside the repository, where relative links do not work.
"""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

# A link or, after an exclamation mark, a picture whose target is relative.
_LINK = re.compile(r"(!?)(\[[^\]]*\])\((?!https?://|#)([^)\s]+)\)")


class ReadmeHook(MetadataHookInterface):
    """A hatchling metadata hook that provides the description."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the description to README.md, with links made absolute by the project's Source URL."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        source = metadata["urls"]["Source"]
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": with_absolute_links(text, source),
        }


def with_absolute_links(text: str, source: str) -> str:
    """Return *text* with relative links and pictures replaced by URLs below *source*."""

    def absolute(link: re.Match[str]) -> str:
        mark, label, target = link.groups()
        return f"{mark}{label}({source}/{'raw' if mark else 'blob'}/main/{target})"

    return _LINK.sub(absolute, text)
