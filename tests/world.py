"""Workspaces, people and chats for tests of the packages below the API, and a node that writes messages.

People and workspaces are inserted as rows, because tests of `accounts` cover their creation. Chats are created by
`fechatter.chats`.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypeVar, cast

import orjson

from fechatter.api.problems import render_for_gateway
from fechatter.chats import create
from fechatter.errors import Problem
from fechatter.events import EventType, UserData, WorkspaceData
from fechatter.frames import Frame
from fechatter.messages.publishing import Answer, WrittenBatch, answer_senders
from fechatter.messages.send import Sender, open_intake
from fechatter.messages.writer import Writer
from fechatter.model import Actor, ChatId, ChatType, Extras, Role, SessionId, UserId, WorkspaceId
from fechatter.storage import events, timelines, users, workspaces
from fechatter.storage.engines.base import Database, Transaction, Work
from fechatter.storage.engines.batch import Decided, MessageRows, StoreResult
from fechatter.storage.engines.errors import StorageUnavailable
from fechatter.tasks import Tasks

T = TypeVar("T")

FAR_MS = 10**14
_WORKSPACE = "INSERT INTO workspaces (id, slug, name, created_at) VALUES ($1, $2, $2, 0)"
_USER = """
INSERT INTO users (id, workspace_id, email, email_key, password_hash, fullname, handle, handle_key, role, created_at)
VALUES ($1, $2, $3, $3, '', $4, $3, $3, $5, 0)"""
_SESSION = """
INSERT INTO sessions (id, workspace_id, user_id, salt, created_at, last_used_at, expires_at)
VALUES ($1, $2, $3, $4, 0, 0, $5)"""
_REVOKE = "UPDATE sessions SET revoked_at = $2 WHERE id = $1"
_names = itertools.count(1)


async def workspace(database: Database) -> WorkspaceId:
    """Create an empty workspace."""

    async def work(tx: Transaction) -> WorkspaceId:
        made = WorkspaceId(await tx.new_id())
        await tx.execute(_WORKSPACE, made, f"workspace-{made}")
        return made

    return await database.write_unlocked(work)


async def person(database: Database, workspace_id: WorkspaceId, name: str, role: Role = Role.MEMBER) -> Actor:
    """Create a person with a session. `name` is both handle and full name."""

    async def work(tx: Transaction) -> Actor:
        user_id = UserId(await tx.new_id())
        await tx.execute(_USER, user_id, workspace_id, f"{name}{next(_names)}", name, role.value)
        return Actor(user_id, workspace_id, await _session(tx, workspace_id, user_id), role)

    return await database.write_unlocked(work)


async def people(database: Database, *names: str) -> list[Actor]:
    """Create people in a new workspace."""
    workspace_id = await workspace(database)
    return [await person(database, workspace_id, name) for name in names]


async def new_session(database: Database, who: Actor) -> Actor:
    """Sign in the same person again."""

    async def work(tx: Transaction) -> Actor:
        session_id = await _session(tx, who.workspace_id, who.user_id)
        return Actor(who.user_id, who.workspace_id, session_id, who.role)

    return await database.write_unlocked(work)


async def _session(tx: Transaction, workspace_id: WorkspaceId, user_id: UserId) -> SessionId:
    session_id = SessionId(await tx.new_id())
    await tx.execute(_SESSION, session_id, workspace_id, user_id, b"", FAR_MS)
    return session_id


async def do(database: Database, function: Callable[..., Awaitable[T]], who: Actor, *args: Any) -> T:
    """Run the function as its endpoint does: in a transaction under the workspace's lock."""

    async def work(tx: Transaction) -> T:
        return await function(tx, who, *args)

    return await database.write(who.workspace_id, work)


async def chat(database: Database, owner: Actor, *others: Actor, public: bool = False) -> ChatId:
    """Create a channel with an owner and other members."""
    kind = ChatType.PUBLIC_CHANNEL if public else ChatType.PRIVATE_CHANNEL
    wanted = create.WantedChat(kind, f"chat {next(_names)}", members=[other.user_id for other in others])
    return (await do(database, create.create, owner, wanted)).chat.id


async def thread(database: Database, chat_id: ChatId) -> int:
    """Store the timeline of a thread in a chat; returns its id."""

    async def work(tx: Transaction) -> int:
        thread_id = await tx.new_id()
        await timelines.begin(tx, chat_id, thread_id)
        return thread_id

    return await database.write_unlocked(work)


async def revoke(tx: Transaction, who: Actor) -> None:
    """End the session."""
    await tx.execute(_REVOKE, who.session_id, tx.now)
    draft = events.Draft(EventType.SESSION_REVOKED, user_id=who.user_id, session_id=who.session_id)
    await events.append(tx, who.workspace_id, [draft], rights=True)


async def rename(tx: Transaction, who: Actor, fullname: str) -> None:
    """Change a person's full name and announce it."""
    await tx.execute("UPDATE users SET fullname = $2 WHERE id = $1", who.user_id, fullname)
    draft = events.Draft(EventType.USER_UPDATED, user_id=who.user_id, data=await user_data(tx, who))
    await events.append(tx, who.workspace_id, [draft], rights=False)


async def user_data(tx: Transaction, who: Actor) -> UserData:
    """Return the data of an event about a person."""
    account = await users.find(tx, who.workspace_id, who.user_id)
    assert account is not None
    return UserData(users.public_view(account))


async def rename_workspace(tx: Transaction, who: Actor, name: str) -> None:
    """Change the workspace's name and announce it."""
    await workspaces.rename(tx, who.workspace_id, name)
    draft = events.Draft(EventType.WORKSPACE_UPDATED, data=await workspace_data(tx, who.workspace_id))
    await events.append(tx, who.workspace_id, [draft], rights=False)


async def workspace_data(tx: Transaction, workspace_id: WorkspaceId) -> WorkspaceData:
    """Return the data of an event about a workspace."""
    workspace = await workspaces.find(tx, workspace_id)
    assert workspace is not None
    return WorkspaceData(workspace)


class InterruptedDatabase:
    """A database whose batches wait for other work, after the writer's decision and before the transaction.

    Attributes:
        work: runs on the main loop before each `store`.
        lose_answer: store the batch, but report to the writer that the database is unavailable.
        stores, reads: how often the writer stored rows without the lock, and read.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._main_loop = asyncio.get_running_loop()
        self.batches = self
        self.store_locked = database.batches.store_locked
        self.work: Callable[[], Coroutine[Any, Any, None]] | None = None
        self.lose_answer = False
        self.stores = 0
        self.reads = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def read_on_writer(self, work: Work[T]) -> T:
        self.reads += 1
        return await self._database.read_on_writer(work)

    async def store(self, rows: MessageRows, decided_with: Mapping[int, Decided], now: int) -> StoreResult:
        self.stores += 1
        if self.work is not None:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self.work(), self._main_loop))
        result = await self._database.batches.store(rows, decided_with, now)
        if self.lose_answer:
            return StoreResult([], set(), {each: StorageUnavailable("the connection is cut") for each in decided_with})
        return result


class WriterNode:
    """A node's intake, writer and sender. The writer takes a batch only on `commit`.

    Attributes:
        frames: the published frames, in order.
        batches: the written batches.
    """

    def __init__(
        self, database: Database | InterruptedDatabase, *, capacity: int = 4096, extras_fields: type[Extras] = Extras
    ) -> None:
        self.frames: list[Frame] = []
        self.batches: list[WrittenBatch] = []
        self._tasks = Tasks(raise_on_death)
        self._intake = open_intake(capacity, extras_fields)
        self._writer = Writer(self._intake, cast("Database", database), self._finish, extras_fields)
        self._sender = Sender(self._intake, lambda: None)
        self._waiting: list[asyncio.Task[Answer]] = []
        self._running = self._tasks.start("writer", database.writer.call(self._writer.run))

    def _finish(self, batch: WrittenBatch) -> None:
        self.batches.append(batch)
        answer_senders(batch, render_for_gateway)
        self.frames += batch.frames

    def push(
        self, who: Actor, chat_id: ChatId, content: str = "hello", key: str | None = None, **more: object
    ) -> asyncio.Task[Answer]:
        """Start a send without waking the writer. The response arrives after a `commit`. `more` are other fields."""
        body = orjson.dumps({"content": content} | ({} if key is None else {"idempotency_key": key}) | more)
        answer = self._tasks.start("send", self._send(body, who, chat_id))
        self._waiting.append(answer)
        return answer

    async def _send(self, body: bytes, who: Actor, chat_id: ChatId) -> Answer:
        try:
            return await self._sender.send(body, None, chat_id, who.user_id, who.session_id)
        except Problem as problem:
            return problem

    async def commit(self) -> None:
        """Write and answer everything that was pushed."""
        await asyncio.sleep(0)
        self._writer.wake()
        waiting, self._waiting = self._waiting, []
        await asyncio.gather(*waiting)

    async def send(
        self, who: Actor, chat_id: ChatId, content: str = "hello", key: str | None = None, **more: object
    ) -> Answer:
        """Send one message in a batch of its own."""
        answer = self.push(who, chat_id, content, key, **more)
        await self.commit()
        return await answer

    async def sent(
        self, who: Actor, chat_id: ChatId, content: str = "hello", key: str | None = None, **more: object
    ) -> dict[str, Any]:
        """Send one message, which must be stored, and return it."""
        status, message = stored(await self.send(who, chat_id, content, key, **more))
        assert status == 201
        return message

    def failures(self) -> tuple[int, str]:
        """Return the number of batches with a failure, and the reason if the last batch was one."""
        return self._writer.failed, self._writer.failing

    async def close(self) -> None:
        """Write the waiting messages and stop."""
        self._writer.stop()
        await self._running
        await self._tasks.stop()


def stored(answer: Answer) -> tuple[int, dict[str, Any]]:
    """Return status and Message of a successful answer."""
    assert not isinstance(answer, Problem), answer
    return answer[0], orjson.loads(answer[1])


def refusal(answer: Answer) -> tuple[int, str]:
    """Return status and code of a refusal."""
    assert isinstance(answer, Problem), answer
    return answer.status, answer.code


def raise_on_death(name: str, error: BaseException) -> None:
    """Fail the test in which a task ends with an error."""
    raise AssertionError(f"task {name} died") from error
