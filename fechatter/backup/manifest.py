"""The manifest of a backup. It is read first, and everything else in the backup is checked against it."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

import msgspec

from fechatter.errors import StartError
from fechatter.storage.copying import Table

FORMAT: Final = 1
NAME: Final = "manifest.json"
FILES: Final = "files/"


class BackupRefused(StartError):
    """The file is not a backup, is damaged, or cannot be restored here by this program. Nothing was restored."""


class PackedRows(msgspec.Struct, frozen=True):
    """A table in the backup: the number of rows, and the size and SHA-256 of their lines."""

    table: Table
    rows: int
    bytes: int
    sha256: str

    @property
    def member(self) -> str:
        return f"tables/{self.table.name}.jsonl"


class PackedFile(msgspec.Struct, frozen=True):
    """An uploaded file in the backup. `path` is relative to `files/` of the data folder."""

    path: str
    bytes: int
    sha256: str

    @property
    def member(self) -> str:
        return FILES + self.path


class Manifest(msgspec.Struct, frozen=True):
    """The contents of a backup.

    Attributes:
        program: version of the program that made the backup.
        engine, epoch: engine and era of the source database.
        migrations: versions of the migrations applied to it.
        last_id: a number that is at least the highest id.
        created_at: time of the snapshot.
    """

    format: int
    program: str
    engine: str
    epoch: str
    migrations: list[str]
    last_id: int
    created_at: str
    tables: list[PackedRows]
    files: list[PackedFile]

    @property
    def members(self) -> list[PackedRows | PackedFile]:
        return [*self.tables, *self.files]

    @property
    def bytes(self) -> int:
        """The uncompressed size."""
        return sum(member.bytes for member in self.members)

    def counts(self) -> dict[str, int]:
        """Return the number of rows of each table."""
        return {each.table.name: each.rows for each in self.tables}


class _Format(msgspec.Struct):
    format: int


def decode(text: bytes) -> Manifest:
    """Decode a manifest and check it. Raises BackupRefused."""
    try:
        if (found := msgspec.json.decode(text, type=_Format).format) != FORMAT:
            needed = f"this program reads format {FORMAT}; restore it with a newer program"
            raise BackupRefused(f"The backup has format {found}, and {needed}.")
        manifest = msgspec.json.decode(text, type=Manifest)
    except msgspec.DecodeError as error:
        raise BackupRefused(f"The backup's manifest is damaged ({error}).") from error
    if any(member.bytes < 0 for member in manifest.members) or not 0 <= manifest.last_id < 1 << 53:
        raise BackupRefused("The backup's manifest is damaged (a number is out of range).")
    for file in manifest.files:
        check_path(file.path)
    return manifest


def check_path(path: str) -> None:
    """Check that the path names a file inside the folder. Raises BackupRefused."""
    parts = PurePosixPath(path).parts
    unsafe = not parts or path.startswith("/") or "/".join(parts) != path or ".." in parts or "\\" in path
    if unsafe or any(not character.isprintable() for character in path):
        raise BackupRefused(f"The backup names a file outside its folder ({path!r}).")
