"""What a client loads that begins now: the answers of the HTTP contract, each from one snapshot."""

from __future__ import annotations

from typing import Any

import orjson

from fechatter.chats import views
from fechatter.errors import Problem
from fechatter.messages import history
from fechatter.model import Actor, ChatId, Position, encode
from fechatter.storage import events
from fechatter.storage.engines.base import Transaction
from tests import world

ALL = 10_000
_PEOPLE = "SELECT id, handle, fullname, role, disabled_at FROM users WHERE workspace_id = $1 ORDER BY id"
_WORKSPACE = "SELECT id, slug, name FROM workspaces WHERE id = $1"


async def fresh_list(tx: Transaction, who: Actor) -> tuple[Position, dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    """As `/api/sync` answers: position, workspace, people, chats."""
    head = (await events.heads(tx, who.workspace_id)).position
    workspace = await tx.fetchrow(_WORKSPACE, who.workspace_id)
    assert workspace is not None
    people = [world.told(row) for row in await tx.fetch(_PEOPLE, who.workspace_id)]
    chats = [orjson.loads(encode(chat)) for chat in await views.chats_of(tx, who, limit=ALL)]
    return head, {name: workspace[name] for name in ("id", "slug", "name")}, people, chats


async def fresh_page(tx: Transaction, who: Actor, chat_id: int) -> tuple[Position, list[dict[str, Any]]] | None:
    """All messages of a chat with the answer's position, or None when it cannot be seen."""
    try:
        await views.chat_of(tx, who, ChatId(chat_id))
    except Problem:
        return None
    head = (await events.heads(tx, who.workspace_id)).position
    page = await history.latest(tx, ChatId(chat_id), ALL)
    return head, [orjson.loads(encode(message)) for message in page.items]
