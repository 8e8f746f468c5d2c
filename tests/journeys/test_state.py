"""A client's initial state plus events equals the state that it would load now, for every event type."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable

import pytest

from fechatter.events import EventType
from tests.journeys.client import Client, colleague, owner, signed_in
from tests.journeys.replica import Replica
from tests.journeys.server import ServerProcess
from tests.journeys.stream import Stream

SHOWN = {str(kind) for kind in EventType} - {"session.revoked", "unreadable"}
_marks = itertools.count(1)


class SampleWorkspace:
    """A workspace with three people. `steps` cause every type of event."""

    def __init__(self, ada: Client, bob: Client, cyd: Client, chats: dict[str, int]) -> None:
        self.ada, self.bob, self.cyd = ada, bob, cyd
        self.chats = chats
        self.people = [ada, bob, cyd]

    @classmethod
    async def create(cls, server: ServerProcess) -> SampleWorkspace:
        ada = await owner(server)
        bob, cyd = await colleague(ada), await colleague(ada)
        made = {
            "single": await ada.chat("single", bob),
            "group": await bob.chat("group", ada, cyd),
            "room": await ada.chat("private_channel", bob),
            "forum": await cyd.chat("public_channel"),
        }
        sample = cls(ada, bob, cyd, {name: chat["id"] for name, chat in made.items()})
        for name in ("single", "group", "room"):
            for number in range(3):
                await ada.send(sample.chats[name], f"before {number}")
        return sample

    def path(self, chat: str, rest: str = "") -> str:
        return f"/api/chat/{self.chats[chat]}{rest}"

    @property
    def steps(self) -> list[Callable[[], Awaitable[object]]]:
        ada, bob, cyd, path = self.ada, self.bob, self.cyd, self.path
        return [
            lambda: bob.send(self.chats["single"], "from Bob"),
            lambda: ada.send(self.chats["group"], "to all"),
            lambda: bob.call("PUT", path("group", "/read"), {"number": 2}),
            lambda: bob.post(path("group", "/unread"), {"number": 1}),
            lambda: self.change_message(ada, "room", 3, "edited the last"),
            lambda: self.change_message(ada, "group", 1, "edited the first"),
            lambda: self.change_message(ada, "group", 4, None),
            lambda: self.change_message(ada, "room", 2, None),
            lambda: ada.call("PATCH", path("room", "/preferences"), {"starred": True}),
            lambda: bob.call("PATCH", path("room", "/preferences"), {"muted": True}),
            lambda: ada.post(path("room", "/members"), {"members": [cyd.id]}),
            lambda: cyd.send(self.chats["room"], "thank you"),
            lambda: ada.call("PATCH", path("room", f"/members/{bob.id}"), {"role": "owner"}),
            lambda: ada.post(path("forum", "/join")),
            lambda: bob.post(path("forum", "/join")),
            lambda: cyd.call("PATCH", path("forum"), {"name": f"news {cyd.id}", "description": "all of it\n"}),
            lambda: cyd.post(path("forum", "/leave")),
            lambda: ada.call("PATCH", path("forum"), {"archived": True}),
            lambda: ada.call("PATCH", path("forum"), {"archived": False}),
            lambda: cyd.post(path("forum", "/join")),
            lambda: bob.call("DELETE", path("room", f"/members/{ada.id}")),
            lambda: bob.send(self.chats["room"], "Ada is out"),
            lambda: self.change_message(bob, "room", 5, "Ada was out"),
            lambda: bob.post(path("room", "/members"), {"members": [ada.id]}),
            lambda: bob.call(
                "PATCH",
                "/api/users/me",
                {"fullname": "Robert", "handle": f"robert{bob.id}", "timezone": "Europe/Vienna"},
            ),
            lambda: ada.call("PATCH", f"/api/users/{cyd.id}", {"role": "admin"}),
            lambda: ada.call("PATCH", f"/api/users/{cyd.id}", {"role": "member"}),
            self.come_and_go,
            lambda: ada.call("PATCH", "/api/workspace", {"name": "The house"}),
            self.log_out_elsewhere,
            lambda: bob.chat("private_channel", ada, cyd),
            lambda: bob.call("DELETE", path("room")),
            lambda: cyd.post(path("group", "/leave")),
            lambda: ada.send(self.chats["group"], "without Cyd"),
            lambda: bob.post(path("group", "/leave")),
        ]

    async def change_message(self, person: Client, chat: str, number: int, content: str | None) -> None:
        """Edit a message, or delete it if `content` is None."""
        message = (await person.history(self.chats[chat]))[number - 1]
        path = self.path(chat, f"/messages/{message['id']}")
        await (person.call("DELETE", path) if content is None else person.call("PATCH", path, {"content": content}))

    async def come_and_go(self) -> None:
        dan = await colleague(self.ada)
        await self.ada.post(self.path("group", "/members"), {"members": [dan.id]})
        await dan.send(self.chats["group"], "hello, I am Dan")
        await self.ada.call("PATCH", f"/api/users/{dan.id}", {"disabled": True})
        await self.ada.call("PATCH", f"/api/users/{dan.id}", {"disabled": False})

    async def log_out_elsewhere(self) -> None:
        await (await signed_in(self.ada)).post("/api/logout")

    async def send_mark(self) -> str:
        """Cause an event that everybody receives, and return its text."""
        name = f"mark {next(_marks)}"
        await self.ada.call("PATCH", "/api/workspace", {"name": name})
        return name


async def follow(replica: Replica, stream: Stream, mark: str) -> None:
    """Apply events up to the mark."""
    while replica.workspace["name"] != mark:
        await replica.apply(await stream.next())


@pytest.mark.usefixtures("transport")
async def test_every_type_of_event_live(server: ServerProcess) -> None:
    sample = await SampleWorkspace.create(server)
    replicas = [await Replica.load(person) for person in sample.people]
    streams = [await person.listen(replica.cursor) for person, replica in zip(sample.people, replicas, strict=True)]
    for number, step in enumerate(sample.steps):
        await step()
        mark = await sample.send_mark()
        for person, replica, stream in zip(sample.people, replicas, streams, strict=True):
            await follow(replica, stream, mark)
            assert replica.snapshot() == (await Replica.load(person)).snapshot(), (
                f"after step {number}, {person.session['user']['fullname']}"
            )
            assert replica.cursor == await person.cursor()
    assert set().union(*(replica.kinds for replica in replicas)) == SHOWN


async def test_every_type_of_event_after_an_interruption(server: ServerProcess) -> None:
    sample = await SampleWorkspace.create(server)
    away = [await Replica.load(person) for person in sample.people]
    polling = [await Replica.load(person) for person in sample.people]
    often = [await Replica.load(person) for person in sample.people]
    luck = random.Random(7)
    for step in sample.steps:
        await step()
        for person, replica in zip(sample.people, often, strict=True):
            if luck.random() < 0.3:
                await catch_up(person, replica)
    for person, replica, poll, now_and_then in zip(sample.people, away, polling, often, strict=True):
        fresh = (await Replica.load(person)).snapshot()
        await catch_up(person, replica)
        assert replica.snapshot() == fresh
        await catch_up(person, now_and_then)
        assert now_and_then.snapshot() == fresh
        for event in await person.events(poll.cursor):
            await poll.apply_event(event)
        chats = (await person.get("/api/sync"))["chats"]
        for chat in chats:
            poll.apply_read(chat | {"chat_id": chat["id"], "revision": chat["read_revision"]})
        assert poll.snapshot() == fresh


async def catch_up(person: Client, replica: Replica) -> None:
    """Resume from the replica's cursor, apply the replay and close the stream."""
    stream = await person.listen(replica.cursor)
    for event in await stream.until("resumed"):
        await replica.apply(event)
    stream.close()


@pytest.mark.usefixtures("transport")
async def test_clients_that_load_during_many_changes_end_in_the_same_state(server: ServerProcess) -> None:
    sample = await SampleWorkspace.create(server)
    done = asyncio.Event()

    async def run_all_steps() -> None:
        for step in sample.steps:
            await step()
        done.set()

    async def run_client(person: Client) -> None:
        late = await signed_in(person)
        replica = await Replica.load(late)
        stream = await late.listen(replica.cursor)
        await done.wait()
        await follow(replica, stream, await marked)
        assert replica.snapshot() == (await Replica.load(late)).snapshot()

    marked: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        group.create_task(run_all_steps())
        clients = [group.create_task(run_client(person)) for person in sample.people for _ in range(3)]
        await done.wait()
        marked.set_result(await sample.send_mark())
        await asyncio.wait(clients)
