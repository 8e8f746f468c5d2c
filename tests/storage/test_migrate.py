"""Migrations on both engines: applied once, and refused if database and program do not match."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from fechatter.errors import StartError
from fechatter.storage import migrate, opening
from fechatter.storage.engines.sqlite_migrate import migrate_sqlite

PROCESSES = 4
_PROGRAM = (
    "import asyncio, sys; from fechatter.storage.opening import migrate; print(len(asyncio.run(migrate(sys.argv[1]))))"
)
_SECOND = """-- migrate:up
CREATE TABLE extra (id BIGINT PRIMARY KEY);
INSERT INTO extra (id) VALUES (1)
-- migrate:down
"""


async def run_sql(address: str, sql: str) -> None:
    """Run a statement on the database without the server's own code."""
    if opening.is_postgres(address):
        connection = await asyncpg.connect(address)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()
    else:
        with sqlite3.connect(opening.sqlite_path(address)) as file:
            file.execute(sql)
        file.close()


@pytest.fixture
def newer_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Add one more migration. Returns the folder of migrations, with one folder per engine."""
    migrations = tmp_path / "migrations"
    for engine in ("sqlite", "postgres"):
        target = migrations / engine
        target.mkdir(parents=True)
        for file in migrate.folder(engine).iterdir():
            (target / file.name).write_bytes(file.read_bytes())
        (target / "9000_extra.sql").write_text(_SECOND)
    monkeypatch.setattr(migrate, "folder", lambda engine: migrations / engine)
    return migrations


def test_both_engines_have_the_same_migrations() -> None:
    names = [[migration.name for migration in migrate.available(engine)] for engine in ("sqlite", "postgres")]
    assert names[0] == names[1]
    assert names[0]


def test_both_engines_have_the_same_columns_in_the_same_order() -> None:
    """Ids differ: a counter on SQLite, a sequence on PostgreSQL."""

    def tables(engine: str) -> dict[str, list[str]]:
        sql = "".join(migration.sql for migration in migrate.available(engine))
        found = re.findall(r"CREATE TABLE (\w+) \(\n(.*?)\n\)", sql, re.DOTALL)
        return {name: re.findall(r"^ {4}([a-z_]+) ", body, re.MULTILINE) for name, body in found if name != "counters"}

    assert tables("sqlite") == tables("postgres")


async def test_a_database_is_migrated_once(empty_address: str) -> None:
    names = [migration.name for migration in migrate.available("sqlite")]
    assert await opening.migrate(empty_address) == names
    assert await opening.migrate(empty_address) == []


async def test_a_newer_program_applies_only_its_new_migrations(empty_address: str, newer_program: Path) -> None:
    (newer_program / "sqlite" / "9000_extra.sql").rename(newer_program / "sqlite.later")
    (newer_program / "postgres" / "9000_extra.sql").rename(newer_program / "postgres.later")
    await opening.migrate(empty_address)
    for engine in ("sqlite", "postgres"):
        (newer_program / f"{engine}.later").rename(newer_program / engine / "9000_extra.sql")
    assert await opening.migrate(empty_address) == ["9000_extra.sql"]
    with pytest.raises((sqlite3.IntegrityError, asyncpg.UniqueViolationError)):
        await run_sql(empty_address, "INSERT INTO extra (id) VALUES (1)")


async def test_a_failed_migration_changes_nothing(empty_address: str, newer_program: Path) -> None:
    for engine in ("sqlite", "postgres"):
        (newer_program / engine / "9000_extra.sql").write_text(
            "-- migrate:up\nCREATE TABLE extra (id BIGINT);\nSELECT nothing FROM nowhere;\n"
        )
    with pytest.raises(StartError):
        await opening.migrate(empty_address)
    for engine in ("sqlite", "postgres"):
        (newer_program / engine / "9000_extra.sql").unlink()
    assert await opening.migrate(empty_address) == [migration.name for migration in migrate.available("sqlite")]


async def test_a_file_that_changed_after_it_was_applied_is_refused(empty_address: str, newer_program: Path) -> None:
    await opening.migrate(empty_address)
    for engine in ("sqlite", "postgres"):
        with (newer_program / engine / "9000_extra.sql").open("a") as file:
            file.write("-- a word more\n")
    with pytest.raises(StartError, match=r"9000_extra\.sql was changed after it was applied"):
        await opening.migrate(empty_address)


async def test_a_database_newer_than_the_program_is_refused(empty_address: str) -> None:
    await opening.migrate(empty_address)
    await run_sql(empty_address, "INSERT INTO schema_migrations (version) VALUES ('9999')")
    with pytest.raises(StartError, match="newer than this program"):
        await opening.migrate(empty_address)


async def test_a_foreign_database_is_refused_and_left_unchanged(empty_address: str) -> None:
    await run_sql(empty_address, "CREATE TABLE invoices (id INTEGER)")
    with pytest.raises(StartError, match="for example invoices"):
        await opening.migrate(empty_address)
    with pytest.raises((sqlite3.OperationalError, asyncpg.UndefinedTableError)):
        await run_sql(empty_address, "SELECT * FROM schema_migrations")


def test_a_file_that_is_not_a_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "letter.db"
    path.write_text("Dear server, " * 100)
    with pytest.raises(StartError, match="not a database"):
        migrate_sqlite(path)


def test_an_sqlite_file_is_copied_before_its_migration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, newer_program: Path
) -> None:
    path = tmp_path / "data.db"
    (newer_program / "sqlite" / "9000_extra.sql").rename(newer_program / "later")
    migrate_sqlite(path)
    assert not list(tmp_path.glob("data.db.before-*"))
    with sqlite3.connect(path) as file:
        file.execute("INSERT INTO workspaces (id, slug, name, created_at) VALUES (7, 'kept', 'Kept', 0)")
    file.close()
    (newer_program / "later").rename(newer_program / "sqlite" / "9000_extra.sql")
    migrate_sqlite(path)
    copy = sqlite3.connect(tmp_path / "data.db.before-9000")
    assert copy.execute("SELECT slug FROM workspaces").fetchall() == [("kept",)]
    assert copy.execute("SELECT name FROM sqlite_master WHERE name = 'extra'").fetchall() == []
    copy.close()


async def test_concurrent_processes_migrate_once(empty_address: str) -> None:
    started = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", _PROGRAM, empty_address, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(PROCESSES)
    ]
    ended = await asyncio.gather(*(process.communicate() for process in started))
    assert [errors.decode() for _, errors in ended] == [""] * PROCESSES
    applied = sorted(int(output) for output, _ in ended)
    assert applied == [0] * (PROCESSES - 1) + [len(migrate.available("sqlite"))]


def hold_back(migrations: Path, first: str) -> list[tuple[Path, Path]]:
    """Move migrations from `first` on aside; returns their new and old paths."""
    later = [(each, migrations / f"{each.parent.name}-{each.name}") for each in migrations.glob("*/*.sql")]
    moved = [(aside, place) for place, aside in later if place.name >= first]
    for aside, place in moved:
        place.rename(aside)
    return moved


async def test_the_timelines_of_an_earlier_version_name_their_chats(empty_address: str, newer_program: Path) -> None:
    later = hold_back(newer_program, "0011")
    await opening.migrate(empty_address)
    await run_sql(empty_address, "INSERT INTO timelines (id, last_number, emptied_through) VALUES (7, 9, 2), (8, 0, 0)")
    for aside, place in later:
        aside.rename(place)
    await opening.migrate(empty_address)
    database = await opening.open_database(empty_address, lambda frames, signals: None, connections=2)
    sql = "SELECT id, chat_id, last_number, emptied_through FROM timelines ORDER BY id"
    rows = await database.read(lambda tx: tx.fetch(sql))
    await database.close()
    assert [tuple(row) for row in rows] == [(7, 7, 9, 2), (8, 8, 0, 0)]
