"""A chat's history by number. Each page is one keyset query, whose cost does not depend on the chat's length."""

from __future__ import annotations

from typing import Annotated

import msgspec

from fechatter.model import ChatId, Message
from fechatter.storage import messages
from fechatter.storage.engines.base import Transaction


class MessagePage(msgspec.Struct, frozen=True):
    """A page of a chat's history, newest first."""

    items: list[Message]
    has_older: Annotated[bool, msgspec.Meta(examples=[True])]
    has_newer: bool


async def latest(tx: Transaction, chat_id: ChatId, limit: int) -> MessagePage:
    """Return the newest messages."""
    found = await messages.before(tx, chat_id, messages.END, limit + 1)
    return MessagePage(found[:limit], len(found) > limit, has_newer=False)


async def before(tx: Transaction, chat_id: ChatId, number: int, limit: int) -> MessagePage:
    """Return the messages directly before `number`."""
    found = await messages.before(tx, chat_id, number, limit + 1)
    newer = await messages.after(tx, chat_id, number - 1, 1)
    return MessagePage(found[:limit], len(found) > limit, bool(newer))


async def after(tx: Transaction, chat_id: ChatId, number: int, limit: int) -> MessagePage:
    """Return the messages directly after `number`."""
    found = await messages.after(tx, chat_id, number, limit + 1)
    older = await messages.before(tx, chat_id, number + 1, 1)
    return MessagePage(found[:limit][::-1], bool(older), len(found) > limit)


async def around(tx: Transaction, chat_id: ChatId, number: int, limit: int) -> MessagePage:
    """Return a page with `number` in its middle, if there are enough messages on both sides."""
    older = await messages.before(tx, chat_id, number + 1, limit + 1)
    newer = await messages.after(tx, chat_id, number, limit + 1)
    newer_count = min(len(newer), max(limit // 2, limit - len(older)))
    older_count = min(len(older), limit - newer_count)
    items = newer[:newer_count][::-1] + older[:older_count]
    return MessagePage(items, len(older) > older_count, len(newer) > newer_count)
