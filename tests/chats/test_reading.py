from __future__ import annotations

import asyncio

import orjson
import pytest

from fechatter.chats import reading, views
from fechatter.errors import Invalid
from fechatter.frames import block_json
from fechatter.model import ChatType
from tests.chats.conftest import World

GROUP = ChatType.GROUP


async def test_unread_is_what_came_after_the_mark_and_the_mark_only_moves_forward(world: World) -> None:
    alice, bob, carol = await world.people(await world.workspace(), "alice", "bob", "carol")
    chat = await world.create(alice, GROUP, bob, carol)
    for _ in range(3):
        await world.message(chat.id, alice)
    assert (await world.chat(bob, chat.id)).unread_count == 3
    for number, read, unread in [(2, 2, 1), (1, 2, 1), (2, 2, 1), (3, 3, 0)]:
        await world.do(reading.mark_read, bob, chat.id, number)
        seen = await world.chat(bob, chat.id)
        assert (seen.last_read_number, seen.unread_count, seen.last_number) == (read, unread, 3)
    assert (await world.chat(carol, chat.id)).unread_count == 3
    assert [signal.user_id for signal in world.signals] == [bob.user_id] * 2
    assert orjson.loads(block_json(world.signals[-1].block))["data"] == {"read": {"chat_id": chat.id, "last_read_number": 3}}
    assert world.signals[-1].block.startswith(b"event: read.moved\n")


async def test_marks_sent_at_once_end_at_the_highest(world: World) -> None:
    alice, bob, carol = await world.people(await world.workspace(), "alice", "bob", "carol")
    chat = await world.create(alice, GROUP, bob, carol)
    for _ in range(9):
        await world.message(chat.id, alice)
    await asyncio.gather(*(world.do(reading.mark_read, bob, chat.id, number) for number in (3, 9, 1, 7, 5)))
    assert (await world.chat(bob, chat.id)).last_read_number == 9


async def test_a_future_number_is_refused(world: World) -> None:
    alice, bob, carol = await world.people(await world.workspace(), "alice", "bob", "carol")
    chat = await world.create(alice, GROUP, bob, carol)
    await world.message(chat.id, alice)
    with pytest.raises(Invalid):
        await world.do(reading.mark_read, bob, chat.id, 2)
    assert (await world.chat(bob, chat.id)).last_read_number == 0
    assert world.signals == []


async def test_the_list_pages_by_id_with_three_queries_however_many_chats_it_shows(world: World) -> None:
    alice, bob, carol = await world.people(await world.workspace(), "alice", "bob", "carol")
    made = [await world.create(alice, GROUP, bob, carol) for _ in range(5)]
    await world.message(made[2].id, bob, "last")
    first = await world.see(views.chats_of, alice, limit=3)
    rest = await world.see(views.chats_of, alice, after=first[-1].id, limit=3)
    assert [chat.id for chat in first + rest] == [chat.id for chat in made]
    assert [chat.last_message.content for chat in first if chat.last_message] == ["last"]
    assert (first[2].unread_count, first[1].unread_count) == (1, 0)
    assert first[0] == await world.chat(alice, made[0].id)

    async def queries(limit: int) -> int:
        async def work(tx: object) -> int:
            counted = Counted(tx)
            await views.chats_of(counted, alice, limit=limit)  # type: ignore[arg-type]
            return counted.queries

        return await world.database.read(work)

    assert (await queries(3), await queries(5)) == (3, 3)


class Counted:
    """A transaction that counts its queries."""

    def __init__(self, tx: object) -> None:
        self._tx = tx
        self.queries = 0

    def __getattr__(self, name: str) -> object:
        self.queries += name in ("fetch", "execute")
        return getattr(self._tx, name)
