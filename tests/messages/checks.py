"""Checks of what a writer stored and published."""

from __future__ import annotations

from fechatter.model import Actor, ChatId
from fechatter.storage import events
from fechatter.storage.engines.base import Database
from tests.history import messages_after
from tests.world import WriterNode


async def numbers(database: Database, chat_id: ChatId) -> list[int]:
    kept = await database.read(lambda tx: messages_after(tx, chat_id, 0, 10_000))
    return [each.number for each in kept]


async def check_whole(database: Database, node: WriterNode, who: Actor, *chats: ChatId) -> None:
    """Check that the chats and the log have no gaps, and that the published frames are those of the log."""
    for chat_id in chats:
        found = await numbers(database, chat_id)
        assert found == list(range(1, len(found) + 1))
    head = (await database.read(lambda tx: events.heads(tx, who.workspace_id))).head
    log = await database.read(lambda tx: events.load(tx, who.workspace_id, 0, head))
    assert [frame.seq for frame in log] == list(range(1, head + 1))
    by_seq = {frame.seq: frame.block for frame in log}
    assert all(by_seq[frame.seq] == frame.block for frame in node.frames if frame.workspace_id == who.workspace_id)
