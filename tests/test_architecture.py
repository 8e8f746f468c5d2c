"""The map tells the truth: every file and function ARCHITECTURE.md names exists."""

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
TEXT = (CHECKOUT / "ARCHITECTURE.md").read_text(encoding="utf-8")
PATHS = sorted(set(re.findall(r"`((?:fechatter|native|tests|benches|migrations|scripts)/[\w/.-]*)`", TEXT)))
NAMES = sorted(set(re.findall(r"`(\w+(?:\.\w+)?)`", TEXT)))
SOURCES = "\n".join(
    path.read_text(encoding="utf-8")
    for folder, pattern in (("fechatter", "*.py"), ("native/src", "*.rs"), ("migrations", "*.sql"))
    for path in (CHECKOUT / folder).rglob(pattern)
)


@pytest.mark.parametrize("path", PATHS)
def test_the_map_names_only_files_that_are_there(path: str) -> None:
    assert (CHECKOUT / path).exists()


@pytest.mark.parametrize("name", NAMES)
def test_the_map_names_only_things_that_are_there(name: str) -> None:
    files = {path.name for path in CHECKOUT.glob("fechatter/**/*.py")}
    last = name.rsplit(".", 1)[-1]
    assert name in files or re.search(rf"\b{re.escape(last)}\b", SOURCES), f"{name} is in no source"


def test_the_journey_goes_through_at_most_eight_steps() -> None:
    journey = TEXT.split("## A message's journey", 1)[1].split("\n## ", 1)[0]
    assert 1 <= len(re.findall(r"^\d+\. ", journey, re.MULTILINE)) <= 8
