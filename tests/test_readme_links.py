"""Every link of every document leads somewhere."""

import re
import tomllib
from importlib.util import module_from_spec, spec_from_file_location

import pytest

from tests.readmes import DOCUMENTS, READMES, ROOT, TOP, name, without_code

URLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def links(path):
    """Return the targets of a document's links and pictures."""
    return _LINK.findall(re.sub(r"`[^`\n]*`", "", without_code(path)))


def anchors(path):
    """Return the anchors of a document's headings, as forges make them."""
    headings = re.findall(r"^#+ (.*)$", without_code(path), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_relative_links(path):
    """Every relative link leads to a file of the repository, and to a heading of it."""
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
    """A README has one title, and no two headings with one anchor."""
    found = anchors(path)
    assert len(re.findall(r"^# ", without_code(path), re.MULTILINE)) == 1
    assert sorted(set(found)) == sorted(found)


def test_each_readme_is_linked():
    """Every README can be reached from the top one."""
    reached, rest = set(), [TOP]
    while rest:
        path = rest.pop()
        if path.suffix == ".md" and path not in reached:
            reached.add(path)
            files = [link.partition("#")[0] for link in links(path) if "://" not in link]
            rest += [(path.parent / file).resolve() for file in files if file]
    assert set(READMES) - reached == set()


def test_the_top_readme_is_short():
    """The top README has fewer than 200 lines."""
    assert TOP.read_text().count("\n") < 200


def test_links_of_the_description():
    """In the description that an index shows, links and pictures are absolute."""
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
    """The project names its source, its changelog and its issues, all below one address."""
    assert {"Documentation", "Changelog", "Issues", "Source"} <= URLS.keys()
    assert [url for url in URLS.values() if not url.startswith(URLS["Source"])] == []
