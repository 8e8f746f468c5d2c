"""The directory of public channels. Guests find only the channels that they are in."""

from __future__ import annotations

from typing import Annotated

import msgspec

from fechatter.canonical.names import has_control_characters, key_of
from fechatter.chats.names import NAME_CHARACTERS
from fechatter.errors import Invalid
from fechatter.model import Actor, AnyChat, ChatType, Timestamp, timestamp
from fechatter.rights.table import WorkspaceAction
from fechatter.rights.workspace import may
from fechatter.storage import chats
from fechatter.storage.engines.base import Transaction


class Channel(msgspec.Struct, frozen=True):
    """A public channel, as shown to people who can join it."""

    id: AnyChat
    chat_type: ChatType
    name: Annotated[str, msgspec.Meta(examples=["news"])]
    description: Annotated[str, msgspec.Meta(examples=["What is new"])]
    member_count: Annotated[int, msgspec.Meta(examples=[3])]
    created_at: Timestamp
    joined: bool


async def channels_of(tx: Transaction, actor: Actor, query: str, *, after: int, limit: int) -> list[Channel]:
    """Return up to `limit` public channels whose name contains `query`, ordered by id, with ids above `after`.

    Archived channels are left out.

    Raises:
        Invalid: no name can contain the query.
    """
    if len(query) > NAME_CHARACTERS or has_control_characters(query):
        raise Invalid.field("?q", "invalid_value", f"At most {NAME_CHARACTERS} characters, no control characters.")
    rows = await chats.public(
        tx,
        actor.workspace_id,
        actor.user_id,
        f"%{escaped(key_of(query))}%",
        after,
        limit,
        joined_only=not may(actor.role, WorkspaceAction.SEE_CHANNELS),
    )
    return [
        Channel(
            row["id"],
            ChatType.PUBLIC_CHANNEL,
            row["name"],
            row["description"],
            row["member_count"],
            timestamp(row["created_at"]),
            row["mine"] is not None,
        )
        for row in rows
    ]


def escaped(text: str) -> str:
    """Escape `text` for LIKE … ESCAPE '!'."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
