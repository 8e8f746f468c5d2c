"""A chat's history by number. Each page is one keyset query, whose cost does not depend on the chat's length."""

from __future__ import annotations

from typing import Annotated

import msgspec

from fechatter.errors import NotFound
from fechatter.model import Actor, ChatId, ChatType, Message, SessionId
from fechatter.native import encode_page
from fechatter.rights.chats import check_action, standing
from fechatter.rights.table import ChatAction
from fechatter.storage import messages
from fechatter.storage.engines.base import Database, Row
from fechatter.storage.rights import READER_COLUMNS


class MessagePage(msgspec.Struct, frozen=True):
    """A page of a chat's history, newest first."""

    items: list[Message]
    has_older: Annotated[bool, msgspec.Meta(examples=[True])]
    has_newer: bool


class PagePlace(msgspec.Struct, frozen=True):
    """The part of a chat's history that a page shows.

    Attributes:
        split: messages with lower numbers are older, the others are newer.
        older, newer: maximum number of messages of each side. If both sides are shown, the page has at most the larger
            number in total, half from each side if there are enough.
    """

    split: int
    older: int
    newer: int


def latest(limit: int) -> PagePlace:
    """Return the place of the newest messages."""
    return PagePlace(messages.END, limit, 0)


def before(number: int, limit: int) -> PagePlace:
    """Return the place of the messages directly before `number`."""
    return PagePlace(number, limit, 0)


def after(number: int, limit: int) -> PagePlace:
    """Return the place of the messages directly after `number`."""
    return PagePlace(number + 1, 0, limit)


def around(number: int, limit: int) -> PagePlace:
    """Return the place of a page with `number` in its middle, if there are enough messages on both sides."""
    return PagePlace(number + 1, limit, limit)


async def read(database: Database, session_id: SessionId, chat_id: ChatId, place: PagePlace) -> Row | None:
    """Read the person of a session, the chat and a page, in one statement. Returns the row for `show`."""
    return await messages.read_page(database, session_id, chat_id, place.split, place.older, place.newer)


def show(actor: Actor, row: Row, chat_id: ChatId, place: PagePlace) -> tuple[bytes, int]:
    """Return the MessagePage as JSON, and the number of rows that were read.

    Raises:
        NotFound: the chat does not exist, or is hidden from `actor`.
    """
    kind, archived_at, role, packed = row[READER_COLUMNS:]
    if kind is None:
        raise NotFound()
    check_action(ChatAction.READ, ChatType(kind), standing(actor.role, role), archived=archived_at is not None)
    return encode_page(packed or b"", chat_id, place.split, place.older, place.newer)
