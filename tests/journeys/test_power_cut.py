"""What was acknowledged survives a power cut, at whatever instant it comes.

The data folder lies on a file system of its own. `LoopDisk.cut` stops it without writing what was not synced, its
journal included. After that the file system is mounted again and the server is started on it. Tests with syncing
switched off show that a server which acknowledges before it syncs would be found.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.journeys.senders import Sending, until
from tests.journeys.server import ServerProcess
from tests.servers.disks import LoopDisk
from tests.servers.postgres import Postgres

pytestmark = pytest.mark.usefixtures("needs_mounts")

ROUNDS = 20
MOST_MESSAGES = 300
"""Sent in a round before the power goes."""

_SQLITE_UNSYNCED = """
import sys
from fechatter.cli import main
from fechatter.storage.engines import sqlite
real = sqlite.connect
def connect(path, *, readonly=False):
    connection = real(path, readonly=readonly)
    connection.execute("PRAGMA synchronous=OFF")
    return connection
sqlite.connect = connect
sys.exit(main())
"""
_POSTGRES_UNSYNCED = """
import sys
from fechatter.cli import main
from fechatter.storage.engines import postgres_settings
for settings in vars(postgres_settings).values():
    if isinstance(settings, dict) and "synchronous_commit" in settings:
        settings["synchronous_commit"] = "off"
sys.exit(main())
"""
SYNCED = ("-m", "fechatter")


class SqliteCase:
    """A server whose data folder lies on the disk."""

    unsynced = ("-c", _SQLITE_UNSYNCED)

    def __init__(self, folder: Path, disk: LoopDisk, program: tuple[str, ...]) -> None:
        self._disk = disk
        self.server = ServerProcess(folder, program=program, data_dir=str(disk.place / "data"))
        self.server.start()

    def restore_power(self) -> None:
        self.server.kill()
        self._disk.unmount()
        self._disk.mount()
        self.server.start()

    async def settle(self) -> None:
        """SQLite has written to its files by now, synced or not."""

    def end(self) -> None:
        self.server.kill()


class PostgresCase:
    """A PostgreSQL whose data folder lies on the disk, and a server beside it that outlives the cut."""

    unsynced = ("-c", _POSTGRES_UNSYNCED)

    def __init__(self, folder: Path, disk: LoopDisk, program: tuple[str, ...]) -> None:
        self._disk = disk
        self._database = Postgres(disk.place / "data", wal_writer_delay="10s")
        self._database.start()
        url = self._database.create_database()
        # initdb syncs nothing here.
        disk.sync()
        self.server = ServerProcess(folder, url, program=program)
        self.server.start()

    def restore_power(self) -> None:
        self._database.kill()
        self._disk.unmount()
        self._disk.mount()
        self._database.start()

    async def settle(self) -> None:
        """Have PostgreSQL write what it still has in memory."""
        connection = await asyncpg.connect(self._database.url())
        await connection.execute("CHECKPOINT")
        await connection.close()

    def end(self) -> None:
        self.server.kill()
        self._database.remove()


Case = SqliteCase | PostgresCase
Begin = Callable[[type[Case], tuple[str, ...]], tuple[Case, LoopDisk]]
cases = pytest.mark.parametrize("kind", [SqliteCase, PostgresCase], ids=["sqlite", "postgres"])


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Begin]:
    """Starts a case on a new disk; both go at the end."""
    disk = LoopDisk()
    begun: list[Case] = []

    def begin(kind: type[Case], program: tuple[str, ...]) -> tuple[Case, LoopDisk]:
        begun.append(kind(tmp_path, disk, program))
        return begun[0], disk

    try:
        yield begin
    finally:
        for each in begun:
            each.end()
        disk.remove()


async def lost_by(case: Case, disk: LoopDisk, sending: Sending, rounds: int = 1) -> list[int]:
    """Cut the power in the middle of sending, several times; returns how many acknowledged messages each cut lost."""
    luck, lost = random.Random(), []
    for _ in range(rounds):
        sending.start()
        enough = len(sending.acknowledged) + luck.randint(1, MOST_MESSAGES)
        await until(lambda enough=enough: len(sending.acknowledged) >= enough)  # type: ignore[misc]
        refused = sending.refused
        disk.cut()
        await until(lambda refused=refused: sending.refused > refused)  # type: ignore[misc]
        await sending.stop()
        await asyncio.to_thread(case.restore_power)
        stored = await sending.stored()
        lost.append(len(set(sending.acknowledged) - set(stored)))
        assert len(stored) == len(set(stored)), "a message is there twice"
    return lost


@cases
async def test_what_was_acknowledged_survives_a_power_cut(kind: type[Case], case: Begin) -> None:
    begun, disk = await asyncio.to_thread(case, kind, SYNCED)
    assert await lost_by(begun, disk, await Sending.begin(begun.server)) == [0]


@pytest.mark.prove
@pytest.mark.timeout(900)
@cases
async def test_what_was_acknowledged_survives_twenty_power_cuts(kind: type[Case], case: Begin) -> None:
    begun, disk = await asyncio.to_thread(case, kind, SYNCED)
    assert await lost_by(begun, disk, await Sending.begin(begun.server), ROUNDS) == [0] * ROUNDS


@pytest.mark.prove
@cases
async def test_a_server_that_acknowledges_before_it_syncs_is_found(kind: type[Case], case: Begin) -> None:
    begun, disk = await asyncio.to_thread(case, kind, kind.unsynced)
    sending = await Sending.begin(begun.server)
    # Otherwise the account and the chat would be lost too.
    await begun.settle()
    disk.sync()
    [lost] = await lost_by(begun, disk, sending)
    assert lost > 0
