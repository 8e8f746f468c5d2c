"""The database goes back in time: whoever saw what was lost gets `reset`, and nobody misses what is acknowledged afterwards."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.client import Client, owner
from tests.journeys.server import ServerProcess
from tests.journeys.stream import Event, Stream
from tests.servers.postgres import Postgres

KEPT, LOST, NEW = 8, 6, 10
"""Messages before the moment to which the database goes back, after it, and after it went back: more than were lost."""

RETRY_SECONDS = 0.1


class Standby(Postgres):
    """A server that can go on as an older copy of itself, on the same port."""

    def _is_ready(self) -> bool:
        lines = (self.data / "postmaster.pid").read_text().splitlines() if (self.data / "postmaster.pid").exists() else []
        return self._process is not None and lines[:1] == [str(self._process.pid)] and lines[7:] in (["ready   "], ["standby "])

    def copy(self) -> Path:
        """The cluster as it is, streamed from the running server."""
        self._run("pg_basebackup", "--dbname", self.url(), "-D", str(self.folder / "copy"), "-c", "fast")
        return self.folder / "copy"

    def put(self, copy: Path) -> None:
        """The stopped server's data become the copy's."""
        shutil.rmtree(self.data)
        copy.rename(self.data)

    def fail_over(self, copy: Path) -> None:
        """The server dies, and the copy, a standby that lagged, is promoted in its place."""
        self.kill()
        self.put(copy)
        (self.data / "standby.signal").touch()
        if self._as_user:
            shutil.chown(self.data / "standby.signal", self._as_user["user"])
        self.start()
        self._run("pg_ctl", "promote", "-D", str(self.data))

    def roll_back(self, copy: Path) -> None:
        self.stop()
        self.put(copy)
        self.start()

    def dump(self, url: str) -> Path:
        path = self.folder / "dump"
        self._run("pg_dump", "--dbname", url, "--file", str(path))
        return path

    def restore(self, url: str, dump: Path) -> None:
        name = url.rpartition("/")[2]
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "fechatter"]
        self._run("dropdb", "--force", *where, name)
        self._run("createdb", *where, name)
        self._run("psql", "--quiet", "--single-transaction", "--dbname", url, "--file", str(dump))


@pytest.fixture
def postgres() -> Iterator[Standby]:
    server = Standby()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def on_postgres(postgres: Standby, tmp_path: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path, postgres.create_database(), heartbeat_seconds="1", signup="open")
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path, heartbeat_seconds="1", signup="open")
    try:
        server.start()
        yield server
    finally:
        server.kill()


class Story:
    """Somebody in a chat, with an open stream that saw everything.

    Attributes:
        cursor: where a client that is away stopped, after the messages that will be lost.
    """

    def __init__(self, who: Client, chat: int, stream: Stream) -> None:
        self.who = who
        self.chat = chat
        self.stream = stream
        self.cursor = ""

    @classmethod
    async def begin(cls, server: ServerProcess) -> Story:
        who = await owner(server)
        chat = (await who.chat("private_channel"))["id"]
        story = cls(who, chat, await who.listen())
        await story.send("kept", KEPT)
        return story

    async def send(self, text: str, count: int) -> list[str]:
        """Send one after the other, each until it is acknowledged."""
        contents = [f"{text} {number}" for number in range(count)]
        for content in contents:
            await self.acknowledged(content)
        return contents

    async def acknowledged(self, content: str) -> None:
        body = {"content": content, "idempotency_key": content}
        while True:
            answer = await self.who.ask("POST", f"/api/chat/{self.chat}/messages", body)
            if answer.status in (200, 201):
                return
            await asyncio.sleep(RETRY_SECONDS)

    def connect_anew(self) -> None:
        """The server closes connections that were idle for long, and nothing reads them while a database is copied."""
        self.who = Client(self.who.server, self.who.session)

    async def lose(self) -> None:
        """What comes now will be lost; the open stream sees it."""
        self.connect_anew()
        await self.send("lost", LOST)
        while not has_content(await self.stream.next(), f"lost {LOST - 1}"):
            pass
        assert self.stream.cursor is not None
        self.cursor = self.stream.cursor

    async def start_again(self, *, between: Callable[[], object] = lambda: None) -> None:
        """The server stops and starts."""
        server = self.who.server
        server.stop()
        between()
        server.start()
        self.connect_anew()

    async def went_back(self, *, stays_open: bool) -> None:
        """The database went back: everybody finds what is acknowledged from now on."""
        self.connect_anew()
        new = await self.send("new", NEW)
        if stays_open:
            await self.shows(self.stream, new)
        else:
            self.stream.close()
            await self.shows(await self.who.listen(self.cursor), new)
        await self.resumes(new)
        await self.polls()
        await self.goes_on()

    async def shows(self, stream: Stream, new: list[str]) -> None:
        """The stream sends `reset`, after which a client loads everything, and then what is new; or it closes, and comes back."""
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
        while not has_content(await stream.next(), "after reset 0"):
            pass
        await self.is_honest(stream)

    async def is_honest(self, stream: Stream) -> None:
        """A heartbeat names the head, and no place beyond."""
        here = await self.who.cursor()
        while (await stream.block()).name is not None:
            pass
        assert stream.cursor == here

    async def resumes(self, new: list[str]) -> None:
        """A client that was away, and whose number the log has passed again."""
        stream = await self.who.listen(self.cursor)
        assert (await stream.until("reset"))[-1].data["reason"] == "epoch"
        stream.close()

    async def polls(self) -> None:
        answer = await self.who.ask("GET", f"/api/events?after={self.cursor}")
        assert (answer.status, answer.code, answer.json["reason"]) == (410, "reset", "epoch")
        # The position of another life does not hang or fail a request that only says what its client has seen.
        assert (await self.who.ask("GET", "/api/sync", headers={"event-cursor": self.cursor})).status == 200

    async def goes_on(self) -> None:
        """A cursor of now is good, over a restart too."""
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


async def test_a_lagging_standby_is_promoted_under_the_running_server(on_postgres: ServerProcess, postgres: Standby) -> None:
    story = await Story.begin(on_postgres)
    copy = postgres.copy()
    await story.lose()
    postgres.fail_over(copy)
    await story.went_back(stays_open=True)


async def test_data_files_of_postgresql_are_rolled_back_under_the_running_server(on_postgres: ServerProcess, postgres: Standby) -> None:
    story = await Story.begin(on_postgres)
    copy = postgres.copy()
    await story.lose()
    postgres.roll_back(copy)
    await story.went_back(stays_open=True)


@pytest.mark.parametrize("running", [True, False])
async def test_a_dump_is_restored_in_the_same_cluster(on_postgres: ServerProcess, postgres: Standby, running: bool) -> None:
    story = await Story.begin(on_postgres)
    dump = postgres.dump(on_postgres.database_url or "")
    await story.lose()
    if running:
        postgres.restore(on_postgres.database_url or "", dump)
    else:
        await story.start_again(between=lambda: postgres.restore(on_postgres.database_url or "", dump))
    await story.went_back(stays_open=running)


def files_of(server: ServerProcess) -> list[Path]:
    return sorted(server.data_dir.glob("fechatter.db*"))


def copy_files(server: ServerProcess, to: Path) -> None:
    """The database's files at one moment."""
    to.mkdir()
    server.process.send_signal(signal.SIGSTOP)
    for path in files_of(server):
        shutil.copyfile(path, to / path.name)
    server.process.send_signal(signal.SIGCONT)


def put_back(server: ServerProcess, copies: Path) -> None:
    """The same files, with what they held then."""
    server.process.send_signal(signal.SIGSTOP)
    for path in files_of(server):
        shutil.copyfile(copies / path.name, path)
    server.process.send_signal(signal.SIGCONT)


async def test_files_of_sqlite_are_rolled_back_under_the_running_server(on_sqlite: ServerProcess, tmp_path: Path) -> None:
    story = await Story.begin(on_sqlite)
    copy_files(on_sqlite, tmp_path / "copies")
    await story.lose()
    put_back(on_sqlite, tmp_path / "copies")
    await story.went_back(stays_open=True)


async def test_a_data_folder_is_copied_back_from_an_hour_ago(on_sqlite: ServerProcess, tmp_path: Path) -> None:
    story = await Story.begin(on_sqlite)
    await story.start_again(between=lambda: shutil.copytree(on_sqlite.data_dir, tmp_path / "an hour ago"))
    story.stream = await story.who.listen(await story.who.cursor())
    await story.lose()

    def put_back_the_folder() -> None:
        shutil.rmtree(on_sqlite.data_dir)
        (tmp_path / "an hour ago").rename(on_sqlite.data_dir)

    await story.start_again(between=put_back_the_folder)
    await story.went_back(stays_open=False)


async def test_a_cursor_of_what_is_kept_resumes(on_sqlite: ServerProcess) -> None:
    story = await Story.begin(on_sqlite)
    here = await story.who.cursor()
    await story.send("missed", 2)
    for _ in range(2):
        await story.start_again()
        await story.send("after a start", 1)
    stream = await story.who.listen(here)
    found = await stream.until("resumed")
    assert [content_of(event) for event in found if event.name == "message.created"][:2] == ["missed 0", "missed 1"]
    assert len({event.id.rpartition(".")[0] for event in found if event.name == "message.created" and event.id}) == 2
