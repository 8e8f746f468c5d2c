#!/usr/bin/env python3
"""Find files, functions and lines that are too long.

    scripts/sizes.py                 every file that Git tracks
    scripts/sizes.py PATH…           these files and folders

A file has at most 300 lines, except generated files, CHANGELOG.md and the stub of the native extension. A function has
at most 50 lines; in each language the median is at most 8 lines and the 90th percentile at most 20. A line has at most
120 characters. The lines of a function run from its signature to its last line, without its docstring, blank lines and
comments. The exit code is 1 if a limit is exceeded.
"""

import argparse
import ast
import re
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
FILE_LINES, LINE_WIDTH = 300, 120
# One page for all versions; one stub for one binary module.
ANY_LENGTH = ("CHANGELOG.md", "_native.pyi")
MEDIAN, PERCENTILE_90, LONGEST = 8, 20, 50
# Generated files, migrations whose checksums are in databases already, and the stub of the extension: one per module.
UNCHECKED = re.compile(
    r"package-lock\.json|Cargo\.lock|openapi\.json|rights\.json|\.svg$|\.png$|requirements/|benches/results/|LICENSE"
    r"|src/api/(schema|types|frames|contract)[\w.]*\.ts|METRICS\.md|claims\.toml|migrations/\w+/000\d_"
)
LANGUAGES = {".py": "Python", ".rs": "Rust", ".ts": "TypeScript", ".vue": "TypeScript", ".mjs": "TypeScript"}
OTHERS = (".md", ".sql", ".sh", ".toml", ".css", ".html", ".service", ".pyi")
BRACED = re.compile(
    r"^(?P<indent>[ \t]*)(?:export |default |pub(?:\([\w:]+\))? |const |async |unsafe |extern \"C\" )*"
    r"(?:fn (?P<fn>\w+)|function (?P<function>\w+)"
    r"|(?P<arrow>\w+)(?::[^=\n]+)? = (?:async )?(?:\w+\([^()\n]*)?\([^\n]*=> \{$)"
)


class Function(NamedTuple):
    """A function and the number of lines of its code."""

    path: Path
    line: int
    name: str
    lines: int


def main(arguments: list[str]) -> int:
    """Print every limit that is exceeded; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path)
    found = False
    functions: defaultdict[str, list[Function]] = defaultdict(list)
    for path in files(parser.parse_args(arguments).paths):
        text = path.read_text(encoding="utf-8")
        for problem in file_problems(path, text):
            print(problem)
            found = True
        if path.suffix in LANGUAGES:
            functions[LANGUAGES[path.suffix]] += python(path, text) if path.suffix == ".py" else braced(path, text)
    for language, measured in sorted(functions.items()):
        for problem in function_problems(language, measured):
            print(problem)
            found = True
    return 1 if found else 0


def files(paths: list[Path]) -> Iterator[Path]:
    """Files of a known kind: the given ones, those that Git knows below a given folder, or the whole checkout."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--full-name", "--"]
    listing += [str(path.resolve()) for path in paths if path.is_dir()]
    named = [path.resolve() for path in paths if path.is_file()]
    if not named or len(named) < len(paths):
        listed = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        named += [ROOT / name for name in listed.splitlines()]
    for path in sorted(set(named)):
        name = str(shown(path))
        if path.suffix in (*LANGUAGES, *OTHERS) and not UNCHECKED.search(name) and path.is_file():
            yield path


def file_problems(path: Path, text: str) -> Iterator[str]:
    """The file's length and the width of its lines; rows of Markdown tables and images may be wider."""
    name = shown(path)
    lines = text.splitlines()
    if len(lines) > FILE_LINES and path.name not in ANY_LENGTH:
        yield f"{name}: {len(lines)} lines; a file has at most {FILE_LINES}"
    for number, line in enumerate(lines, 1):
        if len(line) > LINE_WIDTH and not is_unbreakable(path, line):
            yield f"{name}:{number}: {len(line)} characters; a line has at most {LINE_WIDTH}"


def shown(path: Path) -> Path:
    """The path as it is printed: relative to the checkout if it is below it."""
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def is_unbreakable(path: Path, line: str) -> bool:
    """Return whether the line is a table row, an image or a badge in Markdown, which cannot be broken."""
    return path.suffix == ".md" and line.lstrip().startswith(("|", "![", "[!"))


def function_problems(language: str, functions: list[Function]) -> Iterator[str]:
    """The functions that are too long, and the median and percentile of the language if they are too high."""
    for function in functions:
        if function.lines > LONGEST:
            where = f"{shown(function.path)}:{function.line}"
            yield f"{where}: {function.name} has {function.lines} lines; a function has at most {LONGEST}"
    sizes = sorted(function.lines for function in functions)
    if len(sizes) < 10:
        return
    middle, high = statistics.median_low(sizes), sizes[len(sizes) * 9 // 10]
    if middle > MEDIAN:
        yield f"{language}: the median function has {middle} lines; the limit is {MEDIAN}"
    if high > PERCENTILE_90:
        yield f"{language}: the 90th percentile of functions is {high} lines; the limit is {PERCENTILE_90}"


def python(path: Path, text: str) -> Iterator[Function]:
    """The functions and methods of a Python file; an inner function counts by itself and in the outer one."""
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            documented = ast.get_docstring(node) is not None
            first = node.body[0]
            skipped = range(first.lineno, (first.end_lineno or first.lineno) + 1) if documented else range(0)
            body = (
                lines[number - 1] for number in range(node.lineno, (node.end_lineno or 0) + 1) if number not in skipped
            )
            yield Function(path, node.lineno, node.name, sum(is_code(line) for line in body))


def braced(path: Path, text: str) -> Iterator[Function]:
    """The named functions of a formatted Rust, TypeScript or Vue file: each ends at the first `}` of its own indent."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        match = BRACED.match(line)
        if match and not line.rstrip().endswith((";", "}")):
            close = re.compile(re.escape(match["indent"]) + r"\}[;,)]*$")
            end = next((index for index in range(number + 1, len(lines)) if close.match(lines[index])), number)
            name = match["fn"] or match["function"] or match["arrow"]
            yield Function(path, number + 1, name, sum(map(is_code, lines[number : end + 1])))


def is_code(line: str) -> bool:
    """Whether a line is neither blank nor only a comment."""
    return bool(line.strip()) and not line.lstrip().startswith(("#", "//", "/*", "* "))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
