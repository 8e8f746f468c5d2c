"""`scripts/sizes.py` finds long files, functions and lines."""

from pathlib import Path

import pytest

from tests.documents.pages import output

STARTS = {
    "a.py": ("def f():\n", "    x = 1\n", ""),
    "a.rs": ("pub fn f() {\n", "    let x = 1;\n", "}\n"),
    "a.ts": ("export function f(\n    a: string,\n): void {\n", "    a += 1;\n", "}\n"),
    "b.ts": ("export const useX = defineStore('x', () => {\n", "    a += 1;\n", "})\n"),
    "a.vue": ("<script setup>\nfunction f() {\n", "    a += 1;\n", "}\n</script>\n"),
}


def findings(path: Path, text: str) -> list[str]:
    path.write_text(text, encoding="utf-8")
    return output("sizes", str(path))


@pytest.mark.parametrize("name", STARTS)
def test_a_function_has_at_most_fifty_lines(tmp_path: Path, name: str) -> None:
    start, line, end = STARTS[name]
    assert findings(tmp_path / name, start + line * 45 + end) == []
    assert any("f has" in found or "useX has" in found for found in findings(tmp_path / name, start + line * 55 + end))


@pytest.mark.parametrize("name", ["a.rs", "a.md", "a.sql", "a.sh"])
def test_a_line_has_at_most_120_characters(tmp_path: Path, name: str) -> None:
    assert findings(tmp_path / name, "#" * 120 + "\n") == []
    assert findings(tmp_path / name, "#" * 121 + "\n") == [
        f"{tmp_path / name}:1: 121 characters; a line has at most 120"
    ]


def test_a_file_has_at_most_300_lines(tmp_path: Path) -> None:
    assert findings(tmp_path / "a.sql", "--\n" * 300) == []
    assert findings(tmp_path / "a.sql", "--\n" * 301) == [f"{tmp_path / 'a.sql'}: 301 lines; a file has at most 300"]


def test_the_median_function_of_a_language_has_at_most_eight_lines(tmp_path: Path) -> None:
    short, long = "def f():\n    x = 1\n", "def f():\n" + "    x = 1\n" * 9
    assert findings(tmp_path / "a.py", short * 8 + long * 4) == []
    assert findings(tmp_path / "a.py", short * 4 + long * 8) == [
        "Python: the median function has 10 lines; the limit is 8"
    ]


def test_docstrings_and_comments_do_not_count(tmp_path: Path) -> None:
    assert (
        findings(tmp_path / "a.py", 'def f():\n    """A\n' + "    line\n" * 60 + '    """\n    # c\n    x = 1\n') == []
    )
