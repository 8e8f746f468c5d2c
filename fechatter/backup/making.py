"""Making a backup: one snapshot of the database, then the uploaded files, while the server goes on.

Files are written before the rows that name them, so all that the snapshot names are there; those added later are harmless. Secrets stay
out (`secrets/`: a restore ends all sessions, and the next start makes new ones), and so do sessions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from fechatter import __version__
from fechatter.backup.archive import PIECE_BYTES, Packer
from fechatter.backup.manifest import FORMAT, BackupRefused, Manifest, PackedFile, PackedRows, check_path
from fechatter.disk.drafts import check_new, check_space, draft
from fechatter.model import now_ms, timestamp
from fechatter.settings import Settings
from fechatter.storage import migrate, opening
from fechatter.storage.copying import CopySource, Table

SPACE_SHARE: Final = 2
"""Of the database's size: packed it is a third or less (benches/results)."""
Tell = Callable[[str, int, int], None]
"""Is told of progress: of what, how much is done, how much there is."""


async def make(settings: Settings, path: Path, tell: Tell) -> Manifest:
    """Write a backup to `path`. Raises StartError; nothing is left there then."""
    check_new(path)
    async with opening.open_source(settings.database_address) as source:
        created_at = timestamp(now_ms())
        migrate.pending(migrate.available(source.engine), dict(source.migrations))
        files = list(_files(settings.data_dir / "files"))
        _check_space(path, await source.size_bytes(), files)
        with draft(path) as out, Packer(out) as packer:
            tables = [await _pack_table(packer, source, table, tell) for table in source.tables]
            manifest = Manifest(
                format=FORMAT,
                program=__version__,
                engine=source.engine,
                epoch=await source.epoch(),
                migrations=sorted(source.migrations),
                last_id=await source.last_id(),
                created_at=created_at,
                tables=tables,
                files=list(_pack_files(packer, files, tell)),
            )
            packer.finish(manifest)
    return manifest


def _check_space(path: Path, database_bytes: int, files: list[tuple[str, Path]]) -> None:
    check_space(path.absolute().parent, database_bytes // SPACE_SHARE + sum(file.stat().st_size for _, file in files))


async def _pack_table(packer: Packer, source: CopySource, table: Table, tell: Tell) -> PackedRows:
    rows, total = 0, await source.count(table)
    name = f"tables/{table.name}.jsonl"
    with packer.member(name) as member:

        def take(lines: bytes) -> None:
            nonlocal rows
            member.write(lines)
            rows += lines.count(b"\n")
            tell(table.name, rows, total)

        await source.copy(table, take)
        return PackedRows(table, rows, member.bytes, member.sha256)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Regular files under the folder; links are not followed, and drafts (`.…`) are no files yet."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
            yield path.relative_to(folder).as_posix(), path


def _pack_files(packer: Packer, files: list[tuple[str, Path]], tell: Tell) -> Iterator[PackedFile]:
    for done, (name, path) in enumerate(files, 1):
        try:
            check_path(name)
            with path.open("rb") as file, packer.member(f"files/{name}") as member:
                while piece := file.read(PIECE_BYTES):
                    member.write(piece)
                packed = PackedFile(name, member.bytes, member.sha256)
        except (FileNotFoundError, BackupRefused):
            continue  # removed meanwhile, together with what named it; or nothing that an upload makes
        tell("files", done, len(files))
        yield packed
