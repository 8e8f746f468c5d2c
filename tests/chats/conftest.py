"""A workspace with people, inserted as rows, on either engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import orjson
import pytest

from fechatter.chats import create, views
from fechatter.frames import Frame, Signal, block_json
from fechatter.model import Actor, Chat, ChatId, ChatType, Role, SessionId, UserId, WorkspaceId
from fechatter.storage.engines.base import Database, Transaction
from fechatter.storage.opening import open_database

T = TypeVar("T")

_WORKSPACE = "INSERT INTO workspaces (id, slug, name, created_at) VALUES ($1, $2, $2, 0)"
_USER = """
INSERT INTO users
  (id, workspace_id, email, email_key, password_hash, fullname, handle, handle_key, role, kind, created_at)
VALUES ($1, $2, $3, $3, '', $3, $3, $3, $4, $5, 0)"""
_DISABLE = "UPDATE users SET disabled_at = 1 WHERE id = $1"
_HEAD = """
UPDATE timelines SET last_number = last_number + 1, last_message_id = $2 WHERE id = $1 RETURNING last_number"""
_MESSAGE = """
INSERT INTO messages (id, chat_id, number, sender_id, content, created_at) VALUES ($1, $2, $3, $4, $5, $6)"""


class World:
    """One database with the frames and signals that it published."""

    def __init__(self) -> None:
        self.database: Database
        self.frames: list[Frame] = []
        self.signals: list[Signal] = []

    def publish(self, frames: list[Frame], signals: list[Signal]) -> None:
        self.frames += frames
        self.signals += signals

    async def workspace(self, slug: str = "acme") -> WorkspaceId:
        async def work(tx: Transaction) -> WorkspaceId:
            workspace_id = WorkspaceId(await tx.new_id())
            await tx.execute(_WORKSPACE, workspace_id, f"{slug}-{workspace_id}")
            return workspace_id

        return await self.database.write_unlocked(work)

    async def person(
        self, workspace_id: WorkspaceId, name: str, role: Role = Role.MEMBER, kind: str = "person"
    ) -> Actor:
        async def work(tx: Transaction) -> Actor:
            user_id = UserId(await tx.new_id())
            await tx.execute(_USER, user_id, workspace_id, name, role.value, kind)
            return Actor(user_id, workspace_id, SessionId(user_id), role)

        return await self.database.write_unlocked(work)

    async def people(self, workspace_id: WorkspaceId, *names: str) -> list[Actor]:
        return [await self.person(workspace_id, name) for name in names]

    async def disable(self, user_id: UserId) -> None:
        await self.database.write_unlocked(lambda tx: tx.execute(_DISABLE, user_id))

    async def message(self, chat_id: ChatId, sender: Actor, content: str = "hello") -> int:
        """Store a message without an event and return its number."""

        async def work(tx: Transaction) -> int:
            message_id = await tx.new_id()
            row = await tx.fetchrow(_HEAD, chat_id, message_id)
            assert row is not None
            await tx.execute(_MESSAGE, message_id, chat_id, row["last_number"], sender.user_id, content, tx.now)
            return int(row["last_number"])

        return await self.database.write_unlocked(work)

    async def do(self, function: Callable[..., Awaitable[T]], actor: Actor, *args: Any, **named: Any) -> T:
        """Run a writing function as its endpoint does: in a transaction under the workspace's lock."""

        async def work(tx: Transaction) -> T:
            return await function(tx, actor, *args, **named)

        return await self.database.write(actor.workspace_id, work)

    async def see(self, function: Callable[..., Awaitable[T]], actor: Actor, *args: Any, **named: Any) -> T:
        """Run a reading function on a snapshot."""
        return await self.database.read(lambda tx: function(tx, actor, *args, **named))

    async def create(self, actor: Actor, chat_type: ChatType, *others: Actor, **named: Any) -> Chat:
        name = None if chat_type in (ChatType.SINGLE, ChatType.GROUP) else "news"
        values: dict[str, Any] = {"name": name, "members": [other.user_id for other in others], **named}
        created = await self.do(create.create, actor, create.WantedChat(chat_type, **values))
        return created.chat

    async def chat(self, actor: Actor, chat_id: ChatId) -> Chat:
        return await self.see(views.chat_of, actor, chat_id)

    async def rows(self, sql: str, *args: object) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self.database.read(lambda tx: tx.fetch(sql, *args))]

    def events(self) -> list[dict[str, Any]]:
        """Return the published events in order, as members see them, and forget them."""
        shown = [orjson.loads(block_json(frame.block)) for frame in self.frames]
        self.frames.clear()
        return shown


@pytest.fixture
async def world(address: str) -> AsyncIterator[World]:
    made = World()
    made.database = await open_database(address, made.publish, connections=4)
    yield made
    await made.database.close()
