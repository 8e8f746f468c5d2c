"""Deleting leaves nothing of the content behind: not in a table, not in the log, not in the bytes of SQLite's file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from fechatter.chats import change, create, membership
from fechatter.messages import changes
from fechatter.model import Actor, ChatId, ChatType
from fechatter.native import fingerprint
from fechatter.settings import Settings
from fechatter.storage import chats, erasure, events, messages
from fechatter.storage.engines.base import Database
from fechatter.storage.opening import open_database
from fechatter.workers import erasure as erasing
from fechatter.workers.erasure import erase_chats
from fechatter.workers.upkeep import Upkeep
from tests import world
from tests.engines import Published
from tests.world import Desk

MARK = "Quetzalcoatl"
"""Stands in everything that is to be gone."""
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No wait, and steps of little."""
    monkeypatch.setattr(erasure, "AFTER_MS", -1000)
    monkeypatch.setattr(erasure, "STEP_MESSAGES", 3)
    monkeypatch.setattr(erasure, "STEP_EVENTS", 5)
    monkeypatch.setattr(erasing, "PAUSE_SECONDS", 0)


class Kept:
    """A database that can be searched, once it is closed."""

    def __init__(self, address: str, database: Database) -> None:
        self.address = address
        self.database = database
        self.desk = Desk(database)
        self.open = True

    async def close(self) -> None:
        if self.open:
            self.open = False
            await self.desk.close()
            await self.database.close()

    async def places(self, mark: str) -> list[str]:
        """Where `mark` still stands: the file, or tables."""
        await self.close()
        if self.address.startswith("sqlite://"):
            file = Path(self.address.removeprefix("sqlite://"))
            files = [each for each in file.parent.iterdir() if each.name.startswith(file.name)]
            return [each.name for each in files if mark.lower().encode() in each.read_bytes().lower()]
        connection = await asyncpg.connect(self.address)
        try:
            tables = [row[0] for row in await connection.fetch(_TABLES)]
            asked = "SELECT count(*) FROM {} AS kept WHERE kept::text ILIKE $1"
            return [name for name in tables if await connection.fetchval(asked.format(name), f"%{mark}%")]
        finally:
            await connection.close()


@pytest.fixture
async def kept(address: str, published: Published) -> AsyncIterator[Kept]:
    made = Kept(address, await open_database(address, published, connections=4))
    yield made
    await made.close()


async def fill(kept: Kept, who: Actor, chat_id: ChatId, count: int) -> list[int]:
    """Messages with keys, the first of them edited twice; returns their ids."""
    ids = [(await kept.desk.sent(who, chat_id, f"{MARK} {place}", f"key {place}"))["id"] for place in range(count)]
    for content in ("once", "twice"):
        await world.do(kept.database, changes.edit, who, chat_id, ids[0], f"{MARK} {content}")
    return ids


async def test_a_deleted_message_leaves_no_content_and_no_trace_to_prove_a_guess_with(kept: Kept) -> None:
    alice, bob = await world.people(kept.database, "alice", "bob")
    chat_id = await world.chat(kept.database, alice, bob)
    ids = await fill(kept, alice, chat_id, 3)
    await kept.desk.sent(alice, chat_id, "stays", "other key")
    for message_id in ids:
        await world.do(kept.database, changes.delete, alice, chat_id, message_id)
    await Upkeep(kept.database, Settings()).prune_keys()
    left = await kept.database.read(lambda tx: tx.fetch("SELECT fingerprint FROM message_keys WHERE chat_id = $1", chat_id))
    assert sorted(row["fingerprint"] for row in left) == sorted([messages.FORGOTTEN] * 3 + [fingerprint("stays")])
    status, again = world.stored(await kept.desk.send(alice, chat_id, f"{MARK} 0".upper(), "key 0"))
    assert (status, again["id"], again["content"], again["deleted_at"] is None) == (200, ids[0], "", False)
    assert await kept.places(MARK) == []


async def test_a_deleted_chat_leaves_nothing_it_held_and_its_end_is_still_told(kept: Kept) -> None:
    alice, bob = await world.people(kept.database, "alice", "bob")
    wanted = create.WantedChat(ChatType.PUBLIC_CHANNEL, MARK, MARK, idempotency_key="k")
    chat = (await world.do(kept.database, create.create, alice, wanted)).chat
    other = await world.chat(kept.database, alice, bob)
    await kept.desk.sent(alice, other, "stays")
    await world.do(kept.database, membership.join, bob, chat.id)
    await fill(kept, alice, chat.id, 8)
    await world.do(kept.database, change.change, alice, chat.id, change.ChatUpdate(name=f"{MARK} again", description=f"{MARK}!"))
    await world.do(kept.database, change.delete, alice, chat.id)
    assert await erase_chats(kept.database) >= 1
    assert await erase_chats(kept.database) == 0
    await Upkeep(kept.database, Settings()).prune_keys()
    heads = await kept.database.read(lambda tx: events.heads(tx, alice.workspace_id))
    log = await kept.database.read(lambda tx: events.load(tx, alice.workspace_id, 0, heads.head))
    assert [frame.seq for frame in log] == list(range(1, heads.head + 1))
    shown = await kept.database.read(
        lambda tx: events.load_visible(tx, alice.workspace_id, 0, heads.head, bob.user_id, guest=False, limit=100)
    )
    assert [(frame.type.value, frame.chat_id) for frame in shown] == [
        ("member.joined", other),
        ("message.created", other),
        ("chat.deleted", chat.id),
    ]
    left = await kept.database.read(lambda tx: messages.after(tx, other, 0, 10))
    assert [message.content for message in left] == ["stays"]
    keyed = await kept.database.read(lambda tx: chats.with_key(tx, alice.user_id, "k"))
    assert keyed == (chat.id, chats.FORGOTTEN)
    assert await kept.places(MARK) == []


async def test_a_chat_is_erased_only_when_no_node_can_still_be_telling_of_it(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "AFTER_MS", 60_000)
    (alice,) = await world.people(kept.database, "alice")
    chat_id = await world.chat(kept.database, alice)
    await kept.desk.sent(alice, chat_id, MARK)
    await world.do(kept.database, change.delete, alice, chat_id)
    await erase_chats(kept.database)
    assert len(await kept.database.read(lambda tx: messages.after(tx, chat_id, 0, 10))) == 1
