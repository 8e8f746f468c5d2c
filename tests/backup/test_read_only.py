"""A data folder on a read-only mount is backed up whole, in each state that a server may leave it in."""

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
from tests.backup.conftest import Filled, opened, silent
from tests.servers.disks import LoopDisk, fill, read_only

pytestmark = pytest.mark.usefixtures("needs_mounts")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


async def _messages(folder: Path, backup: Path) -> int:
    """How many messages a backup of the folder contains, while it cannot be written."""
    with read_only(folder, backup.with_suffix(".mount")) as place:
        mounted = Settings(data_dir=place)
        assert checks_database.integrity(mounted).state == "ok"
        assert checks_database.database_settings(mounted).good
        return (await make(mounted, backup, silent)).counts()["messages"]


async def _stopped(settings: Settings, folder: Path) -> Path:
    """A copy of the data folder as a server leaves it when it stops."""
    shutil.copytree(settings.data_dir, folder)
    await (await opened(Settings(data_dir=folder))).close()
    assert not (folder / "fechatter.db-wal").exists()
    return folder


async def test_a_backup_of_a_running_server_sees_its_log(filled: Filled, settings: Settings, tmp_path: Path) -> None:
    assert await _messages(settings.data_dir, tmp_path / "backup") == 4


async def test_a_backup_of_a_stopped_server(filled: Filled, settings: Settings, tmp_path: Path) -> None:
    assert await _messages(await _stopped(settings, tmp_path / "stopped"), tmp_path / "backup") == 4


@pytest.mark.parametrize("without", ["", "-shm"])
async def test_a_backup_of_a_killed_server_sees_what_is_only_in_its_log(
    without: str, filled: Filled, settings: Settings, tmp_path: Path
) -> None:
    shutil.copytree(settings.data_dir, tmp_path / "killed")
    if without:
        (tmp_path / "killed" / f"fechatter.db{without}").unlink()
    assert await _messages(tmp_path / "killed", tmp_path / "backup") == 4


async def test_a_copy_that_has_no_room_is_told(
    filled: Filled,
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
            await make(Settings(data_dir=place), tmp_path / "backup", silent)


async def test_a_server_that_starts_meanwhile_spoils_the_reading(settings: Settings, tmp_path: Path) -> None:
    await (await opened(settings)).close()
    with read_only(settings.data_dir, tmp_path / "mount") as place:
        reading = sqlite_open.open_reader(place / "fechatter.db")
        reading.__enter__()
        database = await opened(settings)
        await world.people(database, "alice")
        with pytest.raises(StartError, match="changed while it was read"):
            reading.__exit__(None, None, None)
        await database.close()


async def test_a_stopped_server_on_a_full_disk_is_backed_up(filled: Filled, settings: Settings, tmp_path: Path) -> None:
    stopped = await _stopped(settings, tmp_path / "stopped")
    disk = LoopDisk(tmp_path / "loop", size_bytes=16 * 1024 * 1024)
    try:
        shutil.copytree(stopped, disk.place / "data")
        fill(disk.place)
        manifest = await make(Settings(data_dir=disk.place / "data"), tmp_path / "backup", silent)
        assert manifest.counts()["messages"] == 4
    finally:
        disk.remove()
