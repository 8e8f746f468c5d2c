"""What a backup says of itself: the first thing read of it, and the measure of everything else in it."""

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
    """A file that is no backup, is damaged, or does not fit this program or place. Nothing was restored."""


class PackedRows(msgspec.Struct, frozen=True):
    """A table's rows in the backup: how many, and the size and SHA-256 of their lines."""

    table: Table
    rows: int
    bytes: int
    sha256: str

    @property
    def member(self) -> str:
        return f"tables/{self.table.name}.jsonl"


class PackedFile(msgspec.Struct, frozen=True):
    """A file of the data folder's `files/`; `path` is relative to it."""

    path: str
    bytes: int
    sha256: str

    @property
    def member(self) -> str:
        return FILES + self.path


class Manifest(msgspec.Struct, frozen=True):
    """Attributes:
    program: version of the program that wrote it.
    engine, epoch: of the database it was made from.
    migrations: the versions that were applied to it.
    last_id: no id in it is above.
    created_at: when its snapshot was taken.
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
        """How much it holds, unpacked."""
        return sum(member.bytes for member in self.members)

    def counts(self) -> dict[str, int]:
        return {each.table.name: each.rows for each in self.tables}


class _Format(msgspec.Struct):
    format: int


def decode(text: bytes) -> Manifest:
    """Raises BackupRefused."""
    try:
        if (found := msgspec.json.decode(text, type=_Format).format) != FORMAT:
            raise BackupRefused(f"The backup is of format {found}, and this program reads format {FORMAT}; restore it with the newer one.")
        manifest = msgspec.json.decode(text, type=Manifest)
    except msgspec.DecodeError as error:
        raise BackupRefused(f"The backup's manifest is damaged ({error}).") from error
    if any(member.bytes < 0 for member in manifest.members) or not 0 <= manifest.last_id < 1 << 53:
        raise BackupRefused("The backup's manifest is damaged (a number is out of its range).")
    for file in manifest.files:
        check_path(file.path)
    return manifest


def check_path(path: str) -> None:
    """Raises BackupRefused: this is not the path of a file within the folder."""
    parts = PurePosixPath(path).parts
    unsafe = not parts or path.startswith("/") or "/".join(parts) != path or ".." in parts or "\\" in path
    if unsafe or any(not character.isprintable() for character in path):
        raise BackupRefused(f"The backup names a file that may lead elsewhere ({path!r}).")
