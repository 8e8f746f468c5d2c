"""A restored database equals the backed-up one, from each engine to each, and continues in a new life."""

from __future__ import annotations

import asyncio
import os
import stat
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from fechatter.backup import restoring
from fechatter.backup.archive import open_archive
from fechatter.backup.making import make
from fechatter.backup.restoring import restore
from fechatter.errors import StartError
from fechatter.messages import changes
from fechatter.settings import Settings
from fechatter.storage import copying, migrate, opening
from fechatter.storage.engines.base import Database
from tests import world
from tests.backup.conftest import FilledDatabase, no_progress, open_settings, upload
from tests.contracts.rows import Sending, store

Usage = namedtuple("Usage", "total used free")
NOT_COMPARED = {"server", "audit"}
"""These tables record the restore."""


async def _rows(settings: Settings) -> dict[str, list[bytes]]:
    """Return the sorted rows of every table as they are copied."""
    found: dict[str, list[bytes]] = {}
    async with opening.open_source(settings.database_address) as snapshot:
        for table in snapshot.tables:
            lines: list[bytes] = []
            await snapshot.copy(table, lines.append)
            text = b"".join(lines).replace(b", ", b",").lower()
            found[table.name] = sorted(text.splitlines())
    return found


async def _query(database: Database, sql: str) -> Any:
    row = await database.read(lambda tx: tx.fetchrow(sql))
    assert row is not None
    return row[0]


async def test_every_row_is_restored_on_either_engine(
    filled: FilledDatabase, elsewhere: Settings, tmp_path: Path
) -> None:
    sent = await filled.node.sent(filled.alice, filled.chat_id, "first")
    await world.do(filled.database, changes.edit, filled.alice, filled.chat_id, sent["id"], "second")
    sent = await filled.node.sent(filled.bob, filled.chat_id, "to be deleted")
    await world.do(filled.database, changes.delete, filled.bob, filled.chat_id, sent["id"])
    thread_id = await world.thread(filled.database, filled.chat_id)
    await store(filled.database, [Sending(filled.bob, filled.chat_id, f"reply {n}", thread_id=thread_id) for n in "12"])
    upload(filled.settings, "ab/photo", b"\x00\xff" * 1000)
    backup = tmp_path / "backup"

    manifest = await make(filled.settings, backup, no_progress)
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert [name for name in os.listdir(tmp_path) if "backup" in name] == ["backup"]
    assert manifest.counts()["messages"] == 8
    await restore(elsewhere, backup, "root", no_progress)

    before, after = await _rows(filled.settings), await _rows(elsewhere)
    assert before.keys() == after.keys()
    assert {name: rows for name, rows in before.items() if name not in NOT_COMPARED} == {
        name: rows for name, rows in after.items() if name not in NOT_COMPARED
    }
    assert (elsewhere.data_dir / "files" / "ab" / "photo").read_bytes() == b"\x00\xff" * 1000


async def test_a_restored_database_has_a_new_era_no_sessions_and_continues_its_numbers(
    filled: FilledDatabase, elsewhere: Settings, tmp_path: Path
) -> None:
    newest = (await filled.node.sent(filled.alice, filled.chat_id, "the last", "last"))["id"]
    await make(filled.settings, tmp_path / "backup", no_progress)
    await restore(elsewhere, tmp_path / "backup", "root", no_progress)
    database = await open_settings(elsewhere)
    try:
        assert database.era != filled.database.era
        assert await _query(database, "SELECT count(*) FROM sessions") == 0
        assert await _query(database, "SELECT action FROM audit ORDER BY id DESC LIMIT 1") == "workspace.restored"
        alice = await world.new_session(database, filled.alice)
        node = world.WriterNode(database)
        message = await node.sent(alice, filled.chat_id, "goes on")
        assert message["number"] == 6
        assert message["id"] > newest
        assert world.stored(await node.send(alice, filled.chat_id, "the last", "last"))[1]["id"] == newest
        await node.close()
    finally:
        await database.close()


async def test_restored_files_belong_to_the_owner_of_the_data_folder_even_if_root_restores(
    filled: FilledDatabase, elsewhere: Settings, tmp_path: Path
) -> None:
    upload(filled.settings, "ab/photo", b"photo")
    await make(filled.settings, tmp_path / "backup", no_progress)
    elsewhere.data_dir.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(elsewhere.data_dir, 12345, 12346)
    await restore(elsewhere, tmp_path / "backup", "root", no_progress)
    owner, restored = elsewhere.data_dir.stat(), [*elsewhere.data_dir.rglob("*")]
    assert {(path.stat().st_uid, path.stat().st_gid) for path in restored} == {(owner.st_uid, owner.st_gid)}
    assert {"lock", "photo"} <= {path.name for path in restored}


async def test_a_backup_of_a_busy_server_is_one_snapshot(filled: FilledDatabase, tmp_path: Path) -> None:
    sending = asyncio.Event()

    async def send_without_pause() -> None:
        while True:
            sending.set()
            await filled.node.sent(filled.alice, filled.chat_id, "busy")

    busy = asyncio.get_running_loop().create_task(send_without_pause())
    await sending.wait()
    manifests = [
        await asyncio.to_thread(asyncio.run, make(filled.settings, tmp_path / f"backup{n}", no_progress))
        for n in range(3)
    ]
    busy.cancel()
    other_events = {manifest.counts()["events"] - manifest.counts()["messages"] for manifest in manifests}
    assert len(other_events) == 1
    assert manifests[0].counts()["messages"] < manifests[2].counts()["messages"]


async def test_nothing_is_overwritten_by_a_restore(filled: FilledDatabase, elsewhere: Settings, tmp_path: Path) -> None:
    await make(filled.settings, tmp_path / "backup", no_progress)
    with pytest.raises(StartError, match="already exists"):
        await make(filled.settings, tmp_path / "backup", no_progress)
    with pytest.raises(StartError, match="A restore overwrites nothing"):
        await restore(filled.settings, tmp_path / "backup", "root", no_progress)
    upload(elsewhere, "mine", b"kept")
    with pytest.raises(StartError, match="contains files"):
        await restore(elsewhere, tmp_path / "backup", "root", no_progress)
    assert (elsewhere.data_dir / "files" / "mine").read_text() == "kept"


async def test_a_leftover_log_file_is_never_used_for_the_restored_database(
    filled: FilledDatabase, tmp_path: Path
) -> None:
    await make(filled.settings, tmp_path / "backup", no_progress)
    upload(Settings(data_dir=tmp_path), "../restored/fechatter.db-wal", b"of another file")
    with pytest.raises(StartError, match=r"fechatter\.db-wal already exists\. A restore overwrites nothing"):
        await restore(Settings(data_dir=tmp_path / "restored"), tmp_path / "backup", "root", no_progress)


async def test_an_interrupted_restore_leaves_nothing_and_can_be_repeated(
    filled: FilledDatabase, elsewhere: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make(filled.settings, tmp_path / "backup", no_progress)

    def fail(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(restoring, "record", fail)
        with pytest.raises(KeyboardInterrupt):
            await restore(elsewhere, tmp_path / "backup", "root", no_progress)
    assert os.listdir(elsewhere.data_dir) == ["lock"]
    manifest = await restore(elsewhere, tmp_path / "backup", "root", no_progress)
    assert manifest.counts()["messages"] == 4


async def test_no_server_starts_on_an_interrupted_restore(filled: FilledDatabase, tmp_path: Path) -> None:
    await make(filled.settings, tmp_path / "backup", no_progress)
    elsewhere = Settings(data_dir=tmp_path / "restored")
    elsewhere.data_dir.mkdir()
    (elsewhere.data_dir / "fechatter.db.restoring").write_bytes(b"half")
    with pytest.raises(StartError, match="interrupted"):
        await open_settings(elsewhere)
    await restore(elsewhere, tmp_path / "backup", "root", no_progress)
    await (await open_settings(elsewhere)).close()
    assert not (elsewhere.data_dir / "fechatter.db.restoring").exists()


async def test_a_backup_of_an_older_version_is_migrated_and_of_a_newer_one_refused(
    settings: Settings, elsewhere: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = migrate.available
    with monkeypatch.context() as older:
        older.setattr(migrate, "available", lambda engine: known(engine)[:1])
        await (await open_settings(settings)).close()
        await make(settings, tmp_path / "old", no_progress)
    with open_archive(tmp_path / "old") as archive:
        assert archive.manifest.migrations == ["0001"]
    await restore(elsewhere, tmp_path / "old", "root", no_progress)
    database = await open_settings(elsewhere)
    assert await _query(database, "SELECT count(*) FROM audit") == 0
    await database.close()
    await make(elsewhere, tmp_path / "new", no_progress)
    monkeypatch.setattr(migrate, "available", lambda engine: known(engine)[:1])
    with pytest.raises(StartError, match="newer than this program"):
        await restore(Settings(data_dir=tmp_path / "third"), tmp_path / "new", "root", no_progress)


async def test_both_engines_have_the_same_tables_and_all_are_copied(
    filled: FilledDatabase, elsewhere: Settings
) -> None:
    await (await open_settings(elsewhere)).close()
    assert (await _rows(elsewhere)).keys() == (await _rows(filled.settings)).keys()
    assert not copying.LEFT_OUT & (await _rows(elsewhere)).keys()


async def test_a_full_disk_is_detected_before_anything_is_written(
    filled: FilledDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage(10, 10, 0))
    with pytest.raises(StartError, match="free disk space first"):
        await make(filled.settings, tmp_path / "backup", no_progress)
    assert not (tmp_path / "backup").exists()
