"""The database goes back in time: clients that saw lost events get `reset`, and nobody misses later messages."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.client import Client, owner
from tests.journeys.restorable import RestorablePostgres
from tests.journeys.server import ServerProcess
from tests.journeys.stream import Event, Stream
from tests.servers.process import running

KEPT, LOST, NEW = 8, 6, 10
"""Messages before the moment of the copy, after it, and after the database went back. NEW exceeds LOST."""

RETRY_SECONDS = 0.1


@pytest.fixture
def postgres() -> Iterator[RestorablePostgres]:
    with running(RestorablePostgres()) as server:
        yield server


@pytest.fixture
def on_postgres(postgres: RestorablePostgres, tmp_path: Path) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path, postgres.create_database(), heartbeat_seconds="1", signup="open") as server:
        yield server


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path, heartbeat_seconds="1", signup="open") as server:
        yield server


class Observer:
    """A person in a chat, with an open stream that receives everything.

    Attributes:
        cursor: the position of an offline client, after the messages that will be lost.
    """

    def __init__(self, who: Client, chat: int, stream: Stream) -> None:
        self.who = who
        self.chat = chat
        self.stream = stream
        self.cursor = ""

    @classmethod
    async def begin(cls, server: ServerProcess) -> Observer:
        who = await owner(server)
        chat = (await who.chat("private_channel"))["id"]
        observer = cls(who, chat, await who.listen())
        await observer.send("kept", KEPT)
        return observer

    async def send(self, text: str, count: int) -> list[str]:
        """Send messages one after another, each until it is acknowledged."""
        contents = [f"{text} {number}" for number in range(count)]
        for content in contents:
            await self.send_until_acknowledged(content)
        return contents

    async def send_until_acknowledged(self, content: str) -> None:
        body = {"content": content, "idempotency_key": content}
        while True:
            answer = await self.who.ask("POST", f"/api/chat/{self.chat}/messages", body)
            if answer.status in (200, 201):
                return
            await asyncio.sleep(RETRY_SECONDS)

    def reconnect(self) -> None:
        """Use new connections. The server closes idle ones, and nobody reads them while a database is copied."""
        self.who = Client(self.who.server, self.who.session)

    async def lose(self) -> None:
        """Send messages that will be lost. The open stream receives them."""
        self.reconnect()
        await self.send("lost", LOST)
        while not has_content(await self.stream.next(), f"lost {LOST - 1}"):
            pass
        assert self.stream.cursor is not None
        self.cursor = self.stream.cursor

    async def restart(self, *, between: Callable[[], object] = lambda: None) -> None:
        """Stop and start the server."""
        server = self.who.server
        server.stop()
        between()
        server.start()
        self.reconnect()

    async def check_recovery(self, *, stays_open: bool) -> None:
        """After the database went back: every client finds the messages that are acknowledged from now on."""
        self.reconnect()
        new = await self.send("new", NEW)
        if stays_open:
            await self.check_reset(self.stream, new)
        else:
            self.stream.close()
            await self.check_reset(await self.who.listen(self.cursor), new)
        await self.check_offline_client(new)
        await self.check_polling()
        await self.check_current_cursor()

    async def check_reset(self, stream: Stream, new: list[str]) -> None:
        """Check that the stream sends `reset` and then the new messages, or closes and does so after a reconnect."""
        try:
            while (event := await stream.next()).name not in ("reset", "closing"):
                assert not has_content(event, new[0])
        except ConnectionError:
            event = Event(None, "closing", {})
        if event.name == "closing":
            stream = await self.who.listen(stream.cursor)
            assert (await stream.until("reset"))[-1].data["reason"] in ("epoch", "ahead")
        loaded = [message["content"] for message in await self.who.history(self.chat)]
        assert [content for content in loaded if content.startswith(("lost", "new"))] == new
        await self.send("after reset", 1)
        await self.check_heartbeat(await self.follow(stream, lambda event: has_content(event, "after reset 0")))

    async def follow(self, stream: Stream, is_wanted: Callable[[Event], bool]) -> Stream:
        """Read up to a block. Like every client, connect again if the server ends the stream."""
        while True:
            try:
                while not is_wanted(await stream.block()):
                    pass
            except ConnectionError:
                stream = await self.who.listen(stream.cursor)
            else:
                return stream

    async def check_heartbeat(self, stream: Stream) -> None:
        """Check that a heartbeat carries the head and no position beyond it."""
        here = await self.who.cursor()
        stream = await self.follow(stream, lambda event: event.name is None)
        assert stream.cursor == here

    async def check_offline_client(self, new: list[str]) -> None:
        """Check that an offline client gets `reset`, although the log has reached its number again."""
        stream = await self.who.listen(self.cursor)
        assert (await stream.until("reset"))[-1].data["reason"] == "epoch"
        stream.close()

    async def check_polling(self) -> None:
        answer = await self.who.ask("GET", f"/api/events?after={self.cursor}")
        assert (answer.status, answer.code, answer.json["reason"]) == (410, "reset", "epoch")
        # A position of another life neither blocks nor fails a request that only states what its client has seen.
        assert (await self.who.ask("GET", "/api/sync", headers={"event-cursor": self.cursor})).status == 200

    async def check_current_cursor(self) -> None:
        """Check that a current cursor resumes without `reset`."""
        here = await self.who.cursor()
        await self.send("last", 2)
        stream = await self.who.listen(here)
        found = await stream.until("resumed")
        assert [content_of(event) for event in found if event.name == "message.created"] == ["last 0", "last 1"]
        stream.close()


def content_of(event: Event) -> Any:
    return ((event.data or {}).get("data") or {}).get("message", {}).get("content")


def has_content(event: Event, content: str) -> bool:
    return bool(event.name == "message.created" and content_of(event) == content)


async def test_a_lagging_standby_is_promoted_under_the_running_server(
    on_postgres: ServerProcess, postgres: RestorablePostgres
) -> None:
    observer = await Observer.begin(on_postgres)
    copy = postgres.copy()
    await observer.lose()
    postgres.fail_over(copy)
    await observer.check_recovery(stays_open=True)


async def test_data_files_of_postgresql_are_rolled_back_under_the_running_server(
    on_postgres: ServerProcess, postgres: RestorablePostgres
) -> None:
    observer = await Observer.begin(on_postgres)
    copy = postgres.copy()
    await observer.lose()
    postgres.roll_back(copy)
    await observer.check_recovery(stays_open=True)


@pytest.mark.parametrize("running", [True, False])
async def test_a_dump_is_restored_into_the_same_cluster(
    on_postgres: ServerProcess, postgres: RestorablePostgres, running: bool
) -> None:
    observer = await Observer.begin(on_postgres)
    dump = postgres.dump(on_postgres.database_url or "")
    await observer.lose()
    if running:
        postgres.restore(on_postgres.database_url or "", dump)
    else:
        await observer.restart(between=lambda: postgres.restore(on_postgres.database_url or "", dump))
    await observer.check_recovery(stays_open=running)


def database_files(server: ServerProcess) -> list[Path]:
    return sorted(server.data_dir.glob("fechatter.db*"))


def copy_files(server: ServerProcess, to: Path) -> None:
    """Copy the database's files while the server is paused."""
    to.mkdir()
    server.process.send_signal(signal.SIGSTOP)
    for path in database_files(server):
        shutil.copyfile(path, to / path.name)
    server.process.send_signal(signal.SIGCONT)


def restore_files(server: ServerProcess, copies: Path) -> None:
    """Write the copied contents into the same files while the server is paused."""
    server.process.send_signal(signal.SIGSTOP)
    for path in database_files(server):
        shutil.copyfile(copies / path.name, path)
    server.process.send_signal(signal.SIGCONT)


async def test_sqlite_files_are_rolled_back_under_the_running_server(on_sqlite: ServerProcess, tmp_path: Path) -> None:
    observer = await Observer.begin(on_sqlite)
    copy_files(on_sqlite, tmp_path / "copies")
    await observer.lose()
    restore_files(on_sqlite, tmp_path / "copies")
    await observer.check_recovery(stays_open=True)


async def test_an_older_copy_of_the_data_folder_is_restored(on_sqlite: ServerProcess, tmp_path: Path) -> None:
    observer = await Observer.begin(on_sqlite)
    await observer.restart(between=lambda: shutil.copytree(on_sqlite.data_dir, tmp_path / "an hour ago"))
    observer.stream = await observer.who.listen(await observer.who.cursor())
    await observer.lose()

    def restore_the_folder() -> None:
        shutil.rmtree(on_sqlite.data_dir)
        (tmp_path / "an hour ago").rename(on_sqlite.data_dir)

    await observer.restart(between=restore_the_folder)
    await observer.check_recovery(stays_open=False)


async def test_a_cursor_of_a_kept_event_resumes_after_restarts(on_sqlite: ServerProcess) -> None:
    observer = await Observer.begin(on_sqlite)
    here = await observer.who.cursor()
    await observer.send("missed", 2)
    for _ in range(2):
        await observer.restart()
        await observer.send("after a start", 1)
    stream = await observer.who.listen(here)
    found = await stream.until("resumed")
    assert [content_of(event) for event in found if event.name == "message.created"][:2] == ["missed 0", "missed 1"]
    assert len({event.id.rpartition(".")[0] for event in found if event.name == "message.created" and event.id}) == 2
