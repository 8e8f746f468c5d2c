"""A long replay is told in pieces, each read when the one before is written; it ends as a short one does."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import NamedTuple

import orjson
import pytest

from fechatter.chats import membership
from fechatter.errors import TooManyRequests
from fechatter.frames import block_json
from fechatter.hub import joining
from fechatter.hub.hub import Hub
from fechatter.hub.listener import BLOCKED_SECONDS, CloseReason, Listener, Live, Reader, Replaying
from fechatter.model import Actor, ChatId, Position
from fechatter.settings import Settings
from fechatter.storage import events
from fechatter.storage.engines.base import Database
from tests import world
from tests.hub.node import OwnTasks

MISSED = 12
SETTINGS = Settings(replay_events=MISSED, streams_per_person=2)


class House(NamedTuple):
    """alice and bob in a chat; bob missed what was sent since `cursor`."""

    database: Database
    desk: world.WriterNode
    hub: Hub
    alice: Actor
    bob: Actor
    chat_id: ChatId
    cursor: Position

    async def open(self, cursor: Position | None = None) -> Listener:
        reader = Reader(self.bob.user_id, self.bob.workspace_id, self.bob.session_id)
        return await self.hub.open(reader, cursor or self.cursor)

    async def head(self) -> Position:
        heads = await self.database.read(lambda tx: events.heads(tx, self.alice.workspace_id))
        return heads.position

    async def send(self, content: str) -> None:
        await self.desk.sent(self.alice, self.chat_id, content)
        self.deliver()

    def deliver(self) -> None:
        self.hub.receive(self.desk.frames)


@pytest.fixture
async def house(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(joining, "PIECE_BYTES", 1200)
    monkeypatch.setattr(joining, "READ_EVENTS", 3)
    tasks = OwnTasks()
    desk = world.WriterNode(world.InterruptedDatabase(database))
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice, bob)
    found = House(database, desk, Hub(database, tasks, SETTINGS), alice, bob, chat_id, Position(database.era, 0))
    found = found._replace(cursor=await found.head())
    for number in range(MISSED):
        await found.send(f"missed {number}")
    yield found
    await desk.close()
    await tasks.stop()


def taken(listener: Listener) -> list[str]:
    """What was written: contents of messages, and the names of all else."""
    return [_told(block + b"\n\n") for block in listener.take().split(b"\n\n") if block]


def _told(block: bytes) -> str:
    shown = orjson.loads(block_json(block))
    message = shown["data"].get("message") if "data" in shown else None
    return str(message["content"]) if message is not None else block.split(b"event: ")[1].split(b"\n")[0].decode()


async def read_through(house: House, listener: Listener) -> list[str]:
    """Take everything, piece by piece."""
    seen = taken(listener)
    while isinstance(listener.state, Replaying):
        await house.hub.read_on(listener)
        seen += taken(listener)
    return seen


ALL = [f"missed {number}" for number in range(MISSED)]


async def test_a_piece_is_read_only_when_the_one_before_is_written(house: House) -> None:
    listener = await house.open()
    first = listener.pending_bytes
    assert first < 3000
    await house.hub.read_on(listener)
    assert listener.pending_bytes == first
    assert house.hub.position(listener) is None
    seen = await read_through(house, listener)
    assert seen == ["hello", *ALL, "resumed"]
    assert house.hub.position(listener) == await house.head()


async def test_what_is_sent_meanwhile_comes_once_and_in_order(house: House) -> None:
    listener = await house.open()
    seen = taken(listener)
    await house.send("during the replay")
    assert not listener.pending
    await house.hub.read_on(listener)
    await house.send("during a piece")
    seen += await read_through(house, listener)
    await house.send("live")
    assert [*seen, *taken(listener)] == ["hello", *ALL, "during the replay", "during a piece", "resumed", "live"]


async def test_who_leaves_during_its_replay_sees_nothing_more_but_the_end(house: House) -> None:
    listener = await house.open()
    seen = taken(listener)
    await world.do(house.database, membership.remove, house.alice, house.chat_id, [house.bob.user_id])
    await house.send("without bob")
    rest = await read_through(house, listener)
    assert 1 < len(seen) < MISSED
    assert rest == ["member.left", "resumed"]


async def test_a_session_that_ends_during_its_replay_is_closed(house: House) -> None:
    listener = await house.open()
    taken(listener)
    await house.database.write(house.bob.workspace_id, lambda tx: world.revoke(tx, house.bob))
    await house.hub.read_on(listener)
    assert listener.closed is CloseReason.REVOKED


async def test_a_replay_that_is_not_taken_is_slow(house: House) -> None:
    listener = await house.open()
    listener.write_started()
    listener.take()
    listener.check_pace(time.monotonic() + BLOCKED_SECONDS + 0.1)
    assert listener.closed is CloseReason.SLOW


async def test_too_many_are_known_before_the_first_piece(house: House) -> None:
    await house.send("one too many")
    listener = await house.open()
    assert taken(listener) == ["hello", "reset"]
    assert isinstance(listener.state, Live)


async def test_a_page_holds_no_more_than_a_piece(house: House) -> None:
    cursor, seen, pages, more = house.cursor, 0, 0, True
    while more:
        frames, cursor, more = await house.database.read(
            lambda tx, after=cursor: joining.page(tx, house.bob, after, None, MISSED, SETTINGS)  # type: ignore[misc]
        )
        assert sum(len(frame.block) for frame in frames) <= 1200
        seen, pages = seen + len(frames), pages + 1
    assert (seen, cursor) == (MISSED, await house.head())
    assert pages > 2


async def test_one_person_has_so_many_streams_and_no_more(house: House) -> None:
    first = await house.open()
    await house.open()
    with pytest.raises(TooManyRequests) as refused:
        await house.open()
    assert refused.value.code == "too_many_streams"
    house.hub.leave(first)
    await house.open()
    other = await house.hub.open(Reader(house.alice.user_id, house.alice.workspace_id, house.alice.session_id), None)
    assert other.closed is None
