"""The data that a new client loads: the responses of the HTTP contract, each from one snapshot."""

from __future__ import annotations

from typing import Any

import orjson

from fechatter.chats import views
from fechatter.errors import Problem
from fechatter.model import Actor, ChatId, Position, encode
from fechatter.storage import events, users, workspaces
from fechatter.storage.engines.base import Transaction
from tests import history

ALL = 10_000


async def fresh_list(
    tx: Transaction, who: Actor
) -> tuple[Position, dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what `/api/sync` returns: position, workspace, people and chats."""
    head = (await events.heads(tx, who.workspace_id)).position
    workspace = await workspaces.find(tx, who.workspace_id)
    accounts = await users.page(tx, who.workspace_id, 0, who.user_id, "", ALL, guest=False)
    people = [orjson.loads(encode(users.public_view(account))) for account in accounts]
    chats = [orjson.loads(encode(chat)) for chat in await views.chats_of(tx, who, limit=ALL)]
    return head, orjson.loads(encode(workspace)), people, chats


async def fresh_page(tx: Transaction, who: Actor, chat_id: int) -> tuple[Position, list[dict[str, Any]]] | None:
    """Return all messages of a chat with the position of the response, or None if the chat is hidden."""
    try:
        await views.chat_of(tx, who, ChatId(chat_id))
    except Problem:
        return None
    head = (await events.heads(tx, who.workspace_id)).position
    page = await history.latest(tx, ChatId(chat_id), ALL)
    return head, [orjson.loads(encode(message)) for message in page.items]
