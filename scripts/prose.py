#!/usr/bin/env python3
"""Find phrases that are not plain English in comments, docstrings, strings, names and Markdown.

    scripts/prose.py                 every file that Git tracks
    scripts/prose.py PATH…           these files and folders
    scripts/prose.py --sentences N   the maximum words of a sentence in docstrings and Markdown: 25; 0 means no limit
    scripts/prose.py --counts        the number of findings of each folder, instead of the findings

Each line of output is `FILE:LINE: "PHRASE": write REPLACEMENT`. The exit code is 1 if there is a finding. The phrases
and their replacements are in scripts/prose.toml. Text in backquotes and fenced blocks of Markdown are not checked.
Put `prose: quote` into the same line to quote a phrase on purpose.
"""

import argparse
import ast
import inspect
import io
import re
import subprocess
import sys
import tokenize
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
SKIPPED = (
    "benches/results/",
    "fechatter/web/client/package",
    "fechatter/web/client/src/api/schema",
    "fechatter/api/contract/openapi.json",
    # Checksums of applied migrations include the comments, so these files cannot change.
    "migrations/postgres/000",
    "migrations/sqlite/000",
    "requirements/",
    "scripts/prose.toml",
    "tests/documents/test_prose.py",
)
SLASHES = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|`(?:\\.|[^`\\])*`|<!--.*?-->", re.DOTALL)
SLASHES_AND_QUOTES = re.compile(SLASHES.pattern + r"|'(?:\\.|[^'\\\n])*'", re.DOTALL)
HASHES = re.compile(r"(?:^|(?<=\s))#[^\n]*")
DASHES = re.compile(r"--[^\n]*")
TOML = re.compile(HASHES.pattern + r"|\"(?:\\.|[^\"\\\n])*\"")
PATTERNS = {
    ".rs": SLASHES,
    ".ts": SLASHES_AND_QUOTES,
    ".vue": SLASHES_AND_QUOTES,
    ".mjs": SLASHES_AND_QUOTES,
    ".css": SLASHES,
    ".sql": DASHES,
    ".sh": HASHES,
    ".toml": TOML,
    ".service": HASHES,
    "run": HASHES,
    "Makefile": re.compile(HASHES.pattern + r"|##[^\n]*"),
    ".example": HASHES,
}
NAMED = re.compile(
    r"\b(?:def|class|fn|struct|enum|trait|mod|function|const|let|interface|type)\s+(?:mut\s+)?([A-Za-z_]\w*)"
)
MARKS = re.compile(r"^[ \t]*(?:///?!?|//!|\*|#+:?|--|/\*+)[ \t]?", re.MULTILINE)
SENTENCE = re.compile(r"(?:[^.!?:;|\n]|[.:](?=\S)|\n(?!\s*\n))+")
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
COMMENTS = ("//", "#", "--", "/*", "<!--")


class Rule(NamedTuple):
    """A phrase that is refused, and what to write instead."""

    find: re.Pattern[str]
    write: str


class Text(NamedTuple):
    """One piece of prose; `line` is the number of its first line."""

    line: int
    text: str
    is_document: bool = False


def main(arguments: list[str]) -> int:
    """Print the findings; returns the exit code."""
    options = parse(arguments)
    found: Counter[str] = Counter()
    for path in files(options.paths):
        for line, phrase, write in findings(path, options.sentences):
            name = shown(path)
            found[str(name.parent)] += 1
            if not options.counts:
                print(f'{name}:{line}: "{phrase}": write {write}')
    for folder, count in sorted(found.items()) if options.counts else ():
        print(f"{count:5} {folder}")
    return 1 if found else 0


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--sentences", type=int, metavar="WORDS", default=25)
    parser.add_argument("--counts", action="store_true")
    return parser.parse_args(arguments)


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
        if (
            not name.startswith(SKIPPED)
            and (kind(path) in PATTERNS or path.suffix in (".py", ".pyi", ".md"))
            and path.is_file()
        ):
            yield path


def shown(path: Path) -> Path:
    """The path as it is printed: relative to the checkout if it is below it."""
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def kind(path: Path) -> str:
    """The key of `PATTERNS` for a file: its suffix, or its name when it has none."""
    return path.suffix or path.name


def findings(path: Path, words: int) -> Iterator[tuple[int, str, str]]:
    """Line, phrase and replacement of each finding of a file."""
    source = path.read_text(encoding="utf-8")
    quoting = {number for number, line in enumerate(source.splitlines(), 1) if "prose: quote" in line}
    found = [*phrases(path, source), *names(path, source)]
    if words:
        found += long_sentences(path, source, words)
    return iter(sorted({finding for finding in found if finding[0] not in quoting}))


def phrases(path: Path, source: str) -> Iterator[tuple[int, str, str]]:
    """Refused phrases of the file's prose."""
    for line, text, _ in texts(path, source):
        for rule in RULES:
            for match in rule.find.finditer(text):
                start = match.start() + len(match[0]) - len(match[0].lstrip())
                yield line + text.count("\n", 0, start), " ".join(match[0].split()), rule.write


def names(path: Path, source: str) -> Iterator[tuple[int, str, str]]:
    """Names of functions, classes, constants and variables that contain a refused word."""
    if path.suffix not in (".py", ".pyi", ".rs", ".ts", ".vue"):
        return
    for number, line in enumerate(source.splitlines(), 1):
        for name in NAMED.findall(line):
            if not name.startswith("test_"):
                yield from ((number, name, rule.write) for rule in NAME_RULES if rule.find.search(spaced(name)))


def spaced(name: str) -> str:
    """The words of an identifier in snake case or camel case."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("_", " ")


def long_sentences(path: Path, source: str, words: int) -> Iterator[tuple[int, str, str]]:
    """Sentences of docstrings and Markdown that have more words than allowed."""
    for line, text, is_document in texts(path, source):
        if is_document:
            text = re.sub("^ {4}", "   |", text if path.suffix == ".md" else inspect.cleandoc(text), flags=re.MULTILINE)
            for match in SENTENCE.finditer(text):
                count = len(match[0].split())
                if count > words:
                    start = match.start() + len(match[0]) - len(match[0].lstrip())
                    yield (
                        line + text.count("\n", 0, start),
                        " ".join(match[0].split()[:6]) + " …",
                        f"{count} words as two sentences",
                    )


def texts(path: Path, source: str) -> Iterator[Text]:
    """The prose of a file, piece by piece, with code in backquotes blanked out."""
    if path.suffix == ".md":
        pieces = markdown(source)
    elif path.suffix in (".py", ".pyi"):
        pieces = python(source)
    else:
        pieces = others(PATTERNS[kind(path)], source)
    for line, text, is_document in pieces:
        yield Text(
            line, re.sub(r"(`+)([^`\n]+)\1", lambda code: "`" + "_" * (len(code[0]) - 2) + "`", text), is_document
        )


def markdown(source: str) -> Iterator[Text]:
    """The paragraphs of a page, without fenced blocks."""
    blank = re.sub(
        r"^[ \t]*```.*?^[ \t]*```|\]\([^)]*\)",
        lambda fence: re.sub(r"[^\n]", " ", fence[0]),
        source,
        flags=re.MULTILINE | re.DOTALL,
    )
    line = 1
    for paragraph in re.split(r"(\n(?=\s*\n|\s*[*-] |\s*\d+\. |#|\|))", blank):
        yield Text(line, paragraph, is_document=True)
        line += paragraph.count("\n")


def python(source: str) -> Iterator[Text]:
    """Comments, docstrings, strings of three words, and the names of tests."""
    yield from joined(
        (token.start[0], token.string)
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    )
    tree = ast.parse(source)
    documents = {ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, DOCUMENTED)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.count(" ") >= 2:
            yield Text(node.lineno, node.value, is_document=node.value in documents)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield Text(node.lineno, node.name[5:].replace("_", " "))


def others(pattern: re.Pattern[str], source: str) -> Iterator[Text]:
    """Comments, and strings of three words, of another language."""
    found = [(source.count("\n", 0, match.start()) + 1, match[0]) for match in pattern.finditer(source)]
    yield from joined((line, text) for line, text in found if text.startswith(COMMENTS))
    yield from (
        Text(line, text[1:-1]) for line, text in found if not text.startswith(COMMENTS) and text.count(" ") >= 2
    )


def joined(comments: Iterator[tuple[int, str]]) -> Iterator[Text]:
    """Comments on successive lines as one text, without the signs that start them."""
    first, last, text = 0, -1, ""
    for line, comment in comments:
        if line != last + 1:
            if text:
                yield Text(first, text)
            first, text = line, ""
        text += ("\n" if text else "") + MARKS.sub("", comment)
        last = line + comment.count("\n")
    if text:
        yield Text(first, text)


def rules(entries: list[dict[str, str | list[str]]]) -> list[Rule]:
    """The rules of one table of prose.toml."""
    found = [("".join(entry["find"]), "".join(entry["write"])) for entry in entries]
    return [Rule(re.compile(find.replace(" ", r"\s+"), re.IGNORECASE), write) for find, write in found]


TABLES = tomllib.loads((Path(__file__).parent / "prose.toml").read_text(encoding="utf-8"))
RULES = rules(TABLES["prose"])
NAME_RULES = rules(TABLES["names"])

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
