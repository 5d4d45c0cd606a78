"""Test that each link in each document leads to an existing target."""

import re
import tomllib
from importlib.util import module_from_spec, spec_from_file_location

import pytest

from tests.readmes import DOCUMENTS, READMES, ROOT, TOP, name, without_code

URLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def links(path):
    """Return the targets of the links and pictures in a document."""
    return _LINK.findall(re.sub(r"`[^`\n]*`", "", without_code(path)))


def anchors(path):
    """Return the anchors of a document's headings, as GitHub generates them."""
    headings = re.findall(r"^#+ (.*)$", without_code(path), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_relative_links(path):
    """Each relative link leads to a file in the repository and, if it has an anchor, to a heading."""
    missing = []
    for link in links(path):
        if link.startswith("https://"):
            continue
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            missing.append(link)
    assert missing == []


@pytest.mark.parametrize("path", READMES, ids=name)
def test_headings(path):
    """Each README has exactly one title, and no two of its headings have the same anchor."""
    found = anchors(path)
    assert len(re.findall(r"^# ", without_code(path), re.MULTILINE)) == 1
    assert sorted(set(found)) == sorted(found)


def test_each_readme_is_linked():
    """Each README can be reached by links from the top-level README."""
    reached, rest = set(), [TOP]
    while rest:
        path = rest.pop()
        if path.suffix == ".md" and path not in reached:
            reached.add(path)
            files = [link.partition("#")[0] for link in links(path) if "://" not in link]
            rest += [(path.parent / file).resolve() for file in files if file]
    assert set(READMES) - reached == set()


def test_the_top_readme_is_short():
    """The top-level README has fewer than 200 lines."""
    assert TOP.read_text().count("\n") < 200


def test_links_of_the_description():
    """In the description for package indexes, all links except anchors are absolute URLs."""
    spec = spec_from_file_location("readme", ROOT / ".ci" / "readme.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    source = URLS["Source"]
    text = "[a](b/c.md#d) ![e](f.svg) [g](#h) [i](https://example.com/)"
    assert module.with_absolute_links(text, source) == (
        f"[a]({source}/blob/main/b/c.md#d) ![e]({source}/raw/main/f.svg) [g](#h) "
        "[i](https://example.com/)"
    )
    shown = _LINK.findall(module.with_absolute_links(TOP.read_text(), source))
    assert [link for link in shown if not link.startswith(("https://", "#"))] == []


def test_the_urls_of_the_project():
    """The project metadata has the four expected URLs, and each URL begins with the source's URL."""
    assert {"Documentation", "Changelog", "Issues", "Source"} <= URLS.keys()
    assert [url for url in URLS.values() if not url.startswith(URLS["Source"])] == []
