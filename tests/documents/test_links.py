"""Every link in a page leads to a file of the checkout and, if it has a fragment, to a heading of that page."""

import re
from pathlib import Path

import pytest

from tests.documents.pages import ROOT, pages, text, without_blocks

LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors(page: str) -> set[str]:
    """The fragments of a page's headings, as GitHub derives them."""
    headings = re.findall(r"^#+ (.+)$", without_blocks(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(page: str) -> list[str]:
    dead = []
    for link in LINK.findall(without_blocks(page)):
        if re.match(r"\w+:", link):
            continue
        path, _, fragment = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        name = str(target.resolve().relative_to(ROOT)) if target.exists() else ""
        if not target.exists() or (fragment and fragment not in anchors(name)):
            dead.append(link)
    return dead


@pytest.mark.parametrize("page", pages())
def test_every_link_has_a_target(page: str) -> None:
    assert dead_links(page) == []


def test_every_page_in_docs_is_linked_from_another_page() -> None:
    targets = {
        ((ROOT / page).parent / link.partition("#")[0]).resolve()
        for page in pages()
        for link in LINK.findall(text(page))
    }
    lonely = [page for page in pages() if page.startswith("docs/") and (ROOT / page).resolve() not in targets]
    assert lonely == []


@pytest.mark.parametrize("page", [page for page in pages() if page.startswith("docs/") or "/" not in page])
def test_every_file_named_in_backquotes_exists(page: str) -> None:
    folders = "benches|deploy|docs|examples|fechatter|migrations|native|requirements|scripts|tests"
    named = set(re.findall(rf"`((?:{folders})/[\w/.-]+)`", text(page)))
    built = {"fechatter/web/dist"}
    missing = {name for name in named if not (ROOT / name).exists() and not list(Path(ROOT).glob(name + "*"))}
    assert missing - built == set()
