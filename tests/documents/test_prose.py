"""`scripts/prose.py` finds the phrases that STYLE refuses and leaves plain English alone."""

from pathlib import Path

import pytest

from tests.documents.pages import output


def findings(path: Path, text: str, *options: str) -> list[str]:
    path.write_text(text, encoding="utf-8")
    return output("prose", *options, str(path))


@pytest.mark.parametrize(
    "sentence",
    [
        "Who asks for it is told.",
        "Nobody is told of it.",
        "If the event cannot be read, the less is shown of one that has none.",
        "What was sent before is gone.",
        "The setting says how long it takes.",
        "This is no address.",
        "Whoever waits gets an answer.",
        "Each room has a lock.",
        "It is kept for who comes later.",
        "The token is good for a minute.",
    ],
)
def test_a_phrase_of_the_list_is_found_in_a_comment_a_docstring_and_a_page(tmp_path: Path, sentence: str) -> None:
    assert findings(tmp_path / "comment.py", f"# {sentence}\n")
    assert findings(tmp_path / "docstring.py", f'def f():\n    """{sentence}"""\n')
    assert findings(tmp_path / "comment.rs", f"// {sentence}\n")
    assert findings(tmp_path / "comment.sql", f"-- {sentence}\n")
    assert findings(tmp_path / "page.md", f"{sentence}\n")


@pytest.mark.parametrize(
    "sentence",
    [
        "The writer holds the lock until the commit.",
        "There is no message left, and no room for another.",
        "The person who sent the message can edit it.",
        "It gives up after five attempts.",
        "What happens if the database is gone?",
        "Print what is configured.",
        "A user who joins while the page is open sees it.",
        "The test double stands in for the network.",
        "The value is no longer than 40 characters.",
    ],
)
def test_plain_english_passes(tmp_path: Path, sentence: str) -> None:
    assert findings(tmp_path / "comment.py", f"# {sentence}\n") == []
    assert findings(tmp_path / "page.md", f"{sentence}\n") == []


def test_a_phrase_that_is_wrapped_is_found_at_its_first_line(tmp_path: Path) -> None:
    assert (
        findings(tmp_path / "page.md", "One.\n\nThe bots that are\nrefused by\nwho wrote them.\n")[0].split(":")[1]
        == "4"
    )
    assert findings(tmp_path / "code.py", "x = 1\n# It is refused by\n# who wrote it.\n")[0].split(":")[1] == "2"


def test_names_of_functions_and_of_tests_are_read(tmp_path: Path) -> None:
    assert findings(tmp_path / "names.py", "def tell_members(): ...\ndef make_room(): ...\n")[0].split(":")[1] == "1"
    assert findings(tmp_path / "names.ts", "function tellMembers() {}\n")
    assert findings(tmp_path / "test_names.py", "def test_nobody_is_told(): ...\n")


def test_code_is_not_prose(tmp_path: Path) -> None:
    assert findings(tmp_path / "page.md", "Call `tell()`:\n\n```sh\ntell who asks\n```\n") == []
    assert findings(tmp_path / "code.py", "tell = told(say)  # fine\n") == []


def test_a_quoted_phrase_can_be_marked(tmp_path: Path) -> None:
    assert findings(tmp_path / "page.md", 'Never write "is told". <!-- prose: quote -->\n') == []


def test_long_sentences_are_found(tmp_path: Path) -> None:
    assert findings(tmp_path / "page.md", "word " * 25 + ".\n") == []
    assert len(findings(tmp_path / "page.md", "Short. " + "word " * 26 + ".\n")) == 1
    assert findings(tmp_path / "page.md", "word " * 26 + ".\n", "--sentences", "30") == []
