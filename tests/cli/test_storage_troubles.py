"""Data folders with any name, and storage that fails: each command works or reports cause and remedy in one line."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fechatter.cli import checks, checks_database, main
from fechatter.cli.findings import Finding
from fechatter.disk.troubles import trouble
from fechatter.settings import Settings
from fechatter.storage.engines.errors import StorageUnavailable
from fechatter.storage.engines.sqlite_migrate import migrate_sqlite
from fechatter.storage.engines.sqlite_open import open_file, uri
from fechatter.storage.folder import locked_folder

Command = Callable[..., tuple[int, str, str]]
SPELLINGS = [lambda path: f"/{path}", lambda path: os.path.relpath(path), lambda path: f"{path}/../{path.name}/"]
NAMES = ["chat#1", "chat?x=1", "a%20b", "with spaces", "new\nline", "файл 文", "file:x", "a&mode=ro", "~", "-n"]
COMMANDS = [
    ["serve"],
    ["migrate"],
    ["users", "list"],
    ["sessions", "list", "ada"],
    ["workspaces", "list"],
    ["export", "out"],
]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """Run `fechatter` on a data folder and return the exit code and the output."""
    workplace = tmp_path / "workplace"
    workplace.mkdir()
    monkeypatch.chdir(workplace)

    def run(folder: Path | str, *arguments: str) -> tuple[int, str, str]:
        monkeypatch.setenv("FECHATTER_DATA_DIR", str(folder))
        monkeypatch.setenv("FECHATTER_PORT", "0")
        code = main(arguments)
        out, err = capfd.readouterr()
        return code, out, err

    return run


def _tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.parametrize("name", NAMES)
def test_a_data_folder_may_have_any_name(name: str, tmp_path: Path, command: Command) -> None:
    place = tmp_path / "place"
    folder = place / name
    assert command(folder, "migrate")[0] == 0
    assert command(folder, "workspaces", "list", "--json")[:2] == (0, '{"items":[]}\n')
    assert "There is no workspace yet" in command(folder, "users", "list")[2]
    assert command(folder, "backup", str(place / f"{name}.backup"))[0] == 0
    assert "up to date" in command(folder, "doctor")[1]
    assert command(place / f"{name} restored", "restore", str(place / f"{name}.backup"))[0] == 0
    expected = {name, f"{name}/fechatter.db", f"{name}.backup"}
    restored = {f"{name} restored", f"{name} restored/fechatter.db", f"{name} restored/lock"}
    assert _tree(place) == expected | restored
    assert _tree(tmp_path / "workplace") == set()


CHANGED = [
    ("serve", "CREATE TRIGGER t BEFORE INSERT ON server BEGIN SELECT RAISE(ABORT, 'not today'); END", "not today"),
    ("serve", "DROP TABLE server", "no such table: server"),
    ("workspaces list", "ALTER TABLE workspaces RENAME COLUMN name TO other", "no such column"),
]


@pytest.mark.parametrize(("arguments", "change", "cause"), CHANGED)
def test_a_database_that_was_changed_by_hand_is_refused_in_one_line(
    arguments: str, change: str, cause: str, tmp_path: Path, command: Command
) -> None:
    assert command(tmp_path / "data", "migrate")[0] == 0
    with closing(open_file(tmp_path / "data" / "fechatter.db")) as connection:
        connection.execute(change)
    code, _, err = command(tmp_path / "data", *arguments.split())
    assert (code, cause in err, err.count("\n")) == (1, True, 1), err


def test_the_doctor_continues_after_a_check_that_the_database_refuses(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def names(settings: Settings) -> Finding:
        raise StorageUnavailable("no such column")

    monkeypatch.setattr(checks, "ALL", (names, checks_database.integrity))
    assert command(tmp_path / "data", "migrate")[0] == 0
    code, out, err = command(tmp_path / "data", "doctor")
    assert (code, err) == (1, "")
    assert "WRONG names: no such column" in out
    assert "integrity: ok" in out


@pytest.mark.parametrize("spell", SPELLINGS)
def test_a_data_folder_may_be_spelled_in_any_way(
    spell: Callable[[Path], str], tmp_path: Path, command: Command
) -> None:
    folder = tmp_path / "chat#1"
    folder.mkdir(0o700)
    assert command(spell(folder), "migrate")[0] == 0
    assert command(spell(folder), "users", "list")[2].startswith("fechatter: There is no workspace yet")
    assert command(spell(folder), "backup", str(tmp_path / "backup"))[0] == 0
    assert _tree(folder) == {"fechatter.db"}


def test_a_path_that_is_not_utf_8_can_be_opened(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff#.db")
    with closing(open_file(path, "rwc")) as connection:
        connection.execute("CREATE TABLE t (x)")
    assert os.listdir(os.fsencode(tmp_path)) == [b"\xff#.db"]
    assert uri(path, "ro").endswith("/%FF%23.db?mode=ro")


def _is_folder(folder: Path) -> None:
    (folder / "fechatter.db").mkdir(parents=True)


def _is_file(folder: Path) -> None:
    folder.touch()


def _below_a_file(folder: Path) -> None:
    folder.parent.rmdir()
    folder.parent.touch()


def _dangling_folder(folder: Path) -> None:
    folder.symlink_to("/nowhere/data")


def _dangling_file(folder: Path) -> None:
    folder.mkdir()
    (folder / "fechatter.db").symlink_to(folder.parent / "not mounted")


def _no_database(folder: Path) -> None:
    folder.mkdir()
    (folder / "fechatter.db").write_bytes(b"a letter, not a database. " * 100)


def _cut_short(folder: Path) -> None:
    folder.mkdir()
    migrate_sqlite(folder / "fechatter.db")
    os.truncate(folder / "fechatter.db", 20_000)


def _newer(folder: Path) -> None:
    folder.mkdir()
    migrate_sqlite(folder / "fechatter.db")
    with closing(open_file(folder / "fechatter.db")) as connection:
        connection.execute("INSERT INTO schema_migrations (version) VALUES ('9999')")


PLACES: list[tuple[Callable[[Path], None], str]] = [
    (_is_folder, "it is a folder"),
    (_is_file, "a file"),
    (_below_a_file, "a part of the path is a file"),
    (_dangling_folder, "it is a link to /nowhere/data, which does not exist"),
    (_dangling_file, "which does not exist"),
    (_no_database, "it is not a database"),
    (_cut_short, "its contents are damaged"),
    (_newer, "newer than this program"),
]


@pytest.mark.parametrize(("make", "cause"), PLACES)
def test_each_command_reports_failing_storage_in_one_line(
    make: Callable[[Path], None], cause: str, tmp_path: Path, command: Command
) -> None:
    folder = tmp_path / "parent" / "data"
    folder.parent.mkdir()
    make(folder)
    for arguments in [*COMMANDS, ["backup", str(tmp_path / "backup")]]:
        code, out, err = command(folder, *arguments)
        assert (code, out, err.count("\n")) == (1, "", 1), (arguments, out, err)
        assert err.startswith("fechatter: ")
        assert cause in err, arguments
    code, out, err = command(folder, "doctor")
    assert (code, err) == (1, "")
    assert cause in out
    assert ("restore the newest backup" in out) == (make is _cut_short)


@pytest.mark.parametrize(("make", "cause"), PLACES[1:4])
def test_a_restore_reports_failing_storage_in_one_line(
    make: Callable[[Path], None], cause: str, tmp_path: Path, command: Command
) -> None:
    good, folder = tmp_path / "good", tmp_path / "parent" / "data"
    command(good, "migrate")
    assert command(good, "backup", str(tmp_path / "backup"))[0] == 0
    folder.parent.mkdir()
    make(folder)
    code, _, err = command(folder, "restore", str(tmp_path / "backup"))
    assert (code, err.count("\n"), cause in err) == (1, 1, True), err


@pytest.fixture
def refusing_files(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[OSError], None]]:
    """Make every creation of a file fail. Permissions would not stop root, who may run the tests."""
    real = os.open

    def refuse(error: OSError) -> None:
        def fail(path: str | Path, flags: int, *more: int, **how: int) -> int:
            if flags & os.O_CREAT and "data" in str(path):
                raise OSError(error.errno, error.strerror)
            return real(path, flags, *more, **how)

        monkeypatch.setattr(os, "open", fail)

    return refuse


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(28, "No space left on device"), "free space on its disk"),
        (PermissionError(13, "Permission denied"), f"let user {os.geteuid()} write there"),
        (OSError(30, "Read-only file system"), "mount its file system writable"),
        (OSError(5, "Input/output error"), "check the disk"),
    ],
)
def test_an_error_without_a_path_is_reported_with_the_path(
    error: OSError,
    expected: str,
    tmp_path: Path,
    refusing_files: Callable[[OSError], None],
    command: Command,
) -> None:
    (tmp_path / "data").mkdir()
    refusing_files(error)
    for arguments in (["serve"], ["migrate"]):
        code, _, err = command(tmp_path / "data", *arguments)
        assert (code, err.count("\n")) == (1, 1), err
        assert f"{tmp_path / 'data'}" in err
        assert expected in err
        assert "None" not in err


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_BUSY, "another program has locked it"),
        (sqlite3.SQLITE_FULL, "the disk is full"),
        (sqlite3.SQLITE_IOERR, "check the disk"),
        (sqlite3.SQLITE_READONLY, "it is read-only"),
    ],
)
def test_the_doctor_recommends_a_restore_only_for_proved_damage(
    code: int,
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = Settings(data_dir=tmp_path)
    migrate_sqlite(tmp_path / "fechatter.db")

    def refuse(path: Path) -> None:
        error = sqlite3.OperationalError("refused")
        error.sqlite_errorcode, error.sqlite_errorname = code, "SQLITE_X"
        raise error

    monkeypatch.setattr(checks_database, "open_reader", refuse)
    for check in (checks_database.database, checks_database.database_clock, checks_database.integrity):
        finding = check(settings)
        assert not finding.good
        assert expected in f"{finding.state} {finding.remedy}".lower()
        assert "restore" not in finding.remedy
        assert "move" not in finding.remedy


def test_the_systems_reason_is_reported_if_sqlite_has_none(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError) as refused:
        open_file(tmp_path / "nowhere" / "chat.db").close()
    assert "No such file or directory" in trouble(refused.value, tmp_path / "nowhere" / "chat.db")
    shutil.rmtree(tmp_path)


def test_the_doctor_reports_a_rescued_and_a_missing_database(tmp_path: Path) -> None:
    settings, path = Settings(data_dir=tmp_path), tmp_path / "fechatter.db"
    migrate_sqlite(path)
    assert checks_database.database(settings).good
    with locked_folder(tmp_path):
        path.rename(tmp_path / "fechatter.db.rescued-20261127T120000Z")
        assert f"mv {tmp_path}/fechatter.db.rescued-20261127T120000Z {path}" in checks_database.database(settings).state
        (tmp_path / "fechatter.db.rescued-20261127T120000Z").rename(tmp_path / "elsewhere")
        gone = checks_database.database(settings)
    assert (gone.good, gone.state) == (False, f"a server is running, and {path} is gone")
    assert gone.remedy.startswith("Do not kill that server")
    assert checks_database.database(settings).good
