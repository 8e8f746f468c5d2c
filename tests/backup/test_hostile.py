"""Files that are not backups, and backups that were changed: refused with a reason, and nothing is written."""

from __future__ import annotations

import asyncio
import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import orjson
import pytest

from fechatter.backup.archive import MARK, open_archive
from fechatter.backup.making import make
from fechatter.backup.manifest import BackupRefused
from fechatter.backup.restoring import restore
from fechatter.errors import StartError
from fechatter.settings import Settings
from tests.backup.conftest import no_progress, open_settings, upload

Members = dict[str, bytes]


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """A backup of a new server."""
    settings, path = Settings(data_dir=tmp_path / "data"), tmp_path / "backup"
    upload(settings, "photo", b"photo")
    asyncio.run(_make(settings, path))
    return path


async def _make(settings: Settings, path: Path) -> None:
    await (await open_settings(settings)).close()
    await make(settings, path, no_progress)


def _members(backup: Path) -> Members:
    with zipfile.ZipFile(backup) as opened_zip:
        return {name: opened_zip.read(name) for name in opened_zip.namelist()}


def _write(path: Path, members: Members, manifest: dict[str, object]) -> Path:
    """Write a consistent backup, whose checksum fits its manifest."""
    text = orjson.dumps(manifest)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in members.items():
            if name != "manifest.json":
                out.writestr(name, content)
        out.writestr("manifest.json", text)
        out.comment = MARK + hashlib.sha256(text).hexdigest().encode()
    return path


def _check_refused(path: Path, reason: str) -> None:
    data_dir = path.parent / "restored"
    settings = Settings(data_dir=data_dir)
    with pytest.raises(BackupRefused, match=reason):
        asyncio.run(restore(settings, path, "root", no_progress))
    assert _listing(data_dir) <= {"lock"}
    assert "evil" not in _listing(path.parent)


def _listing(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*")}


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x05\x06" + b"\0" * 18, b"SQLite format 3\0" * 100])
def test_a_file_that_is_not_a_backup_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other").write_bytes(content)
    _check_refused(tmp_path / "other", "is not a backup")


def test_a_truncated_backup_is_refused(backup: Path) -> None:
    whole = backup.read_bytes()
    for cut in (len(whole) // 3, len(whole) - 1):
        backup.write_bytes(whole[:cut])
        _check_refused(backup, "is not a backup|damaged")


def test_a_changed_byte_is_detected_or_has_no_effect(backup: Path) -> None:
    whole = backup.read_bytes()
    found = 0
    for place in range(0, len(whole), len(whole) // 300):
        backup.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            with open_archive(backup) as archive:
                archive.check(lambda read: None)
        except BackupRefused:
            found += 1
    assert found > 200


CHANGES: dict[str, tuple[str, Callable[[dict[str, object], Members], object]]] = {}


def _case(reason: str) -> Callable[[Callable[[dict[str, object], Members], object]], None]:
    def add(change: Callable[[dict[str, object], Members], object]) -> None:
        CHANGES[change.__name__] = (reason, change)

    return add


@_case("outside its folder")
def path_outside_the_folder(manifest, members):  # type: ignore[no-untyped-def]
    manifest["files"][0]["path"] = "../../evil"
    members["files/../../evil"] = members.pop("files/photo")


@_case("outside its folder")
def absolute_path(manifest, members):  # type: ignore[no-untyped-def]
    manifest["files"][0]["path"] = "/evil"
    members["files//evil"] = members.pop("files/photo")


@_case("does not contain the files")
def unlisted_member(manifest, members):  # type: ignore[no-untyped-def]
    members["secrets/jwt_secret"] = b"x" * 32


@_case("its size or checksum differs")
def wrong_checksum(manifest, members):  # type: ignore[no-untyped-def]
    members["files/photo"] = b"PHOTO"


@_case("its size or checksum differs|an impossible size")
def bomb_larger_than_stated(manifest, members):  # type: ignore[no-untyped-def]
    members["files/photo"] = b"\0" * 50_000_000


@_case("free disk space|an impossible size")
def bomb_of_its_stated_size(manifest, members):  # type: ignore[no-untyped-def]
    manifest["files"][0]["bytes"] = 1 << 50


@_case("out of range")
def negative_size(manifest, members):  # type: ignore[no-untyped-def]
    manifest["files"][0]["bytes"] = -1


@_case("format 2")
def newer_format(manifest, members):  # type: ignore[no-untyped-def]
    manifest["format"] = 2


@_case("newer than this program")
def newer_version(manifest, members):  # type: ignore[no-untyped-def]
    manifest["migrations"].append("9999")


@_case("migrations are missing")
def no_version(manifest, members):  # type: ignore[no-untyped-def]
    manifest["migrations"] = []


@_case("differ from those of its version")
def other_table(manifest, members):  # type: ignore[no-untyped-def]
    rows = next(rows for rows in manifest["tables"] if rows["table"]["name"] == "events")
    rows["table"]["name"] = "events; DROP TABLE users"
    members["tables/events; DROP TABLE users.jsonl"] = members.pop("tables/events.jsonl")


def _set_rows(manifest, members, table, lines):  # type: ignore[no-untyped-def]
    rows = next(rows for rows in manifest["tables"] if rows["table"]["name"] == table)
    members[f"tables/{table}.jsonl"] = lines
    rows.update(rows=lines.count(b"\n"), bytes=len(lines), sha256=hashlib.sha256(lines).hexdigest())


@_case("unreadable row")
def rows_that_are_not_json(manifest, members):  # type: ignore[no-untyped-def]
    _set_rows(manifest, members, "timelines", b"[1,2\n")


@_case("values instead of")
def rows_that_are_too_short(manifest, members):  # type: ignore[no-untyped-def]
    _set_rows(manifest, members, "timelines", b"[1]\n")


@_case("does not fit")
def values_of_another_type(manifest, members):  # type: ignore[no-untyped-def]
    _set_rows(manifest, members, "timelines", b'["a",0,{"b":1},2,3]\n')


@_case("does not fit")
def row_with_a_dangling_reference(manifest, members):  # type: ignore[no-untyped-def]
    _set_rows(manifest, members, "memberships", b'[1,1,1,null,0,"member",0,7,7]\n')


@_case("ends within a row")
def row_without_an_end(manifest, members):  # type: ignore[no-untyped-def]
    _set_rows(manifest, members, "timelines", b"[1,2,3]")


@_case("damaged")
def manifest_of_another_shape(manifest, members):  # type: ignore[no-untyped-def]
    manifest["tables"] = {"a": 1}


@pytest.mark.parametrize("case", CHANGES)
def test_a_changed_backup_is_refused(backup: Path, case: str) -> None:
    reason, change = CHANGES[case]
    members = _members(backup)
    manifest = msgspec.json.decode(members["manifest.json"])
    change(manifest, members)
    _check_refused(_write(backup.with_name("changed"), members, manifest), reason)


def test_a_manifest_with_a_wrong_checksum_is_refused(backup: Path) -> None:
    with zipfile.ZipFile(backup, "a") as changed:
        changed.comment = MARK + b"0" * 64
    _check_refused(backup, "its checksum differs")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("nowhere/backup", "No such file"), ("b" * 300, "File name too long"), ("lnk/b", "a part of the path is a file")],
)
def test_a_path_where_no_file_can_be_created_is_refused(backup: Path, tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "lnk").symlink_to(backup)
    with pytest.raises(StartError, match=rf"cannot be used \({reason}"):
        asyncio.run(_make(Settings(data_dir=backup.parent / "data"), tmp_path / name))
