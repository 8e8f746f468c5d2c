"""Deleted content is in no table, no log and no byte of SQLite's file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from fechatter.chats import change, create, membership
from fechatter.messages import changes
from fechatter.model import Actor, ChatId, ChatType
from fechatter.settings import Settings
from fechatter.storage import chats, erasure, events, messages
from fechatter.storage.engines.base import Database
from fechatter.storage.opening import open_database
from fechatter.workers import erasure as erasing
from fechatter.workers.erasure import erase_chats
from fechatter.workers.upkeep import Upkeep
from tests import world
from tests.engines import Published
from tests.history import messages_after
from tests.native.reference import fingerprint
from tests.world import WriterNode

MARK = "Quetzalcoatl"
"""Part of every text that must disappear."""
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Erase without a delay and in small steps."""
    monkeypatch.setattr(erasure, "AFTER_MS", -1000)
    monkeypatch.setattr(erasure, "STEP_MESSAGES", 3)
    monkeypatch.setattr(erasure, "STEP_EVENTS", 5)
    monkeypatch.setattr(erasing, "PAUSE_SECONDS", 0)


class SearchableDatabase:
    """A database whose stored bytes can be searched after it is closed."""

    def __init__(self, address: str, database: Database) -> None:
        self.address = address
        self.database = database
        self.node = WriterNode(database)
        self.open = True

    async def close(self) -> None:
        if self.open:
            self.open = False
            await self.node.close()
            await self.database.close()

    async def find_mark(self, mark: str) -> list[str]:
        """Close the database and return the files or tables that still contain `mark`."""
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
async def searchable(address: str, published: Published) -> AsyncIterator[SearchableDatabase]:
    made = SearchableDatabase(address, await open_database(address, published, connections=4))
    yield made
    await made.close()


async def send_messages(searchable: SearchableDatabase, who: Actor, chat_id: ChatId, count: int) -> list[int]:
    """Send messages with keys and edit the first one twice. Returns their ids."""
    ids = [
        (await searchable.node.sent(who, chat_id, f"{MARK} {place}", f"key {place}"))["id"] for place in range(count)
    ]
    for content in ("once", "twice"):
        await world.do(searchable.database, changes.edit, who, chat_id, ids[0], f"{MARK} {content}")
    return ids


async def test_a_deleted_message_leaves_no_content_and_no_fingerprint(searchable: SearchableDatabase) -> None:
    alice, bob = await world.people(searchable.database, "alice", "bob")
    chat_id = await world.chat(searchable.database, alice, bob)
    ids = await send_messages(searchable, alice, chat_id, 3)
    await searchable.node.sent(alice, chat_id, "stays", "other key")
    for message_id in ids:
        await world.do(searchable.database, changes.delete, alice, chat_id, message_id)
    await Upkeep(searchable.database, Settings()).prune_keys()
    left = await searchable.database.read(
        lambda tx: tx.fetch("SELECT fingerprint FROM message_keys WHERE chat_id = $1", chat_id)
    )
    assert sorted(row["fingerprint"] for row in left) == sorted([messages.FORGOTTEN] * 3 + [fingerprint("stays")])
    status, again = world.stored(await searchable.node.send(alice, chat_id, f"{MARK} 0".upper(), "key 0"))
    assert (status, again["id"], again["content"], again["deleted_at"] is None) == (200, ids[0], "", False)
    assert await searchable.find_mark(MARK) == []


async def test_a_deleted_chat_leaves_no_content_and_its_deletion_is_still_replayed(
    searchable: SearchableDatabase,
) -> None:
    alice, bob = await world.people(searchable.database, "alice", "bob")
    wanted = create.WantedChat(ChatType.PUBLIC_CHANNEL, MARK, MARK, idempotency_key="k")
    chat = (await world.do(searchable.database, create.create, alice, wanted)).chat
    other = await world.chat(searchable.database, alice, bob)
    await searchable.node.sent(alice, other, "stays")
    await world.do(searchable.database, membership.join, bob, chat.id)
    await send_messages(searchable, alice, chat.id, 8)
    await world.do(
        searchable.database,
        change.change,
        alice,
        chat.id,
        change.ChatUpdate(name=f"{MARK} again", description=f"{MARK}!"),
    )
    await world.do(searchable.database, change.delete, alice, chat.id)
    assert await erase_chats(searchable.database) >= 1
    assert await erase_chats(searchable.database) == 0
    await Upkeep(searchable.database, Settings()).prune_keys()
    heads = await searchable.database.read(lambda tx: events.heads(tx, alice.workspace_id))
    log = await searchable.database.read(lambda tx: events.load(tx, alice.workspace_id, 0, heads.head))
    assert [frame.seq for frame in log] == list(range(1, heads.head + 1))
    shown = await searchable.database.read(
        lambda tx: events.load_visible(tx, alice.workspace_id, 0, heads.head, bob.user_id, guest=False, limit=100)
    )
    assert [(frame.type.value, frame.chat_id) for frame in shown] == [
        ("member.joined", other),
        ("message.created", other),
        ("chat.deleted", chat.id),
    ]
    left = await searchable.database.read(lambda tx: messages_after(tx, other, 0, 10))
    assert [message.content for message in left] == ["stays"]
    keyed = await searchable.database.read(lambda tx: chats.with_key(tx, alice.user_id, "k"))
    assert keyed == (chat.id, chats.FORGOTTEN)
    assert await searchable.find_mark(MARK) == []


async def test_a_chat_is_erased_only_after_every_node_has_published_its_deletion(
    searchable: SearchableDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "AFTER_MS", 60_000)
    (alice,) = await world.people(searchable.database, "alice")
    chat_id = await world.chat(searchable.database, alice)
    await searchable.node.sent(alice, chat_id, MARK)
    await world.do(searchable.database, change.delete, alice, chat_id)
    await erase_chats(searchable.database)
    assert len(await searchable.database.read(lambda tx: messages_after(tx, chat_id, 0, 10))) == 1
