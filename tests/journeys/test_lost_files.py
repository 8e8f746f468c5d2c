"""A database file is deleted, moved or replaced under a running server.

The server then acknowledges nothing more and rescues everything that it acknowledged.
"""

from __future__ import annotations

import asyncio
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.journeys.client import Client, owner
from tests.journeys.senders import SenderGroup, wait_until_true
from tests.journeys.server import ServerProcess

DATABASE = "fechatter.db"
TOO_SMALL_BYTES = 64 * 1024
"""A file limit that is enough for the server's output, but not for a copy of its database."""


@pytest.fixture
def lone_server(tmp_path: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path / "parent")
    (tmp_path / "parent").mkdir()
    server.start()
    try:
        yield server
    finally:
        server.kill()


def _delete(data: Path) -> None:
    (data / DATABASE).unlink()


def _delete_all(data: Path) -> None:
    for file in data.glob(f"{DATABASE}*"):
        file.unlink()


def _delete_log(data: Path) -> None:
    (data / f"{DATABASE}-wal").unlink()


def _delete_index_of_the_log(data: Path) -> None:
    (data / f"{DATABASE}-shm").unlink()


def _replace(data: Path) -> None:
    with closing(sqlite3.connect(data / "other")) as other:
        other.execute("CREATE TABLE other (x)")
    (data / "other").rename(data / DATABASE)


def _replace_by_an_open_one(data: Path) -> None:
    """Another database with its own log, which must survive the server's end."""
    with closing(sqlite3.connect(data / "other")) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("CREATE TABLE other (x)")
        shutil.copy(data / "other", data / "copy")
        shutil.copy(data / "other-wal", data / "copy-wal")
    (data / f"{DATABASE}-shm").unlink()
    (data / "copy-wal").rename(data / f"{DATABASE}-wal")
    (data / "copy").rename(data / DATABASE)


def _move_folder(data: Path) -> None:
    data.rename(data.with_name("moved"))


def _delete_folder(data: Path) -> None:
    shutil.rmtree(data)


def _replace_folder(data: Path) -> None:
    # The folder `run` contains a socket, which cannot be copied.
    shutil.copytree(data, data.with_name("copy"), ignore=shutil.ignore_patterns("run"))
    data.rename(data.with_name("moved"))
    data.with_name("copy").rename(data)


WAYS = [
    _delete,
    _delete_all,
    _delete_log,
    _delete_index_of_the_log,
    _replace,
    _replace_by_an_open_one,
    _move_folder,
    _delete_folder,
    _replace_folder,
]


async def _begin_sending(server: ServerProcess) -> tuple[Client, SenderGroup]:
    sending = await SenderGroup.begin(server)
    sending.start()
    await wait_until_true(lambda: len(sending.acknowledged) > 50)
    return sending.person, sending


def _rescued(folder: Path) -> list[Path]:
    return [path for path in folder.rglob(f"{DATABASE}.rescued-*") if not path.name.endswith(("-wal", "-shm"))]


def _contents(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [content for (content,) in connection.execute("SELECT content FROM messages")]


@pytest.mark.parametrize("lose", WAYS)
async def test_acknowledged_messages_are_rescued_and_nothing_more_is_acknowledged(
    lose: Callable[[Path], None], lone_server: ServerProcess, tmp_path: Path
) -> None:
    server = lone_server
    _, sending = await _begin_sending(server)
    lose(server.data_dir)
    code = await asyncio.to_thread(server.wait)
    await sending.stop()
    assert code == 1
    assert sending.refused > 0, "nobody was refused"
    [rescued] = _rescued(tmp_path)
    assert rescued.parent == server.data_dir
    assert rescued.stat().st_mode & 0o777 == 0o600
    assert set(sending.acknowledged) <= set(_contents(rescued)), "an acknowledged message is not in the rescued file"
    assert f"mv {rescued} {server.data_dir / DATABASE}" in server.output
    assert "Traceback" not in server.output
    if lose is _replace_by_an_open_one:
        assert (server.data_dir / f"{DATABASE}-wal").stat().st_size > 0, "the log of another database was deleted"


@pytest.mark.parametrize("command", [["users", "list"], ["doctor"], ["backup", "BACKUP"], ["export", "-"]])
async def test_a_command_beside_the_server_leaves_its_files_unchanged(
    command: list[str], lone_server: ServerProcess, tmp_path: Path
) -> None:
    server = lone_server
    _, sending = await _begin_sending(server)
    log = server.data_dir / f"{DATABASE}-wal"
    opened = log.stat().st_ino
    arguments = [str(tmp_path / "backup") if each == "BACKUP" else each for each in command]
    process = [sys.executable, "-m", "fechatter", *arguments]
    await asyncio.to_thread(subprocess.run, process, env=server.environment(), timeout=60, capture_output=True)
    acknowledged = len(sending.acknowledged)
    await wait_until_true(lambda: len(sending.acknowledged) > acknowledged + 20 or server.process.poll() is not None)
    await sending.stop()
    assert server.process.poll() is None, server.output
    assert log.stat().st_ino == opened
    assert sending.refused == 0


@pytest.mark.parametrize("statement", ["PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA wal_checkpoint(RESTART)", "VACUUM"])
async def test_files_that_another_program_shortens_through_sqlite_are_not_lost(
    statement: str, lone_server: ServerProcess
) -> None:
    server = lone_server
    _, sending = await _begin_sending(server)
    await asyncio.to_thread(_run_in_shell, server.data_dir / DATABASE, statement)
    acknowledged = len(sending.acknowledged)
    await wait_until_true(lambda: len(sending.acknowledged) > acknowledged + 20 or server.process.poll() is not None)
    await sending.stop()
    assert server.process.poll() is None, server.output
    assert sending.refused == 0
    assert set(sending.acknowledged) <= set(await sending.stored())


def _run_in_shell(database: Path, statement: str) -> None:
    """Run a statement as the command `sqlite3` does, until no lock of the server is in its way."""
    with closing(sqlite3.connect(database, timeout=60, isolation_level=None)) as connection:
        while any(busy for busy, *_ in connection.execute(statement).fetchall()):
            pass


async def test_no_server_starts_beside_a_rescued_database_until_it_is_moved_back(lone_server: ServerProcess) -> None:
    server = lone_server
    ada, sending = await _begin_sending(server)
    _delete_all(server.data_dir)
    await asyncio.to_thread(server.wait)
    await sending.stop()
    [rescued] = _rescued(server.data_dir)
    refusal = await asyncio.to_thread(server.expect_failed_start)
    assert f"mv {rescued} {server.data_dir / DATABASE}" in refusal
    assert not (server.data_dir / DATABASE).exists()
    await asyncio.to_thread(rescued.rename, server.data_dir / DATABASE)
    await asyncio.to_thread(server.start)
    stored = set(await sending.stored())
    assert set(sending.acknowledged) <= stored
    assert (await ada.send(sending.chat_id, "after"))["content"] == "after"


async def test_lost_files_are_detected_without_a_write_and_reported(lone_server: ServerProcess) -> None:
    server = lone_server
    ada = await owner(server, setup_token=server.setup_token)
    # No file may grow, so the rescue fails until the limit is lifted, as on a full disk.
    _limit_files(server, TOO_SMALL_BYTES)
    _delete_all(server.data_dir)
    health = await ada.ask("GET", "/health")
    while health.status == 200:
        await asyncio.sleep(0.05)
        health = await ada.ask("GET", "/health")
    assert health.json["status"] == "down"
    assert health.json["parts"]["database"]["detail"].endswith("was deleted or moved")
    await _check_writes_are_refused_and_reads_work(server, ada)
    _limit_files(server, resource.RLIM_INFINITY)
    assert await asyncio.to_thread(server.wait) == 1
    assert len(_rescued(server.data_dir)) == 1


async def _check_writes_are_refused_and_reads_work(server: ServerProcess, ada: Client) -> None:
    await asyncio.to_thread(server.wait_for_output, "could not be saved; the server will retry")
    for _ in range(3):
        refused = await ada.ask("PATCH", "/api/users/me", {"fullname": "Ada"})
        assert (refused.status, refused.json["code"]) == (503, "storage_unavailable")
        assert (await ada.get("/api/users/me"))["id"] == ada.id
    assert _rescued(server.data_dir) == []
    assert list(server.data_dir.glob(".*.part")) == []
    assert server.process.poll() is None


async def test_files_that_come_back_before_the_rescue_are_used_again(lone_server: ServerProcess) -> None:
    server = lone_server
    _, sending = await _begin_sending(server)
    await sending.stop()
    _limit_files(server, TOO_SMALL_BYTES)
    moved = server.data_dir.with_name("moved")
    server.data_dir.rename(moved)
    await asyncio.to_thread(server.wait_for_output, "could not be saved")
    await asyncio.to_thread(shutil.rmtree, server.data_dir)
    moved.rename(server.data_dir)
    _limit_files(server, resource.RLIM_INFINITY)
    await asyncio.to_thread(server.wait_for_output, "the database files are back")
    before = len(sending.acknowledged)
    sending.start()
    await wait_until_true(lambda: len(sending.acknowledged) > before + 20)
    await sending.stop()
    stored = await sending.stored()
    assert set(sending.acknowledged) <= set(stored)
    assert len(stored) == len(set(stored))


async def test_a_stop_while_the_files_are_lost_rescues_them_first(lone_server: ServerProcess) -> None:
    server = lone_server
    _, sending = await _begin_sending(server)
    await sending.stop()
    _limit_files(server, TOO_SMALL_BYTES)
    _delete_all(server.data_dir)
    await asyncio.to_thread(server.wait_for_output, "could not be saved")
    _limit_files(server, resource.RLIM_INFINITY)
    await asyncio.to_thread(server.stop)
    [rescued] = _rescued(server.data_dir)
    assert set(sending.acknowledged) <= set(_contents(rescued))


def _limit_files(server: ServerProcess, size_bytes: int) -> None:
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size_bytes, resource.RLIM_INFINITY))
