"""Read marks, unread counts and the list of chats."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from fechatter.accounts import people
from fechatter.chats import membership, reading, views
from fechatter.errors import Invalid, NotFound
from fechatter.frames import RECEIPT, block_json
from fechatter.messages import changes
from fechatter.model import Actor, Chat, ChatId, ChatType
from fechatter.storage import events, retention
from tests.chats.conftest import World
from tests.history import messages_after

GROUP = ChatType.GROUP


async def test_unread_counts_follow_the_read_mark_which_only_moves_forward(world: World) -> None:
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
    own = [signal for signal in world.signals if not signal.chat_id]
    assert [signal.user_id for signal in own] == [bob.user_id] * 2
    head = (await world.database.read(lambda tx: events.heads(tx, bob.workspace_id))).head
    read = {"chat_id": chat.id, "last_read_number": 3, "revision": 0, "deleted_above": 0, "seq": head}
    assert orjson.loads(block_json(own[-1].block))["data"] == {"read": read}
    assert own[-1].block.startswith(b"event: read.moved\n")


async def test_a_move_is_signalled_to_the_other_members_of_a_small_chat(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob, carol = await world.people(await world.workspace(), "alice", "bob", "carol")
    chat = await world.create(alice, GROUP, bob, carol)
    for _ in range(3):
        await world.message(chat.id, alice)
    moves = (reading.mark_read, 2), (reading.mark_read, 1), (reading.mark_unread, 1)
    for move, number in moves:
        await world.do(move, bob, chat.id, number)
    [receipt] = [signal for signal in world.signals if signal.chat_id]
    assert (receipt.chat_id, receipt.except_user_id, receipt.kind) == (chat.id, bob.user_id, RECEIPT)
    data = {"chat_id": chat.id, "user_id": bob.user_id, "last_read_number": 2}
    assert receipt.block == b"event: receipt.moved\ndata: " + orjson.dumps(data) + b"\n\n"
    world.signals.clear()
    await world.do(people.update_own, carol, people.Profile(sends_receipts=False))
    await world.do(reading.mark_read, carol, chat.id, 3)
    monkeypatch.setattr(reading, "MAX_RECEIPT_MEMBERS", 2)
    await world.do(reading.mark_read, bob, chat.id, 3)
    assert [signal.user_id for signal in world.signals] == [carol.user_id, bob.user_id]


async def test_receipts_are_the_marks_of_the_other_members_who_show_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob, carol, dan = await world.people(await world.workspace(), "alice", "bob", "carol", "dan")
    chat = await world.create(alice, GROUP, bob, carol, dan)
    for _ in range(3):
        await world.message(chat.id, alice)
    for person, number in ((alice, 3), (bob, 2), (carol, 3), (dan, 1)):
        await world.do(reading.mark_read, person, chat.id, number)
    await world.do(people.update_own, carol, people.Profile(sends_receipts=False))
    await world.do(membership.leave, dan, chat.id)
    assert await world.do(reading.receipts_of, alice, chat.id) == reading.ChatReceipts(
        [reading.Receipt(bob.user_id, 2)]
    )
    assert await world.do(reading.receipts_of, bob, chat.id) == reading.ChatReceipts(
        [reading.Receipt(alice.user_id, 3)]
    )
    with pytest.raises(NotFound):
        await world.do(reading.receipts_of, dan, chat.id)
    monkeypatch.setattr(reading, "MAX_RECEIPT_MEMBERS", 2)
    assert await world.do(reading.receipts_of, alice, chat.id) == reading.ChatReceipts([])


async def test_concurrent_marks_end_at_the_highest_number(world: World) -> None:
    alice, bob, carol = await world.people(await world.workspace(), "alice", "bob", "carol")
    chat = await world.create(alice, GROUP, bob, carol)
    for _ in range(9):
        await world.message(chat.id, alice)
    await asyncio.gather(*(world.do(reading.mark_read, bob, chat.id, number) for number in (3, 9, 1, 7, 5)))
    assert (await world.chat(bob, chat.id)).last_read_number == 9


async def test_a_number_beyond_the_last_message_is_refused(world: World) -> None:
    alice, bob, carol = await world.people(await world.workspace(), "alice", "bob", "carol")
    chat = await world.create(alice, GROUP, bob, carol)
    await world.message(chat.id, alice)
    with pytest.raises(Invalid):
        await world.do(reading.mark_read, bob, chat.id, 2)
    assert (await world.chat(bob, chat.id)).last_read_number == 0
    assert world.signals == []


async def test_the_list_of_chats_needs_three_queries_for_any_number_of_chats(world: World) -> None:
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
            counted = CountingTransaction(tx)
            await views.chats_of(counted, alice, limit=limit)  # type: ignore[arg-type]
            return counted.queries

        return await world.database.read(work)

    assert (await queries(3), await queries(5)) == (3, 3)


async def _delete(world: World, actor: Actor, chat_id: ChatId, *numbers: int) -> None:
    rows = await world.database.read(lambda tx: messages_after(tx, chat_id, 0, 1000))
    for number in numbers:
        await world.do(changes.delete, actor, chat_id, rows[number - 1].id)


async def _group_with_messages(world: World, count: int) -> tuple[Actor, Actor, Chat]:
    """Create Alice's group with Bob, in which she has sent `count` messages."""
    alice, bob, carol = await world.people(await world.workspace(), "alice", "bob", "carol")
    chat = await world.create(alice, GROUP, bob, carol)
    for _ in range(count):
        await world.message(chat.id, alice)
    return alice, bob, chat


@pytest.mark.parametrize(
    ("deleted", "mark", "unread", "first"),
    [
        ((), 0, 6, 1),
        ((1, 2, 3, 4, 5, 6), 0, 0, None),
        ((1, 2), 0, 4, 3),
        ((1, 2), 1, 4, 3),
        ((1, 2), 3, 3, 4),
        ((4, 5), 3, 1, 6),
        ((5, 6), 4, 0, None),
        ((3, 1, 2, 6), 2, 2, 4),
    ],
)
async def test_deleted_messages_are_not_unread(
    world: World, deleted: tuple[int, ...], mark: int, unread: int, first: int | None
) -> None:
    alice, bob, chat = await _group_with_messages(world, 6)
    await world.do(reading.mark_read, bob, chat.id, mark)
    await _delete(world, alice, chat.id, *deleted)
    seen = await world.chat(bob, chat.id)
    assert (seen.unread_count, seen.last_read_number, seen.last_number) == (unread, mark, 6)
    assert (await world.see(views.chats_of, bob, limit=10))[0] == seen
    found = await world.see(reading.unread_of, bob, chat.id)
    assert (found.unread_count, found.first_unread_number) == (unread, first)


async def test_a_chat_emptied_by_retention_is_counted_by_its_prefix(world: World) -> None:
    alice, bob, chat = await _group_with_messages(world, 40)
    ids = [each.id for each in await world.database.read(lambda tx: messages_after(tx, chat.id, 0, 100))]
    for step in (ids[:10], ids[12:20], ids[10:12]):
        await world.do(lambda tx, actor, step=step: retention.empty(tx, actor.workspace_id, step), alice)
    await _delete(world, alice, chat.id, 30)
    through = "SELECT emptied_through FROM timelines WHERE id = $1"
    assert await world.rows(through, chat.id) == [(20,)]
    assert (await world.chat(bob, chat.id)).unread_count == 19
    assert (await world.see(reading.unread_of, bob, chat.id)).first_unread_number == 21
    await world.do(reading.mark_read, bob, chat.id, 25)
    assert (await world.chat(bob, chat.id)).unread_count == 14
    # Messages below the prefix are not read again, however many there are.
    undelete = "UPDATE messages SET deleted_at = NULL WHERE chat_id = $1 AND number < 20"
    await world.database.write_unlocked(lambda tx: tx.execute(undelete, chat.id))
    await world.do(reading.mark_unread, bob, chat.id, 1)
    assert (await world.chat(bob, chat.id)).unread_count == 19


async def test_mark_as_unread_moves_the_mark_back_and_raises_its_revision(world: World) -> None:
    _, bob, chat = await _group_with_messages(world, 5)
    await world.do(reading.mark_read, bob, chat.id, 5)
    mark = await world.do(reading.mark_unread, bob, chat.id, 3)
    assert (mark.last_read_number, mark.revision) == (2, 1)
    seen = await world.chat(bob, chat.id)
    assert (seen.last_read_number, seen.read_revision, seen.unread_count) == (2, 1, 3)
    assert orjson.loads(block_json(world.signals[-1].block))["data"]["read"]["revision"] == 1
    signals = len(world.signals)
    await world.do(reading.mark_read, bob, chat.id, 5, 0)
    assert ((await world.chat(bob, chat.id)).last_read_number, len(world.signals)) == (2, signals)
    await world.do(reading.mark_read, bob, chat.id, 4, 1)
    await world.do(reading.mark_read, bob, chat.id, 5)
    assert (await world.chat(bob, chat.id)).last_read_number == 5
    assert (await world.do(reading.mark_unread, bob, chat.id, 1)).revision == 2


async def test_numbers_and_revisions_that_do_not_exist_are_refused(world: World) -> None:
    _, bob, chat = await _group_with_messages(world, 2)
    for function, values in [
        (reading.mark_unread, (3,)),
        (reading.mark_read, (3,)),
        (reading.mark_read, (1, 1)),
    ]:
        with pytest.raises(Invalid):
            await world.do(function, bob, chat.id, *values)
    assert (await world.chat(bob, chat.id)).last_read_number == 0
    assert world.signals == []


async def test_a_person_who_returns_to_a_chat_has_nothing_unread(world: World) -> None:
    alice, bob, chat = await _group_with_messages(world, 4)
    await world.do(reading.mark_unread, bob, chat.id, 2)
    await world.do(membership.leave, bob, chat.id)
    await _delete(world, alice, chat.id, 3, 4)
    world.frames.clear()
    await world.do(membership.add, alice, chat.id, [bob.user_id])
    own = orjson.loads(block_json(world.frames[-1].block_for(bob.user_id)))["data"]["chat"]
    seen = await world.chat(bob, chat.id)
    for counts in (own, {name: getattr(seen, name) for name in own}):
        assert (counts["last_read_number"], counts["read_revision"], counts["unread_count"]) == (4, 1, 0)


class CountingTransaction:
    """A transaction that counts its queries."""

    def __init__(self, tx: object) -> None:
        self._tx = tx
        self.queries = 0

    def __getattr__(self, name: str) -> object:
        self.queries += name in ("fetch", "execute")
        return getattr(self._tx, name)
