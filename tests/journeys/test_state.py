"""The state that a client loaded at first, moved by events alone, is the state that it would load now: for every event there is."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable

from fechatter.events import EventType
from tests.journeys.client import Client, colleague, owner, signed_in
from tests.journeys.replica import Replica
from tests.journeys.server import ServerProcess
from tests.journeys.stream import Stream

SHOWN = {str(kind) for kind in EventType} - {"session.revoked", "unreadable"}
_marks = itertools.count(1)


class House:
    """A workspace of a few people and what happens in it; `steps` cause every kind of event there is."""

    def __init__(self, ada: Client, bob: Client, cyd: Client, chats: dict[str, int]) -> None:
        self.ada, self.bob, self.cyd = ada, bob, cyd
        self.chats = chats
        self.people = [ada, bob, cyd]

    @classmethod
    async def build(cls, server: ServerProcess) -> House:
        ada = await owner(server)
        bob, cyd = await colleague(ada), await colleague(ada)
        made = {
            "single": await ada.chat("single", bob),
            "group": await bob.chat("group", ada, cyd),
            "room": await ada.chat("private_channel", bob),
            "forum": await cyd.chat("public_channel"),
        }
        house = cls(ada, bob, cyd, {name: chat["id"] for name, chat in made.items()})
        for name in ("single", "group", "room"):
            for number in range(3):
                await ada.send(house.chats[name], f"before {number}")
        return house

    def at(self, chat: str, rest: str = "") -> str:
        return f"/api/chat/{self.chats[chat]}{rest}"

    @property
    def steps(self) -> list[Callable[[], Awaitable[object]]]:
        ada, bob, cyd, at = self.ada, self.bob, self.cyd, self.at
        return [
            lambda: bob.send(self.chats["single"], "from Bob"),
            lambda: ada.send(self.chats["group"], "to all"),
            lambda: bob.call("PUT", at("group", "/read"), {"number": 2}),
            lambda: bob.post(at("group", "/unread"), {"number": 1}),
            lambda: self.change_message(ada, "room", 3, "edited the last"),
            lambda: self.change_message(ada, "group", 1, "edited the first"),
            lambda: self.change_message(ada, "group", 4, None),
            lambda: self.change_message(ada, "room", 2, None),
            lambda: ada.call("PATCH", at("room", "/preferences"), {"starred": True}),
            lambda: bob.call("PATCH", at("room", "/preferences"), {"muted": True}),
            lambda: ada.post(at("room", "/members"), {"members": [cyd.id]}),
            lambda: cyd.send(self.chats["room"], "thank you"),
            lambda: ada.call("PATCH", at("room", f"/members/{bob.id}"), {"role": "owner"}),
            lambda: ada.post(at("forum", "/join")),
            lambda: bob.post(at("forum", "/join")),
            lambda: cyd.call("PATCH", at("forum"), {"name": f"news {cyd.id}", "description": "all of it\n"}),
            lambda: cyd.post(at("forum", "/leave")),
            lambda: ada.call("PATCH", at("forum"), {"archived": True}),
            lambda: ada.call("PATCH", at("forum"), {"archived": False}),
            lambda: cyd.post(at("forum", "/join")),
            lambda: bob.call("DELETE", at("room", f"/members/{ada.id}")),
            lambda: bob.send(self.chats["room"], "Ada is out"),
            lambda: self.change_message(bob, "room", 5, "Ada was out"),
            lambda: bob.post(at("room", "/members"), {"members": [ada.id]}),
            lambda: bob.call("PATCH", "/api/users/me", {"fullname": "Robert", "handle": f"robert{bob.id}", "timezone": "Europe/Vienna"}),
            lambda: ada.call("PATCH", f"/api/users/{cyd.id}", {"role": "admin"}),
            lambda: ada.call("PATCH", f"/api/users/{cyd.id}", {"role": "member"}),
            self.come_and_go,
            lambda: ada.call("PATCH", "/api/workspace", {"name": "The house"}),
            self.log_out_elsewhere,
            lambda: bob.chat("private_channel", ada, cyd),
            lambda: bob.call("DELETE", at("room")),
            lambda: cyd.post(at("group", "/leave")),
            lambda: ada.send(self.chats["group"], "without Cyd"),
            lambda: bob.post(at("group", "/leave")),
        ]

    async def change_message(self, person: Client, chat: str, number: int, content: str | None) -> None:
        """Edit a message, or delete it."""
        message = (await person.history(self.chats[chat]))[number - 1]
        path = self.at(chat, f"/messages/{message['id']}")
        await (person.call("DELETE", path) if content is None else person.call("PATCH", path, {"content": content}))

    async def come_and_go(self) -> None:
        dan = await colleague(self.ada)
        await self.ada.post(self.at("group", "/members"), {"members": [dan.id]})
        await dan.send(self.chats["group"], "hello, I am Dan")
        await self.ada.call("PATCH", f"/api/users/{dan.id}", {"disabled": True})
        await self.ada.call("PATCH", f"/api/users/{dan.id}", {"disabled": False})

    async def log_out_elsewhere(self) -> None:
        await (await signed_in(self.ada)).post("/api/logout")

    async def mark(self) -> str:
        """An event that everybody is shown; returns its text."""
        name = f"mark {next(_marks)}"
        await self.ada.call("PATCH", "/api/workspace", {"name": name})
        return name


async def follow(replica: Replica, stream: Stream, mark: str) -> None:
    """Apply what comes, up to the mark."""
    while replica.workspace["name"] != mark:
        await replica.apply(await stream.next())


async def test_every_kind_of_event_live(server: ServerProcess) -> None:
    house = await House.build(server)
    replicas = [await Replica.load(person) for person in house.people]
    streams = [await person.listen(replica.cursor) for person, replica in zip(house.people, replicas, strict=True)]
    for number, step in enumerate(house.steps):
        await step()
        mark = await house.mark()
        for person, replica, stream in zip(house.people, replicas, streams, strict=True):
            await follow(replica, stream, mark)
            assert replica.shown() == (await Replica.load(person)).shown(), f"after step {number}, {person.session['user']['fullname']}"
            assert replica.cursor == await person.cursor()
    assert set().union(*(replica.kinds for replica in replicas)) == SHOWN


async def test_every_kind_of_event_after_a_time_without_connection(server: ServerProcess) -> None:
    house = await House.build(server)
    away = [await Replica.load(person) for person in house.people]
    polling = [await Replica.load(person) for person in house.people]
    often = [await Replica.load(person) for person in house.people]
    luck = random.Random(7)
    for step in house.steps:
        await step()
        for person, replica in zip(house.people, often, strict=True):
            if luck.random() < 0.3:
                await reconnect(person, replica)
    for person, replica, poll, now_and_then in zip(house.people, away, polling, often, strict=True):
        fresh = (await Replica.load(person)).shown()
        await reconnect(person, replica)
        assert replica.shown() == fresh
        await reconnect(person, now_and_then)
        assert now_and_then.shown() == fresh
        for event in await person.events(poll.cursor):
            await poll.take(event)
        chats = (await person.get("/api/sync"))["chats"]
        poll.take_reads([chat | {"chat_id": chat["id"], "revision": chat["read_revision"]} for chat in chats])
        assert poll.shown() == fresh


async def reconnect(person: Client, replica: Replica) -> None:
    """Catch up from the replica's cursor, and leave."""
    stream = await person.listen(replica.cursor)
    for event in await stream.until("resumed"):
        await replica.apply(event)
    stream.close()


async def test_a_client_that_loads_while_much_happens_ends_up_the_same(server: ServerProcess) -> None:
    house = await House.build(server)
    done = asyncio.Event()

    async def much() -> None:
        for step in house.steps:
            await step()
        done.set()

    async def client(person: Client) -> None:
        late = await signed_in(person)
        replica = await Replica.load(late)
        stream = await late.listen(replica.cursor)
        await done.wait()
        await follow(replica, stream, await marked)
        assert replica.shown() == (await Replica.load(late)).shown()

    marked: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        group.create_task(much())
        clients = [group.create_task(client(person)) for person in house.people for _ in range(3)]
        await done.wait()
        marked.set_result(await house.mark())
        await asyncio.wait(clients)
