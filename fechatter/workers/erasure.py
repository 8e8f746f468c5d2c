"""Erases deleted chats in small steps, with a pause after each step."""

from __future__ import annotations

import asyncio
import logging

from fechatter.model import ChatId, WorkspaceId
from fechatter.storage import erasure
from fechatter.storage.engines.base import Database
from fechatter.storage.erasure import DeletedChat
from fechatter.workers.pieces import Pieces, in_pieces

log = logging.getLogger(__name__)

PAUSE_SECONDS = 0.05


async def erase_chats(database: Database) -> int:
    """Erase the contents of chats that were deleted more than a minute ago; return the number of chats.

    Raises StorageError, PartlyFailed.
    """
    erased, after = 0, 0
    async with in_pieces(database) as pieces:
        while found := await _deleted_chats(database, after):
            by_workspace: dict[WorkspaceId, list[DeletedChat]] = {}
            for chat in found:
                by_workspace.setdefault(chat.workspace_id, []).append(chat)
            for workspace_id, chats in by_workspace.items():
                work = _erase(database, pieces, workspace_id, chats)
                erased += await pieces.run(f"workspace {workspace_id}", work) or 0
            after = found[-1].id
    return erased


async def _deleted_chats(database: Database, after: int) -> list[DeletedChat]:
    return await database.read(lambda tx: erasure.deleted_chats(tx, after))


async def _erase(database: Database, pieces: Pieces, workspace_id: WorkspaceId, chats: list[DeletedChat]) -> int:
    ids = [chat.id for chat in chats if await pieces.run(f"chat {chat.id}", _drop_messages(database, chat)) is not None]
    reached: int | None = 0
    while ids and reached is not None:
        reached = await _clear_some_events(database, workspace_id, ids, reached)
        await asyncio.sleep(PAUSE_SECONDS)
    await database.write(workspace_id, lambda tx: erasure.finish(tx, ids))
    return len(ids)


async def _drop_messages(database: Database, chat: DeletedChat) -> int:
    dropped, more = 0, True
    while more:
        step = await database.write(
            chat.workspace_id, lambda tx: erasure.drop_messages(tx, chat.id, erasure.STEP_MESSAGES)
        )
        dropped, more = dropped + step.messages, step.more
        await asyncio.sleep(PAUSE_SECONDS)
    log.info("erased %d messages of a deleted chat", dropped)
    return dropped


async def _clear_some_events(
    database: Database, workspace_id: WorkspaceId, ids: list[ChatId], after: int
) -> int | None:
    return await database.write(workspace_id, lambda tx: erasure.clear_events(tx, workspace_id, ids, after))
