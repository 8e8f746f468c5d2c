"""Writes an export from one snapshot. It reads a page of rows at a time, so memory does not grow with the workspace.

Only the operator of the server can export, because an export contains private chats too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import msgspec
from msgspec import UNSET, UnsetType

from fechatter import __version__
from fechatter.export import lines
from fechatter.model import WorkspaceId, optional_timestamp, timestamp
from fechatter.storage import events, messages, statuses, timelines
from fechatter.storage.copying import Progress
from fechatter.storage.engines.base import Row, Transaction
from fechatter.storage.messages import Version
from fechatter.storage.timelines import timeline_of

PAGE_ROWS = 1000

_WORKSPACE = "SELECT id, slug, name, created_at FROM workspaces WHERE id = $1"
_PEOPLE = f"""
SELECT u.id, u.handle, u.fullname, u.email, u.kind, u.role, u.timezone, u.language, u.created_at, u.disabled_at,
    u.shows_presence, u.sends_receipts, {statuses.COLUMNS}
FROM users u WHERE u.workspace_id = $1 AND u.id > $2 ORDER BY u.id LIMIT $3"""
_CHATS = """
SELECT id, chat_type, name, description, owner_id, created_at, updated_at, archived_at FROM chats
WHERE workspace_id = $1 AND deleted_at IS NULL AND id > $2 ORDER BY id LIMIT $3"""
_MEMBERS = """
SELECT chat_id, user_id, role, joined_at FROM memberships
WHERE chat_id = $1 AND left_seq IS NULL AND user_id > $2 ORDER BY user_id LIMIT $3"""
_MESSAGES = f"""
SELECT {messages.columns_of("m")} FROM messages m
WHERE {timeline_of("m")} = $1 AND m.number > $2 ORDER BY m.number LIMIT $3"""

Write = Callable[[bytes], object]


class ExportWriter:
    """Writes lines and counts them by type."""

    def __init__(self, tx: Transaction, write: Write, progress: Progress) -> None:
        self._tx = tx
        self._write = write
        self._progress = progress
        self._encoder = msgspec.json.Encoder()
        self.counts: dict[str, int] = {}

    async def workspace(self, workspace_id: WorkspaceId) -> None:
        """Write every line of the export."""
        heads = await events.heads(self._tx, workspace_id)
        cursor = str(heads.position)
        self._put(lines.BeginLine(lines.FORMAT, __version__, timestamp(self._tx.now), cursor))
        for row in await self._tx.fetch(_WORKSPACE, workspace_id):
            self._put(lines.WorkspaceLine(row["id"], row["slug"], row["name"], timestamp(row["created_at"])))
        async for row in self._pages(_PEOPLE, workspace_id, "id"):
            self._put(_person(row))
        async for row in self._pages(_CHATS, workspace_id, "id"):
            self._put(_chat(row))
            await self._contents(row["id"])
        self._write(self._encoder.encode(lines.EndLine(self.counts)) + b"\n")

    async def _contents(self, chat_id: int) -> None:
        async for row in self._pages(_MEMBERS, chat_id, "user_id"):
            self._put(lines.MembershipLine(row["chat_id"], row["user_id"], row["role"], timestamp(row["joined_at"])))
        async for row in self._pages(timelines.OF_CHAT, chat_id, "id"):
            await self._messages(row["id"], UNSET if row["id"] == chat_id else row["id"])

    async def _messages(self, timeline_id: int, thread_id: int | UnsetType) -> None:
        after = 0
        while rows := await self._tx.fetch(_MESSAGES, timeline_id, after, PAGE_ROWS):
            versions = await messages.versions_of_many(self._tx, [row["id"] for row in rows if row["revision"] > 1])
            for row in rows:
                self._put(_message(row, thread_id, versions.get(row["id"], [])))
            after = rows[-1]["number"]
            self._progress("messages", self.counts["message"], None)

    async def _pages(self, sql: str, within: int, key: str) -> AsyncIterator[Row]:
        after = 0
        while rows := await self._tx.fetch(sql, within, after, PAGE_ROWS):
            for row in rows:
                yield row
            after = rows[-1][key]

    def _put(self, line: lines.ExportLine) -> None:
        self._write(self._encoder.encode(line) + b"\n")
        kind = str(line.__struct_config__.tag)
        self.counts[kind] = self.counts.get(kind, 0) + 1


def _person(row: Row) -> lines.PersonLine:
    return lines.PersonLine(
        row["id"],
        row["handle"],
        row["fullname"],
        row["email"],
        row["kind"],
        row["role"],
        row["timezone"],
        row["language"],
        timestamp(row["created_at"]),
        optional_timestamp(row["disabled_at"]),
        statuses.of_row(row),
        bool(row["shows_presence"]),
        bool(row["sends_receipts"]),
    )


def _chat(row: Row) -> lines.ChatLine:
    return lines.ChatLine(
        row["id"],
        row["chat_type"],
        row["name"],
        row["description"],
        row["owner_id"],
        timestamp(row["created_at"]),
        timestamp(row["updated_at"]),
        optional_timestamp(row["archived_at"]),
    )


def _message(row: Row, thread_id: int | UnsetType, versions: list[Version]) -> lines.MessageLine:
    fields = msgspec.structs.asdict(messages.message(row))
    return lines.MessageLine(**fields, thread_id=thread_id, versions=versions)


async def write_workspace(
    tx: Transaction, workspace_id: WorkspaceId, write: Write, progress: Progress
) -> dict[str, int]:
    """Write all lines of a workspace; returns the number of lines of each type."""
    writer = ExportWriter(tx, write, progress)
    await writer.workspace(workspace_id)
    return writer.counts
