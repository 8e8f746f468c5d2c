"""Acknowledged messages survive a power cut at any instant.

The data folder is on a file system of its own. `LoopDisk.cut` stops it without writing unsynced data, including its
journal. Then the test mounts the file system again and starts the server on it. Tests with syncing switched off prove
that these tests find a server that acknowledges before it syncs.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.journeys.senders import SenderGroup, wait_until_true
from tests.journeys.server import ServerProcess
from tests.servers.disks import LoopDisk
from tests.servers.postgres import Postgres

pytestmark = pytest.mark.usefixtures("needs_mounts")

ROUNDS = 20
MAX_MESSAGES = 300
"""The most messages sent in a round before the power cut."""

_SQLITE_UNSYNCED = """
import sys
from fechatter.cli import main
from fechatter.storage.engines import sqlite
real = sqlite.connect
def connect(path):
    connection = real(path)
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
    """A server whose data folder is on the test disk."""

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

    async def flush(self) -> None:
        """Do nothing: SQLite has written to its files by now, synced or not."""

    def end(self) -> None:
        self.server.kill()


class PostgresCase:
    """A PostgreSQL whose data folder is on the test disk, and a server that outlives the power cut."""

    unsynced = ("-c", _POSTGRES_UNSYNCED)

    def __init__(self, folder: Path, disk: LoopDisk, program: tuple[str, ...]) -> None:
        self._disk = disk
        self._database = Postgres(disk.place / "data", wal_writer_delay="10s")
        self._database.start()
        url = self._database.create_database()
        # initdb runs without syncing here.
        disk.sync()
        self.server = ServerProcess(folder, url, program=program)
        self.server.start()

    def restore_power(self) -> None:
        self._database.kill()
        self._disk.unmount()
        self._disk.mount()
        self._database.start()

    async def flush(self) -> None:
        """Make PostgreSQL write everything that is still in memory."""
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
    """Start a case on a new disk, and remove both at the end."""
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


async def lost_messages(case: Case, disk: LoopDisk, sending: SenderGroup, rounds: int = 1) -> list[int]:
    """Cut the power while messages are sent. Returns the number of acknowledged messages that each cut lost.

    After a real power cut no response arrives. Here the kernel runs on, and an `fdatasync` in progress can report
    success although its data is lost. Each sender may therefore get one acknowledgement after the cut that is not kept.
    """
    luck, lost, excused = random.Random(), [], set[str]()
    for _ in range(rounds):
        sending.start()
        enough = len(sending.acknowledged) + luck.randint(1, MAX_MESSAGES)
        await wait_until_true(lambda enough=enough: len(sending.acknowledged) >= enough)  # type: ignore[misc]
        before, refused = set(sending.acknowledged), sending.refused
        disk.cut()
        await wait_until_true(lambda refused=refused: sending.refused > refused)  # type: ignore[misc]
        await sending.stop()
        await asyncio.to_thread(case.restore_power)
        stored = await sending.stored()
        missing = set(sending.acknowledged) - set(stored) - excused
        # A server that goes on to acknowledge messages after the cut gets no excuse.
        if len(missing - before) <= sending.size:
            excused |= missing - before
        lost.append(len(missing - excused))
        assert len(stored) == len(set(stored)), "a message is there twice"
    return lost


@cases
async def test_acknowledged_messages_survive_a_power_cut(kind: type[Case], case: Begin) -> None:
    begun, disk = await asyncio.to_thread(case, kind, SYNCED)
    assert await lost_messages(begun, disk, await SenderGroup.begin(begun.server)) == [0]


@pytest.mark.prove
@pytest.mark.timeout(900)
@cases
async def test_acknowledged_messages_survive_twenty_power_cuts(kind: type[Case], case: Begin) -> None:
    begun, disk = await asyncio.to_thread(case, kind, SYNCED)
    assert await lost_messages(begun, disk, await SenderGroup.begin(begun.server), ROUNDS) == [0] * ROUNDS


@pytest.mark.prove
@cases
async def test_a_server_that_acknowledges_before_it_syncs_loses_messages(kind: type[Case], case: Begin) -> None:
    begun, disk = await asyncio.to_thread(case, kind, kind.unsynced)
    sending = await SenderGroup.begin(begun.server)
    # Otherwise the account and the chat would be lost too.
    await begun.flush()
    disk.sync()
    [lost] = await lost_messages(begun, disk, sending)
    assert lost > 0
