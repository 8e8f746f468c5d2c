"""The backup file: a zip with one member per table and per uploaded file, and the manifest.

The zip's comment is the SHA-256 of the manifest. The reader does not trust the zip's directory: members, sizes and
checksums must equal those of the manifest, and members are read in pieces.
"""

from __future__ import annotations

import hashlib
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from fechatter.backup.manifest import NAME, BackupRefused, Manifest, PackedFile, PackedRows, decode

MARK: Final = b"fechatter backup "
LEVEL: Final = 1
"""The compression level. Level 6 takes over four times as long, and its files are a sixth smaller."""
PIECE_BYTES: Final = 1 << 20
LONGEST_LINE_BYTES: Final = 16 << 20
LONGEST_MANIFEST_BYTES: Final = 64 << 20
MAX_EXPANSION: Final = 1100
"""Deflate compresses by a factor of at most 1,032. A member that declares more than this is refused."""
_ZIP_ERRORS: Final = (zipfile.BadZipFile, zlib.error, struct.error)
_DAMAGE: Final = (*_ZIP_ERRORS, OSError, EOFError, NotImplementedError, RuntimeError, ValueError)


class Packer:
    """Writes the members of a backup, one after the other."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL)

    def __enter__(self) -> Packer:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    @contextmanager
    def member(self, name: str) -> Iterator[MemberWriter]:
        """Open a member for writing."""
        with self._zip.open(name, "w", force_zip64=True) as out:
            yield MemberWriter(out)

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest last, so that an incomplete file has none."""
        text = msgspec.json.encode(manifest)
        self._zip.writestr(NAME, text)
        self._zip.comment = MARK + hashlib.sha256(text).hexdigest().encode()


class MemberWriter:
    """Writes one member; counts its bytes and computes its checksum."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self._sum = hashlib.sha256()
        self.bytes = 0

    def write(self, piece: bytes) -> None:
        self._out.write(piece)
        self._sum.update(piece)
        self.bytes += len(piece)

    @property
    def sha256(self) -> str:
        return self._sum.hexdigest()


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open a backup. Raises BackupRefused: the file is not a backup, or its directory or manifest is damaged."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise BackupRefused(f"{path} cannot be read ({error.strerror}).") from error
    with file:
        try:
            opened = zipfile.ZipFile(file)
        except _DAMAGE as error:
            raise BackupRefused(f"{path} is not a backup of Fechatter, or it is incomplete ({error}).") from error
        if not opened.comment.startswith(MARK):
            raise BackupRefused(f"{path} is not a backup of Fechatter, or it is incomplete.")
        yield Archive(opened)


class Archive:
    """An open backup. Every method raises BackupRefused if the file does not match its manifest."""

    def __init__(self, opened: zipfile.ZipFile) -> None:
        self._zip = opened
        self.manifest = self._read_manifest()
        self._check_members()

    def _read_manifest(self) -> Manifest:
        with _damage(NAME):
            info = self._zip.getinfo(NAME)
            if info.file_size > LONGEST_MANIFEST_BYTES:
                raise BackupRefused("The backup's manifest is too large.")
            with self._zip.open(info) as member:
                text = member.read(LONGEST_MANIFEST_BYTES)
        if MARK + hashlib.sha256(text).hexdigest().encode() != self._zip.comment:
            raise BackupRefused("The backup's manifest is damaged (its checksum differs).")
        return decode(text)

    def _check_members(self) -> None:
        held = [info.filename for info in self._zip.infolist()]
        named = [NAME, *(member.member for member in self.manifest.members)]
        if sorted(held) != sorted(named) or len(set(held)) != len(held):
            raise BackupRefused("The backup does not contain the files that its manifest lists.")
        for member in self.manifest.members:
            packed = self._zip.getinfo(member.member).compress_size
            if member.bytes > MAX_EXPANSION * (packed + 64):
                raise BackupRefused(f"The backup's {member.member} declares an impossible size.")

    def pieces(self, member: PackedRows | PackedFile) -> Iterator[bytes]:
        """Yield the member's bytes, and check its size and checksum at the end."""
        left, digest = member.bytes, hashlib.sha256()
        with _damage(member.member), self._zip.open(member.member) as opened:
            while piece := opened.read(PIECE_BYTES):
                left -= len(piece)
                if left < 0:
                    break
                digest.update(piece)
                yield piece
        if left != 0 or digest.hexdigest() != member.sha256:
            raise BackupRefused(f"The backup's {member.member} is damaged (its size or checksum differs).")

    def rows(self, rows: PackedRows) -> Iterator[tuple[object, ...]]:
        """Yield a table's rows, with their values in the order of its columns."""
        width = len(rows.table.columns)
        hexadecimal = [place for place, column in enumerate(rows.table.columns) if column.kind == "bytes"]
        for line in self._lines(rows):
            try:
                values = msgspec.json.decode(line, type=list[Any])
                for place in hexadecimal:
                    values[place] = _bytes(values[place])
            except (msgspec.DecodeError, ValueError, TypeError, IndexError) as error:
                raise BackupRefused(f"The backup's {rows.member} contains an unreadable row ({error}).") from error
            if len(values) != width:
                found = f"a row of {len(values)} values instead of {width}"
                raise BackupRefused(f"The backup's {rows.member} contains {found}.")
            yield tuple(values)

    def _lines(self, rows: PackedRows) -> Iterator[bytes]:
        rest = b""
        for piece in self.pieces(rows):
            *lines, rest = (rest + piece).split(b"\n")
            if len(rest) > LONGEST_LINE_BYTES:
                raise BackupRefused(f"The backup's {rows.member} contains a row that is too long.")
            yield from lines
        if rest:
            raise BackupRefused(f"The backup's {rows.member} ends within a row.")

    def check(self, progress: Callable[[int], None]) -> None:
        """Read everything once; `progress` receives the number of bytes that were read."""
        read = 0
        for member in self.manifest.members:
            for piece in self.pieces(member):
                read += len(piece)
                progress(read)


def _bytes(value: object) -> bytes | None:
    if value is not None and not isinstance(value, str):
        raise ValueError("bytes must be a text of hexadecimal digits")
    return None if value is None else bytes.fromhex(value)


@contextmanager
def _damage(name: str) -> Iterator[None]:
    try:
        yield
    except BackupRefused:
        raise
    except KeyError as error:
        raise BackupRefused(f"The backup has no {name}.") from error
    except _DAMAGE as error:
        raise BackupRefused(f"The backup's {name} is damaged ({error}).") from error
