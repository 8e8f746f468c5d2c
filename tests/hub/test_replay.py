"""A long replay is read in pieces, each after the previous one was sent. Its result equals that of a short replay."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import NamedTuple

import orjson
import pytest

from fechatter.chats import membership
from fechatter.errors import TooManyRequests
from fechatter.frames import block_json
from fechatter.hub import joining, notices
from fechatter.hub.hub import Hub
from fechatter.hub.listener import BLOCKED_SECONDS, Listener, Reader
from fechatter.hub.states import CloseReason, Live, Replaying
from fechatter.model import Actor, ChatId, Position
from fechatter.settings import Settings
from fechatter.storage import events
from fechatter.storage.engines.base import Database
from tests import world
from tests.hub.node import OwnTasks

MISSED = 12
SETTINGS = Settings(replay_events=MISSED, streams_per_person=2)


class ReplayCase(NamedTuple):
    """alice and bob in a chat. bob has missed everything since `cursor`."""

    database: Database
    writer_node: world.WriterNode
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
        await self.writer_node.sent(self.alice, self.chat_id, content)
        self.deliver()

    def deliver(self) -> None:
        self.hub.receive(self.writer_node.frames)


@pytest.fixture
async def case(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ReplayCase]:
    monkeypatch.setattr(joining, "PIECE_BYTES", 1200)
    monkeypatch.setattr(joining, "READ_EVENTS", 3)
    tasks = OwnTasks()
    writer_node = world.WriterNode(world.InterruptedDatabase(database))
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice, bob)
    found = ReplayCase(
        database, writer_node, Hub(database, tasks, SETTINGS), alice, bob, chat_id, Position(database.era, 0)
    )
    found = found._replace(cursor=await found.head())
    for number in range(MISSED):
        await found.send(f"missed {number}")
    yield found
    await writer_node.close()
    await tasks.stop()


def written_blocks(listener: Listener) -> list[str]:
    """Return what was written: contents of messages, and names of other blocks."""
    return [_describe(block + b"\n\n") for block in listener.take().split(b"\n\n") if block]


def _describe(block: bytes) -> str:
    shown = orjson.loads(block_json(block))
    message = shown["data"].get("message") if "data" in shown else None
    return str(message["content"]) if message is not None else block.split(b"event: ")[1].split(b"\n")[0].decode()


async def read_through(case: ReplayCase, listener: Listener) -> list[str]:
    """Receive everything, piece by piece."""
    seen = written_blocks(listener)
    while isinstance(listener.state, Replaying):
        await case.hub.read_on(listener)
        seen += written_blocks(listener)
    return seen


ALL = [f"missed {number}" for number in range(MISSED)]


async def test_a_piece_is_read_only_after_the_previous_one_is_written(case: ReplayCase) -> None:
    listener = await case.open()
    first = listener.pending_bytes
    assert first < 3000
    await case.hub.read_on(listener)
    assert listener.pending_bytes == first
    assert case.hub.position(listener) is None
    seen = await read_through(case, listener)
    assert seen == ["hello", *ALL, "resumed"]
    assert case.hub.position(listener) == await case.head()


async def test_messages_sent_during_a_replay_arrive_once_and_in_order(case: ReplayCase) -> None:
    listener = await case.open()
    seen = written_blocks(listener)
    await case.send("during the replay")
    assert not listener.pending
    await case.hub.read_on(listener)
    await case.send("during a piece")
    seen += await read_through(case, listener)
    await case.send("live")
    assert [*seen, *written_blocks(listener)] == [
        "hello",
        *ALL,
        "during the replay",
        "during a piece",
        "resumed",
        "live",
    ]


async def test_a_member_removed_during_a_replay_sees_only_the_removal(case: ReplayCase) -> None:
    listener = await case.open()
    seen = written_blocks(listener)
    await world.do(case.database, membership.remove, case.alice, case.chat_id, [case.bob.user_id])
    await case.send("without bob")
    rest = await read_through(case, listener)
    assert 1 < len(seen) < MISSED
    assert rest == ["member.left", "resumed"]


async def test_a_session_that_ends_during_its_replay_is_closed(case: ReplayCase) -> None:
    listener = await case.open()
    written_blocks(listener)
    await case.database.write(case.bob.workspace_id, lambda tx: world.revoke(tx, case.bob))
    await case.hub.read_on(listener)
    assert listener.closed is CloseReason.REVOKED


async def test_an_unread_replay_is_closed_as_slow(case: ReplayCase) -> None:
    listener = await case.open()
    listener.write_started()
    listener.take()
    listener.check_pace(time.monotonic() + BLOCKED_SECONDS + 0.1)
    assert listener.closed is CloseReason.SLOW


async def test_too_many_missed_events_are_detected_before_the_first_piece(case: ReplayCase) -> None:
    await case.send("one too many")
    listener = await case.open()
    assert written_blocks(listener) == ["hello", "reset"]
    assert isinstance(listener.state, Live)


async def test_a_page_of_events_is_no_larger_than_a_piece(case: ReplayCase) -> None:
    cursor, seen, pages, more = case.cursor, 0, 0, True
    while more:
        frames, cursor, more = await case.database.read(
            lambda tx, after=cursor: joining.page(tx, case.bob, after, (), MISSED, SETTINGS)  # type: ignore[misc]
        )
        assert sum(len(frame.block) for frame in frames) <= 1200
        seen, pages = seen + len(frames), pages + 1
    assert (seen, cursor) == (MISSED, await case.head())
    assert pages > 2


async def test_the_streams_of_one_person_are_limited(case: ReplayCase) -> None:
    first = await case.open()
    await case.open()
    with pytest.raises(TooManyRequests) as refused:
        await case.open()
    assert refused.value.code == "too_many_streams"
    case.hub.leave(first)
    await case.open()
    other = await case.hub.open(Reader(case.alice.user_id, case.alice.workspace_id, case.alice.session_id), None)
    assert other.closed is None


async def test_a_stream_that_the_gateway_never_takes_is_removed(
    case: ReplayCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "ATTACH_SECONDS", 0.0)
    listener = await case.open()
    listener.hand_over()
    assert case.hub.listeners == 1
    case.hub.notices.examine()
    case.hub.notices.read()
    assert (listener.closed, case.hub.listeners) == (CloseReason.GONE, 0)
    assert case.hub.notices.closed == {CloseReason.GONE: 1}
    case.hub.notices.close()


async def test_a_stream_that_was_closed_before_the_gateway_takes_it_contains_the_reason(case: ReplayCase) -> None:
    listener = await case.open()
    case.hub.stop()
    listener.hand_over()
    assert written_blocks(listener)[-1] == "closing"
    listener.offer(b"too late")
    assert listener.pending == 0
    case.hub.notices.close()
