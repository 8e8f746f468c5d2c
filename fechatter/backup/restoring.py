"""Restores a backup into an empty database and data folder; the engine may differ from the backup's.

First, the whole backup is read and its checksums are compared. Then the tables are created at the backup's version,
filled and migrated. The restored database begins a new life and a new era, and nobody is signed in.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from fechatter.accounts.administration import command_actor
from fechatter.audit.record import Act, record
from fechatter.backup.archive import Archive, open_archive
from fechatter.backup.manifest import BackupRefused, Manifest, PackedRows
from fechatter.disk.drafts import check_space, sync
from fechatter.disk.troubles import trouble
from fechatter.errors import StartError
from fechatter.settings import Settings
from fechatter.storage import eras, migrate, opening, upkeep
from fechatter.storage.copying import CopyTarget, Misfit, Progress
from fechatter.storage.engines import postgres_copy
from fechatter.storage.engines.sqlite_remains import restore_draft
from fechatter.storage.folder import locked_folder

FILES_DRAFT: Final = "files.restoring"
ROWS_PER_REPORT: Final = 1000
OVERWRITES: Final = "A restore overwrites nothing."
_NEW_ERA = "UPDATE server SET epoch = $1, system_id = ''"


async def restore(settings: Settings, path: Path, system_user: str, progress: Progress) -> Manifest:
    """Restore the backup `path` to the database and the data folder of the settings.

    Raises:
        BackupRefused, StartError: the restore failed; nothing was restored.
    """
    with open_archive(path) as archive:
        manifest = archive.manifest
        migrations = migrations_of(manifest, settings.database_address)
        await check_empty(settings)
        _check_space(settings, manifest)
        archive.check(lambda done: progress("checking", done, manifest.bytes))
        with locked_folder(settings.data_dir):
            await check_empty(settings)
            try:
                with _unpacked_files(settings.data_dir, archive) as put_in_place:
                    async with opening.open_target(settings.database_address, migrations) as target:
                        await _fill(target, archive, progress)
                        await _begin(target, manifest, system_user)
                        put_in_place()
            except OSError as error:
                raise StartError(f"{trouble(error, settings.data_dir)} Nothing was restored.") from error
            except Misfit as error:
                raise BackupRefused(f"A row of the backup does not fit its table ({error}).") from error
            _give_to_owner(settings)
    return manifest


def migrations_of(manifest: Manifest, address: str) -> list[migrate.Migration]:
    """Return this program's migrations up to the backup's version, for the engine of `address`.

    Raises:
        BackupRefused: the backup is newer than this program, or its list of migrations is damaged.
    """
    known = migrate.available("postgres" if opening.is_postgres(address) else "sqlite")
    applied = [migration for migration in known if migration.version in manifest.migrations]
    if newer := sorted(set(manifest.migrations) - {migration.version for migration in known}):
        raise BackupRefused(f"The backup is newer than this program (migration {newer[-1]}). Use a newer program.")
    if not applied or applied != known[: len(applied)]:
        raise BackupRefused("The backup's manifest is damaged (migrations are missing).")
    return applied


async def check_empty(settings: Settings) -> None:
    """Check that a restore would overwrite nothing, except the remains of an interrupted restore. Raises StartError."""
    address, left_over = settings.database_address, False
    if opening.is_postgres(address):
        if not await postgres_copy.is_empty(address):
            raise StartError(f"The database is not empty. {OVERWRITES} Set database_url to an empty database.")
    else:
        database = opening.sqlite_path(address)
        left_over = restore_draft(database).exists()
        if found := next((path for path in _parts(database) if path.exists()), None):
            raise StartError(f"{found} already exists. {OVERWRITES} Move it away, or set data_dir.")
    files = settings.data_dir / "files"
    if files.exists() and any(files.iterdir()) and not left_over:
        raise StartError(f"{files} contains files. {OVERWRITES} Move it away, or set data_dir.")


def _parts(database: Path) -> list[Path]:
    """Return the database and its side files; SQLite would read a remaining log as that of the new file."""
    return [database, *(database.with_name(f"{database.name}{ending}") for ending in ("-wal", "-shm", "-journal"))]


def _check_space(settings: Settings, manifest: Manifest) -> None:
    """Check the free space. PostgreSQL's disk cannot be checked; if it is full, the transaction is rolled back."""
    in_tables = 0 if opening.is_postgres(settings.database_address) else sum(rows.bytes for rows in manifest.tables)
    folder = settings.data_dir.absolute()
    existing = next(each for each in (folder, *folder.parents) if each.exists())
    check_space(existing, in_tables + sum(file.bytes for file in manifest.files))


async def _fill(target: CopyTarget, archive: Archive, progress: Progress) -> None:
    tables = await target.tables()
    given = {rows.table.name: rows for rows in archive.manifest.tables}
    if {table.name: table for table in tables} != {name: rows.table for name, rows in given.items()}:
        raise BackupRefused("The backup's tables differ from those of its version.")
    for table in tables:
        rows = given[table.name]
        await target.fill(table, _counted(archive, rows, progress))


def _counted(archive: Archive, rows: PackedRows, progress: Progress) -> Iterator[tuple[object, ...]]:
    count = 0
    for count, row in enumerate(archive.rows(rows), 1):
        if count % ROWS_PER_REPORT == 0:
            progress(rows.table.name, count, rows.rows)
        yield row
    progress(rows.table.name, count, rows.rows)


async def _begin(target: CopyTarget, manifest: Manifest, system_user: str) -> None:
    """Begin a new life of the database, and add an entry to each workspace's audit log."""
    await target.finish(manifest.last_id)
    await target.tx.execute(_NEW_ERA, eras.new_era())
    for workspace_id in await upkeep.workspace_ids(target.tx):
        actor = command_actor(workspace_id, system_user)
        await record(target.tx, actor, Act.WORKSPACE_RESTORED, workspace_id, after={"backup_of": manifest.created_at})


@contextmanager
def _unpacked_files(data_dir: Path, archive: Archive) -> Iterator[Callable[[], None]]:
    """Unpack the files into a draft folder, and yield a function that puts them in place.

    If the block fails, the files are deleted.
    """
    draft, place = data_dir / FILES_DRAFT, data_dir / "files"
    shutil.rmtree(draft, ignore_errors=True)
    try:
        for file in archive.manifest.files:
            _unpack(draft / file.path, archive.pieces(file))
        for folder in (draft, *draft.rglob("*")) if draft.exists() else ():
            if folder.is_dir():
                sync(folder)
        yield lambda: _put_in_place(draft, place)
    except BaseException:
        for folder in (draft, place) if archive.manifest.files else (draft,):
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _unpack(path: Path, pieces: Iterator[bytes]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.writelines(pieces)
        out.flush()
        os.fsync(out.fileno())


def _put_in_place(draft: Path, place: Path) -> None:
    if draft.exists():
        # The folder is empty, or an interrupted restore left it at this point.
        shutil.rmtree(place, ignore_errors=True)
        draft.rename(place)
        sync(place.parent)


def _give_to_owner(settings: Settings) -> None:
    """Give the files that root restored to the owner of the data folder, who runs the server."""
    if os.geteuid() != 0:
        return
    address, files, owner = settings.database_address, settings.data_dir / "files", settings.data_dir.stat()
    database = [] if opening.is_postgres(address) else _parts(opening.sqlite_path(address))
    # The root of a container may lack this right. Then `fechatter doctor` reports the owner of the files.
    with suppress(PermissionError):
        for path in (settings.data_dir / "lock", *database, files, *files.rglob("*")):
            if path.exists():
                os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
