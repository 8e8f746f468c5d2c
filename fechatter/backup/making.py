"""Makes a backup beside a running server: one snapshot of the database, then the uploaded files.

An upload stores the file before the row that names it. So every file that the snapshot names exists, and files added
later do not matter. The folder `secrets/` and the sessions are left out: a restore ends all sessions, and the next
start creates new secrets.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fechatter import __version__
from fechatter.backup.archive import PIECE_BYTES, Packer
from fechatter.backup.manifest import FORMAT, BackupRefused, Manifest, PackedFile, PackedRows, check_path
from fechatter.disk.drafts import check_new, check_space, draft
from fechatter.model import now_ms, timestamp
from fechatter.settings import Settings
from fechatter.storage import migrate, opening
from fechatter.storage.copying import CopySource, Progress, Table

SPACE_DIVISOR: Final = 2
"""The required free space is the database's size divided by this number.

A backup takes a third of the database's size or less (benches/results).
"""


async def make(settings: Settings, path: Path, progress: Progress) -> Manifest:
    """Write a backup to `path` and return its manifest.

    Raises:
        StartError: the backup failed; there is no file at `path`.
    """
    check_new(path)
    async with opening.open_source(settings.database_address) as source:
        created_at = timestamp(now_ms())
        migrate.pending(migrate.available(source.engine), dict(source.migrations))
        files = list(_files(settings.data_dir / "files"))
        _check_space(path, await source.size_bytes(), files)
        with draft(path) as out, Packer(out) as packer:
            tables = [await _pack_table(packer, source, table, progress) for table in source.tables]
            manifest = Manifest(
                format=FORMAT,
                program=__version__,
                engine=source.engine,
                epoch=await source.epoch(),
                migrations=sorted(source.migrations),
                last_id=await source.last_id(),
                created_at=created_at,
                tables=tables,
                files=list(_pack_files(packer, files, progress)),
            )
            packer.finish(manifest)
    return manifest


def _check_space(path: Path, database_bytes: int, files: list[tuple[str, Path]]) -> None:
    check_space(path.absolute().parent, database_bytes // SPACE_DIVISOR + sum(file.stat().st_size for _, file in files))


async def _pack_table(packer: Packer, source: CopySource, table: Table, progress: Progress) -> PackedRows:
    rows, total = 0, await source.count(table)
    name = f"tables/{table.name}.jsonl"
    with packer.member(name) as member:

        def take(lines: bytes) -> None:
            nonlocal rows
            member.write(lines)
            rows += lines.count(b"\n")
            progress(table.name, rows, total)

        await source.copy(table, take)
        return PackedRows(table, rows, member.bytes, member.sha256)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the regular files below the folder, without links and drafts (`.…`)."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
            yield path.relative_to(folder).as_posix(), path


def _pack_files(packer: Packer, files: list[tuple[str, Path]], progress: Progress) -> Iterator[PackedFile]:
    for done, (name, path) in enumerate(files, 1):
        try:
            check_path(name)
            with path.open("rb") as file, packer.member(f"files/{name}") as member:
                while piece := file.read(PIECE_BYTES):
                    member.write(piece)
                packed = PackedFile(name, member.bytes, member.sha256)
        except (FileNotFoundError, BackupRefused):
            continue  # removed meanwhile together with its row, or not created by an upload
        progress("files", done, len(files))
        yield packed
