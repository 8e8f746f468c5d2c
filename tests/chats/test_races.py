"""Concurrent acts: they take effect in some order, and the rules of chats hold after each of them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from fechatter.chats import change, channels, create, membership, views
from fechatter.errors import Problem
from fechatter.messages import changes
from fechatter.model import Actor, Chat, ChatId, ChatType, Role
from fechatter.storage.engines.base import Database
from tests import world
from tests.chats.invariants import check_invariants
from tests.servers.process import PATIENCE_SECONDS
from tests.world import WriterNode, refusal, stored

T = TypeVar("T")
SINGLE, GROUP, PRIVATE, PUBLIC = ChatType
GONE = (404, "not_found")


async def try_act(
    database: Database, function: Callable[..., Awaitable[T]], who: Actor, *args: Any
) -> T | tuple[int, str]:
    """Return the result of the function, or status and code of its refusal."""
    try:
        return await world.do(database, function, who, *args)
    except Problem as problem:
        return problem.status, problem.code


async def create_chat(database: Database, who: Actor, kind: ChatType, *others: Actor, name: str | None = None) -> Chat:
    wanted = create.WantedChat(kind, name, members=[other.user_id for other in others])
    return (await world.do(database, create.create, who, wanted)).chat


async def event_log(database: Database, who: Actor) -> list[tuple[int, int, int | None, int | None, int | None]]:
    """Return number, type, chat, person and message of every event of the workspace."""
    sql = "SELECT seq, type, chat_id, user_id, message_id FROM events WHERE workspace_id = $1 ORDER BY seq"
    return [tuple(row) for row in await database.read(lambda tx: tx.fetch(sql, who.workspace_id))]  # type: ignore[misc]


class RepeatedSender:
    """Sends without pause until it is refused.

    Attributes:
        sent: the ids of the stored messages.
        begun: set after five messages.
        refused: status and code of the refusal.
    """

    def __init__(self, node: WriterNode, who: Actor, chat_id: ChatId) -> None:
        self.who = who
        self.sent: list[int] = []
        self.begun = asyncio.Event()
        self.refused: tuple[int, str] | None = None
        self._node, self._chat_id = node, chat_id

    async def run(self) -> None:
        while self.refused is None:
            answer = await self._node.send(self.who, self._chat_id, f"{self.who.user_id}: {len(self.sent)}")
            if isinstance(answer, Problem):
                self.refused = refusal(answer)
            else:
                self.sent.append(stored(answer)[1]["id"])
            if len(self.sent) == 5:
                self.begun.set()


async def interrupt_sending(
    database: Database, senders: list[RepeatedSender], function: Callable[..., Awaitable[Any]], who: Actor, *args: Any
) -> None:
    """Perform an act while the senders send, and wait until each of them is refused."""

    async def interrupt() -> None:
        await asyncio.gather(*(sender.begun.wait() for sender in senders))
        await world.do(database, function, who, *args)

    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.gather(interrupt(), *(sender.run() for sender in senders))


async def test_two_people_who_open_their_single_chat_at_once_get_one_chat(database: Database) -> None:
    alice, bob, carol = await world.people(database, "alice", "bob", "carol")
    for one, other in ((alice, bob), (bob, carol), (carol, alice)):
        wanted = {
            who.user_id: create.WantedChat(SINGLE, members=[with_.user_id])
            for who, with_ in ((one, other), (other, one))
        }
        answers = await asyncio.gather(
            *(world.do(database, create.create, who, wanted[who.user_id]) for who in (one, other) * 3)
        )
        assert len({answer.chat.id for answer in answers}) == 1
        assert [answer.new for answer in answers].count(True) == 1
    assert len(await event_log(database, alice)) == 6
    await check_invariants(database, alice.workspace_id)


async def test_concurrent_leaves_and_transfers_keep_the_invariants(database: Database) -> None:
    alice, bob, carol = await world.people(database, "alice", "bob", "carol")
    for _ in range(6):
        chat = await create_chat(database, alice, GROUP, bob, carol)
        await asyncio.gather(
            try_act(database, membership.transfer, alice, chat.id, bob.user_id),
            try_act(database, membership.leave, alice, chat.id),
            try_act(database, membership.leave, bob, chat.id),
            try_act(database, membership.transfer, bob, chat.id, carol.user_id),
        )
        await check_invariants(database, alice.workspace_id)
        assert (await database.read(lambda tx, chat_id=chat.id: views.chat_of(tx, carol, chat_id))).member_count in (
            1,
            2,
        )  # type: ignore[misc]


async def test_a_removed_member_sends_nothing_after_the_removal(database: Database, node: WriterNode) -> None:
    alice, bob, carol = await world.people(database, "alice", "bob", "carol")
    chat_id = await world.chat(database, alice, bob, carol)
    sender = RepeatedSender(node, bob, chat_id)
    await interrupt_sending(database, [sender], membership.remove, alice, chat_id, [bob.user_id])
    events = await event_log(database, alice)
    (removed,) = [seq for seq, kind, _, who, _ in events if kind == 7 and who == bob.user_id]
    assert sender.refused == GONE
    assert [message_id for seq, kind, _, _, message_id in events if kind == 1 and seq < removed] == sender.sent
    assert not [seq for seq, kind, *_ in events if kind == 1 and seq > removed]
    await check_invariants(database, alice.workspace_id)


async def test_a_deleted_chat_stores_no_message_after_its_deletion(database: Database, node: WriterNode) -> None:
    alice, *others = await world.people(database, "alice", "bob", "carol", "dave")
    chat_id, other = await world.chat(database, alice, *others), await world.chat(database, alice, *others)
    senders = [RepeatedSender(node, who, chat_id) for who in others]
    await interrupt_sending(database, senders, change.delete, alice, chat_id)
    events = await event_log(database, alice)
    (deleted,) = [seq for seq, kind, *_ in events if kind == 5]
    assert {sender.refused for sender in senders} == {GONE}
    assert {message for seq, kind, _, _, message in events if kind == 1 and seq < deleted} == {
        message for sender in senders for message in sender.sent
    }
    assert not [seq for seq, kind, *_ in events if kind == 1 and seq > deleted]
    assert (await node.sent(others[0], other, "goes on"))["number"] == 1
    await check_invariants(database, alice.workspace_id)


async def test_an_archived_chat_stores_no_message_until_it_is_unarchived(database: Database, node: WriterNode) -> None:
    alice, bob, carol = await world.people(database, "alice", "bob", "carol")
    chat_id = await world.chat(database, alice, bob)
    sender = RepeatedSender(node, bob, chat_id)
    await interrupt_sending(database, [sender], change.change, alice, chat_id, change.ChatUpdate(archived=True))
    assert sender.refused == (403, "chat_archived")
    before = await event_log(database, alice)
    assert not [
        seq for seq, kind, *_ in before if kind == 1 and seq > next(seq for seq, kind, *_ in before if kind == 4)
    ]
    attempts: list[tuple[Any, Actor, tuple[Any, ...]]] = [
        (changes.edit, bob, (chat_id, sender.sent[0], "other")),
        (changes.delete, bob, (chat_id, sender.sent[0])),
        (changes.delete, alice, (chat_id, sender.sent[0])),
        (membership.add, alice, (chat_id, [carol.user_id])),
        (membership.transfer, alice, (chat_id, bob.user_id)),
        (change.change, alice, (chat_id, change.ChatUpdate(name="other"))),
    ]
    for function, who, args in attempts:
        assert await try_act(database, function, who, *args) == (403, "chat_archived"), function
    assert await event_log(database, alice) == before
    assert (await database.read(lambda tx: views.chat_of(tx, bob, chat_id))).last_number == len(sender.sent)
    await world.do(database, change.change, alice, chat_id, change.ChatUpdate(archived=False))
    assert (await node.sent(bob, chat_id, "again"))["number"] == len(sender.sent) + 1


async def test_of_many_concurrent_requests_for_one_name_one_succeeds(database: Database) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    created = [
        await create_chat(database, who, PUBLIC, name=f"{number}") for number, who in enumerate((alice, bob, alice))
    ]
    answers = await asyncio.gather(
        *(try_act(database, change.change, who, chat.id, change.ChatUpdate(name=name)) for who, chat, name in zip(
            (alice, bob, alice), created, ("News", "NEWS", "ＮＥＷＳ"), strict=True)),
        *(try_act(database, create.create, who, create.WantedChat(PUBLIC, " news ")) for who in (alice, bob)),
    )  # fmt: skip
    assert sum(answer != (409, "name_taken") for answer in answers) == 1
    found = await database.read(lambda tx: channels.channels_of(tx, alice, "news", after=0, limit=10))
    assert len(found) == 1
    await check_invariants(database, alice.workspace_id)


async def test_concurrent_transfers_leave_one_owner(database: Database) -> None:
    alice, *others = await world.people(database, "alice", "bob", "carol", "dave")
    chat_id = await world.chat(database, alice, *others)
    answers = await asyncio.gather(
        *(try_act(database, membership.transfer, alice, chat_id, other.user_id) for other in others)
    )
    assert sum(answer == (403, "forbidden") for answer in answers) == len(others) - 1
    await check_invariants(database, alice.workspace_id)


async def test_the_directory_lists_each_channel_once_during_concurrent_changes(database: Database) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    stay = [(await create_chat(database, alice, PUBLIC, name=f"stays 100%_{number}!")).id for number in range(12)]
    doomed = [(await create_chat(database, alice, PUBLIC, name=f"goes {number}")).id for number in range(6)]

    async def list_names(query: str, after: int = 0) -> list[ChatId]:
        page = await database.read(lambda tx: channels.channels_of(tx, bob, query, after=after, limit=5))
        return [channel.id for channel in page]

    async def all_pages() -> list[ChatId]:
        found: list[ChatId] = []
        while page := await list_names("", after=found[-1] if found else 0):
            found += page
        return found

    async def change_channels() -> None:
        for chat_id in doomed:
            await world.do(database, change.delete, alice, chat_id)
            await create_chat(database, bob, PUBLIC, name=f"comes {chat_id}")

    found, _ = await asyncio.gather(all_pages(), change_channels())
    assert len(found) == len(set(found))
    assert set(stay) <= set(found)
    assert await list_names("100%_1") == [stay[1], stay[10], stay[11]]
    assert [await list_names(nothing) for nothing in ("100_", "!!", "\\")] == [[], [], []]


def random_act(dice: random.Random, people: list[Actor], chats: list[ChatId]) -> tuple[Any, Actor, tuple[Any, ...]]:
    """Return a random act. It may be refused."""
    actor, other, third = dice.sample(people, 3)
    chat_id = dice.choice(chats)
    return dice.choice([
        (create.create, actor, (create.WantedChat(SINGLE, members=[other.user_id]),)),
        (create.create, actor, (create.WantedChat(GROUP, members=[other.user_id, third.user_id]),)),
        (create.create, actor, (create.WantedChat(PUBLIC, dice.choice("abc")),)),
        (membership.join, actor, (chat_id,)),
        (membership.leave, actor, (chat_id,)),
        (membership.add, actor, (chat_id, [other.user_id, third.user_id])),
        (membership.remove, actor, (chat_id, [other.user_id])),
        (membership.transfer, actor, (chat_id, other.user_id)),
        (change.change, actor, (chat_id, change.ChatUpdate(name=dice.choice("abc")))),
        (change.change, actor, (chat_id, change.ChatUpdate(archived=dice.random() < 0.4))),
        (change.delete, actor, (chat_id,)) if dice.random() < 0.2 else (membership.join, other, (chat_id,)),
    ])  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
async def test_the_invariants_hold_after_random_concurrent_acts(
    database: Database, node: WriterNode, seed: int
) -> None:
    dice = random.Random(seed)
    workspace_id = await world.workspace(database)
    roles = [Role.OWNER, Role.ADMIN, *[Role.MEMBER] * 4, Role.GUEST]
    people = [await world.person(database, workspace_id, f"person{place}", role) for place, role in enumerate(roles)]
    await create_chat(database, people[2], PRIVATE, *people, name="begin")
    for _ in range(8):
        rows = await database.read(lambda tx: tx.fetch("SELECT id FROM chats WHERE workspace_id = $1", workspace_id))
        chats = [ChatId(row["id"]) for row in rows]
        wave = [random_act(dice, people, chats) for _ in range(12)]
        sends = [(dice.choice(people), dice.choice(chats)) for _ in range(6)]
        await asyncio.gather(
            *(try_act(database, function, who, *args) for function, who, args in wave),
            *(node.send(who, chat_id) for who, chat_id in sends),
        )
        await check_invariants(database, workspace_id)
