"""
Makes the description of the distribution from README.md, with absolute links.

An index shows the description away from the repository, where relative links lead nowhere.
"""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

# What stands before a relative target: an exclamation mark and a text for a picture, a text for a link.
_LINK = re.compile(r"(!?)(\[[^\]]*\])\((?!https?://|#)([^)\s]+)\)")


class ReadmeHook(MetadataHookInterface):
    """Sets the description."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Take README.md, with the address of the source in front of each relative link."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        source = metadata["urls"]["Source"]
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": with_absolute_links(text, source),
        }


def with_absolute_links(text: str, source: str) -> str:
    """Return a document whose links and pictures lead to the repository at *source*."""

    def absolute(link: re.Match[str]) -> str:
        mark, label, target = link.groups()
        return f"{mark}{label}({source}/{'raw' if mark else 'blob'}/main/{target})"

    return _LINK.sub(absolute, text)
