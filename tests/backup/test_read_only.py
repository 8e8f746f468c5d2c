"""A data folder on a read-only mount is backed up completely, in every state in which a server may leave it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fechatter.backup.making import make
from fechatter.cli import checks_database
from fechatter.errors import StartError
from fechatter.settings import Settings
from fechatter.storage.engines import sqlite_open
from tests import world
from tests.backup.conftest import FilledDatabase, no_progress, open_settings
from tests.servers.disks import LoopDisk, fill_disk, read_only

pytestmark = pytest.mark.usefixtures("needs_mounts")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


async def _messages(folder: Path, backup: Path) -> int:
    """Back up the read-only folder and return the number of messages in the backup."""
    with read_only(folder, backup.with_suffix(".mount")) as place:
        mounted = Settings(data_dir=place)
        assert checks_database.integrity(mounted).state == "ok"
        assert checks_database.database_settings(mounted).good
        return (await make(mounted, backup, no_progress)).counts()["messages"]


async def _stopped(settings: Settings, folder: Path) -> Path:
    """Return a copy of the data folder as a stopped server leaves it."""
    shutil.copytree(settings.data_dir, folder)
    await (await open_settings(Settings(data_dir=folder))).close()
    assert not (folder / "fechatter.db-wal").exists()
    return folder


async def test_a_backup_of_a_running_server_includes_its_log(
    filled: FilledDatabase, settings: Settings, tmp_path: Path
) -> None:
    assert await _messages(settings.data_dir, tmp_path / "backup") == 4


async def test_a_backup_of_a_stopped_server(filled: FilledDatabase, settings: Settings, tmp_path: Path) -> None:
    assert await _messages(await _stopped(settings, tmp_path / "stopped"), tmp_path / "backup") == 4


@pytest.mark.parametrize("without", ["", "-shm"])
async def test_a_backup_of_a_killed_server_includes_its_log(
    without: str, filled: FilledDatabase, settings: Settings, tmp_path: Path
) -> None:
    shutil.copytree(settings.data_dir, tmp_path / "killed")
    if without:
        (tmp_path / "killed" / f"fechatter.db{without}").unlink()
    assert await _messages(tmp_path / "killed", tmp_path / "backup") == 4


async def test_missing_disk_space_for_a_copy_is_reported(
    filled: FilledDatabase,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copytree(settings.data_dir, tmp_path / "killed")
    (tmp_path / "killed" / "fechatter.db-shm").unlink()
    usage = shutil.disk_usage(tmp_path)
    with read_only(tmp_path / "killed", tmp_path / "mount") as place:
        monkeypatch.setattr(sqlite_open.shutil, "disk_usage", lambda path: usage._replace(free=1))
        with pytest.raises(StartError, match="set TMPDIR"):
            await make(Settings(data_dir=place), tmp_path / "backup", no_progress)


async def test_a_server_that_starts_during_the_backup_makes_it_fail(settings: Settings, tmp_path: Path) -> None:
    await (await open_settings(settings)).close()
    with read_only(settings.data_dir, tmp_path / "mount") as place:
        reading = sqlite_open.open_reader(place / "fechatter.db")
        reading.__enter__()
        database = await open_settings(settings)
        await world.people(database, "alice")
        with pytest.raises(StartError, match="changed while it was read"):
            reading.__exit__(None, None, None)
        await database.close()


async def test_a_stopped_server_on_a_full_disk_is_backed_up(
    filled: FilledDatabase, settings: Settings, tmp_path: Path
) -> None:
    stopped = await _stopped(settings, tmp_path / "stopped")
    disk = LoopDisk(tmp_path / "loop", size_bytes=16 * 1024 * 1024)
    try:
        shutil.copytree(stopped, disk.place / "data")
        fill_disk(disk.place)
        manifest = await make(Settings(data_dir=disk.place / "data"), tmp_path / "backup", no_progress)
        assert manifest.counts()["messages"] == 4
    finally:
        disk.remove()
