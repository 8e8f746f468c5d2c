"""docs/durable-effects.md lists every table, loop, task, thread and file of the server, and names tests that exist."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.documents.pages import ROOT, text

PAGE = text("docs/durable-effects.md")
MODULES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "fechatter").rglob("*.py"))
}
CREATES_FILES = re.compile(
    r"O_CREAT|\bdraft\(|copy_database\(|\.mkdir\(|\.write_(text|bytes)\(|sqlite3\.connect\(.*rwc"
)
NOT_THE_SERVER = ("fechatter/bench/", "fechatter/cli/bench")


def section(title: str) -> str:
    return PAGE.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def listed(title: str) -> set[str]:
    """The names in backquotes in the first column of a section's tables."""
    rows = re.findall(r"^\| ([^|]+) \|", section(title), re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Each call in the server's modules, with the source of the called function."""
    for name, source in MODULES.items():
        if not name.startswith(NOT_THE_SERVER):
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.Call):
                    yield ast.unparse(node.func), node


def first_texts(function: str) -> set[str]:
    """The first argument of each call of a function, which must be a literal text."""
    found = [call.args[0] for name, call in calls() if re.fullmatch(function, name) and call.args]
    assert found, f"nothing calls {function}"
    return {
        argument.value for argument in found if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


def test_every_table_is_listed_and_every_listed_table_exists() -> None:
    schema = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "migrations").rglob("*.sql"))
    renamed = dict(re.findall(r"ALTER TABLE (\w+) RENAME TO (\w+)", schema))
    created = {*re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)", schema), "schema_migrations"}
    tables = {renamed.get(name, name) for name in created}
    assert listed("Rows") == tables


def test_every_loop_is_listed_and_every_listed_loop_exists() -> None:
    assert listed("Background loops") == first_texts(r"Loop|LoopState")


def test_every_task_and_thread_is_listed_and_every_listed_one_exists() -> None:
    threads = {
        ast.literal_eval(word.value)
        for name, call in calls()
        if name == "threading.Thread"
        for word in call.keywords
        if is_name(word)
    }
    tasks = first_texts(r"(.*\.)?_?tasks\.start")
    assert listed("Tasks and threads") == tasks | threads | first_texts("LoopThread")


def is_name(word: ast.keyword) -> bool:
    return word.arg == "name" and isinstance(word.value, ast.Constant)


def test_every_module_that_creates_files_is_named() -> None:
    creating = {
        name for name, source in MODULES.items() if CREATES_FILES.search(source) and not name.startswith(NOT_THE_SERVER)
    }
    assert {name for name in creating if f"`{name}`" not in section("Files")} == set()


def test_every_effect_names_a_test_that_exists() -> None:
    for title in ("Rows", "Background loops", "Files", "Frames on the bus"):
        for row in re.findall(r"^\| .* \|$", section(title), re.MULTILINE)[1:]:
            named = re.findall(r"`(tests/[\w/]+\.py)`", row)
            assert named, row
            assert [name for name in named if "def test_" not in (Path(ROOT) / name).read_text(encoding="utf-8")] == []
