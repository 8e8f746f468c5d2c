"""Readers of a gateway that repeats responses, and what they must see."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from fechatter.model import Position
from tests.journeys.client import Client
from tests.journeys.metrics import cache_hits
from tests.journeys.wire import Answer


async def repeated(reader: Client, path: str, token: str, **headers: str) -> Answer:
    """Read until the gateway answers from its cache, and return that answer. `token` reads the metrics."""
    while True:
        before = await cache_hits(reader.server, token)
        answer = await reader.ask("GET", path, headers=headers)
        if await cache_hits(reader.server, token) > before:
            return answer


Right = tuple[int, int | None]
"""A person and a chat; None stands for what the person may do in the workspace."""


class State(NamedTuple):
    """What is known of a message: its revision, and whether it is deleted."""

    revision: int
    deleted: bool

    def includes(self, other: State) -> bool:
        return self.revision >= other.revision and (self.deleted or not other.deleted)


class PageSeen(NamedTuple):
    """A page as a reader got it, by number."""

    chat_id: int
    path: str
    position: int
    messages: dict[int, State]


class Noted:
    """Everything that the server has acknowledged.

    Attributes:
        newest: the newest number of each chat.
        messages: by chat and id.
        names: the number of each person's newest name.
        roles: of people.
        barred: who may not read which chat.
        changes: how often a right has begun or ended to change; it is odd during a change.
    """

    def __init__(self) -> None:
        self.newest: dict[int, int] = defaultdict(int)
        self.messages: dict[int, dict[int, State]] = defaultdict(dict)
        self.names: dict[int, int] = defaultdict(int)
        self.roles: dict[int, str] = {}
        self.barred: set[Right] = set()
        self.changes: dict[Right, int] = defaultdict(int)

    @contextmanager
    def changing(self, right: Right) -> Iterator[None]:
        self.changes[right] += 1
        yield
        self.changes[right] += 1

    def version(self, *rights: Right) -> tuple[bool, list[int]]:
        """Return whether no right is changing, and a value that differs after each change."""
        counts = [self.changes[right] for right in rights]
        return all(count % 2 == 0 for count in counts), counts

    def note(self, message: dict[str, Any]) -> None:
        chat, state = self.messages[message["chat_id"]], _state(message)
        known = chat.get(message["id"], state)
        chat[message["id"]] = State(max(state.revision, known.revision), state.deleted or known.deleted)
        self.newest[message["chat_id"]] = max(self.newest[message["chat_id"]], message["number"])


def _state(message: dict[str, Any]) -> State:
    return State(message["revision"], message["deleted_at"] is not None)


def _seq(answer: Answer) -> int:
    found = Position.parse(answer.headers["event-cursor"])
    assert found is not None
    return found.seq


class Reader:
    """One session that reads without end."""

    def __init__(self, noted: Noted, client: Client, host: Client, chats: list[int], seed: int) -> None:
        self.noted, self.client, self.host, self.chats = noted, client, host, chats
        self.random = random.Random(seed)
        self.seen = 0
        self.ending = self.ended = False
        self.pages: list[PageSeen] = []

    async def run(self) -> None:
        while True:
            chat = self.random.choice(self.chats)
            kind = self.random.randrange(6)
            if kind < 3:
                await self.read_page(chat)
            elif kind == 3:
                await self.read_message(chat)
            elif kind == 4:
                await self.read_person(self.client.id)
            else:
                await self.read_person(self.host.id)

    async def listen(self) -> None:
        """Receive events without end. Each event shows a position."""
        stream = await self.client.listen()
        while True:
            event = await stream.next()
            if event.id is not None:
                self.seen = max(self.seen, event.seq)

    async def get(self, path: str, chat: int | None) -> Answer | None:
        """Return a 200 answer that this reader may have, or None for a refusal."""
        right = (self.client.id, chat)
        version, barred, ended, seen = self.noted.version(right), right in self.noted.barred, self.ended, self.seen
        answer = await self.client.ask("GET", path)
        unchanged = version[0] and self.noted.version(right) == version
        if answer.status == 401:
            assert self.ending, path
            return None
        if answer.status == 404:
            assert barred or not unchanged, path
            return None
        assert (answer.status, ended) == (200, False), (path, answer)
        assert not (barred and unchanged), path
        assert _seq(answer) >= seen, path
        self.seen = max(self.seen, _seq(answer))
        return answer

    async def read_page(self, chat: int) -> None:
        newest, messages = self.noted.newest[chat], dict(self.noted.messages[chat])
        anchor = self.random.choice([None, None, 10, 30])
        path = f"/api/chat/{chat}/messages?limit=20" + ("" if anchor is None else f"&before={anchor}")
        answer = await self.get(path, chat)
        if answer is None:
            return
        items = answer.json["items"]
        if anchor is None and newest:
            assert items[0]["number"] >= newest
        for each in items:
            known = messages.get(each["id"])
            assert known is None or _state(each).includes(known), (each, known)
        self.pages.append(PageSeen(chat, path, _seq(answer), {each["number"]: _state(each) for each in items}))

    async def read_message(self, chat: int) -> None:
        known = dict(self.noted.messages[chat])
        if known:
            message_id = self.random.choice(sorted(known))
            answer = await self.get(f"/api/chat/{chat}/messages/{message_id}", chat)
            assert answer is None or _state(answer.json).includes(known[message_id])

    async def read_person(self, person: int) -> None:
        own = (self.client.id, None)
        name, role, version = self.noted.names[person], self.noted.roles.get(self.client.id), self.noted.version(own)
        path = "/api/users/me" if person == self.client.id else f"/api/users/{person}"
        answer = await self.get(path, None)
        if answer is None:
            return
        assert int(answer.json["fullname"].rpartition(" ")[2]) >= name
        if version[0] and self.noted.version(own) == version and role is not None:
            assert person != self.client.id or answer.json["role"] == role
            assert ("email" in answer.json) == (person == self.client.id or role == "admin")
