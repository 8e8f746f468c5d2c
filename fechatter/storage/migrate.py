"""Migrations: SQL files in dbmate's format, with the same names for both engines. They only go forward.

`engines/sqlite_migrate.py` and `engines/postgres_migrate.py` apply them. All pending files and their rows in
`schema_migrations` run in one transaction under a lock, so several processes may start at once. A start is refused if
an applied file has changed, the database is newer than the program, or it contains tables of another program.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import msgspec

from fechatter.errors import StartError

_NAME = re.compile(r"^\d{4}_[a-z0-9_]+\.sql$")
TABLE = "CREATE TABLE IF NOT EXISTS schema_migrations (version TEXT PRIMARY KEY, name TEXT, checksum TEXT)"


class Migration(msgspec.Struct, frozen=True):
    """One file; `checksum` covers all of it, including the comments."""

    version: str
    name: str
    sql: str
    checksum: str


def folder(engine: str) -> Path:
    """Return the folder of the engine's migration files: beside the package in a checkout, inside it in a wheel."""
    here = Path(__file__).resolve().parents[1]
    installed = here / "migrations" / engine
    return installed if installed.is_dir() else here.parent / "migrations" / engine


def available(engine: str) -> list[Migration]:
    """Return this program's migrations, oldest first. Raises StartError: the files are missing."""
    files = sorted(path for path in folder(engine).glob("*.sql") if _NAME.match(path.name))
    if not files:
        raise StartError(f"The migration files of {engine} are missing from this installation; install it again.")
    return [_parse(path) for path in files]


def _parse(path: Path) -> Migration:
    text = path.read_text(encoding="utf-8")
    up = text.split("-- migrate:up", 1)[-1].split("-- migrate:down", 1)[0]
    return Migration(path.name[:4], path.name, up, hashlib.sha256(text.encode()).hexdigest())


def pending(migrations: list[Migration], applied: dict[str, str | None]) -> list[Migration]:
    """Return the migrations that are not applied yet. Raises StartError: the database does not fit this program."""
    known = {migration.version: migration for migration in migrations}
    newer = sorted(set(applied) - set(known))
    if newer:
        raise StartError(f"The database is newer than this program (migration {newer[-1]}); start the newer program.")
    for version, checksum in applied.items():
        if checksum is not None and checksum != known[version].checksum:
            raise StartError(f"Migration {known[version].name} was changed after it was applied; restore the file.")
    return [migration for migration in migrations if migration.version not in applied]


def foreign_database(tables: set[str]) -> StartError:
    """Return the error for a database with these tables but without `schema_migrations`."""
    return StartError(
        f"The database contains tables of another program (for example {sorted(tables)[0]}); name an empty database."
    )
