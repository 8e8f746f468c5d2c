"""Pages of a chat's history as structs, read and encoded as the endpoint does, but without a session."""

from __future__ import annotations

from typing import Any

import msgspec
import orjson

from fechatter.messages import history
from fechatter.messages.history import MessagePage, PagePlace
from fechatter.model import ChatId, Message
from fechatter.native import encode_page
from fechatter.storage.engines.base import Transaction
from fechatter.storage.messages import packed_page

_PLACE = ("CAST($2 AS BIGINT)", "CAST($3 AS BIGINT)", "CAST($4 AS BIGINT)")
_PAGE = f"SELECT {packed_page('t', *_PLACE)} AS packed FROM timelines t WHERE t.id = $1"


async def read(tx: Transaction, timeline_id: int, place: PagePlace) -> MessagePage:
    """Return a page of a timeline."""
    row = await tx.fetchrow(_PAGE, timeline_id, place.split, place.older, place.newer)
    packed = b"" if row is None else row["packed"] or b""
    return decode(encode_page(packed, timeline_id, place.split, place.older, place.newer)[0])


def decode(page: bytes) -> MessagePage:
    """Return the page of a response. The extras of its messages are not checked."""
    found = orjson.loads(page)
    return MessagePage([_message(each) for each in found["items"]], found["has_older"], found["has_newer"])


def _message(fields: dict[str, Any]) -> Message:
    if "extras" in fields:
        fields["extras"] = msgspec.Raw(orjson.dumps(fields["extras"]))
    return Message(**fields)


async def latest(tx: Transaction, chat_id: ChatId, limit: int) -> MessagePage:
    return await read(tx, chat_id, history.latest(limit))


async def before(tx: Transaction, chat_id: ChatId, number: int, limit: int) -> MessagePage:
    return await read(tx, chat_id, history.before(number, limit))


async def after(tx: Transaction, chat_id: ChatId, number: int, limit: int) -> MessagePage:
    return await read(tx, chat_id, history.after(number, limit))


async def around(tx: Transaction, chat_id: ChatId, number: int, limit: int) -> MessagePage:
    return await read(tx, chat_id, history.around(number, limit))


async def messages_after(tx: Transaction, chat_id: int, number: int, limit: int) -> list[Message]:
    """Return the messages of a timeline directly after `number`, oldest first."""
    return (await read(tx, chat_id, history.after(number, limit))).items[::-1]
