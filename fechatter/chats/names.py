"""Checks of the names and descriptions of chats, and warnings about names that look alike."""

from __future__ import annotations

from typing import Annotated

import msgspec

from fechatter.canonical.names import has_control_characters, key_of, name_errors
from fechatter.errors import Conflict, FieldError
from fechatter.model import AnyChat, Chat, ChatId, ChatType, WorkspaceId
from fechatter.native import skeleton
from fechatter.storage import chats
from fechatter.storage.engines.base import Transaction

NAME_CHARACTERS = 128
DESCRIPTION_CHARACTERS = 1000
KEY_BYTES = 1024
"""Normalization can multiply the length of a text, and databases limit the length of an index key."""
COMPARED_CHANNELS = 10_000
"""The number of public channels that a new name is compared with."""
CHANNELS = (ChatType.PRIVATE_CHANNEL, ChatType.PUBLIC_CHANNEL)


class NameWarning(msgspec.Struct, frozen=True):
    """The name was accepted, but people may confuse it with another name."""

    code: Annotated[
        str,
        msgspec.Meta(
            description="`confusable_name`: the name looks like another public channel's.", examples=["confusable_name"]
        ),
    ]
    detail: Annotated[str, msgspec.Meta(examples=["This name looks like another channel's name: news"])]
    chat_id: AnyChat
    name: Annotated[str, msgspec.Meta(examples=["news"])]


class NamedChat(Chat, frozen=True, kw_only=True):
    """A chat that was created or changed; `warnings` is present only if there are any."""

    warnings: list[NameWarning] | msgspec.UnsetType = msgspec.UNSET


def errors(kind: ChatType, name: str | None) -> list[FieldError]:
    """Return the errors of a name: single chats have no name, groups may have one, channels must have one."""
    if name is None:
        return [FieldError("/name", "missing", "A channel needs a name.")] if kind in CHANNELS else []
    if kind is ChatType.SINGLE:
        return [FieldError("/name", "not_allowed", "A single chat has no name.")]
    found = name_errors("/name", name, NAME_CHARACTERS)
    if not found and len(key_of(name).encode()) > KEY_BYTES:
        return [FieldError("/name", "too_long", "This name is too long after Unicode normalization.")]
    return found


def description_errors(description: str) -> list[FieldError]:
    """Return the errors of a description; it may be empty."""
    return _text_errors("/description", description, DESCRIPTION_CHARACTERS, allowed="\n\t")


def _text_errors(pointer: str, text: str, most: int, allowed: str = "") -> list[FieldError]:
    if len(text) > most:
        return [FieldError(pointer, "too_long", f"At most {most} characters.")]
    if has_control_characters(text, allowed):
        return [FieldError(pointer, "control_character", "Control characters are not allowed here.")]
    return []


async def check_free(
    tx: Transaction, workspace_id: WorkspaceId, kind: ChatType, name: str | None, *, chat_id: ChatId | None = None
) -> None:
    """Check that no other public channel has the name; names of other chats may repeat.

    Raises:
        Conflict: `name_taken`.
    """
    if kind is not ChatType.PUBLIC_CHANNEL or name is None:
        return
    if await chats.public_with_name(tx, workspace_id, key_of(name)) not in (None, chat_id):
        raise Conflict("Another public channel has this name.", code="name_taken")


async def warnings(tx: Transaction, workspace_id: WorkspaceId, chat: Chat) -> list[NameWarning]:
    """Return warnings about public channels whose names look like this name (UTS #39).

    Private channels are not compared, because a warning would reveal that such a channel exists.
    """
    if chat.name is None or chat.chat_type not in CHANNELS:
        return []
    key = key_of(chat.name)
    wanted = skeleton(key)
    named = await chats.public_names(tx, workspace_id, COMPARED_CHANNELS)
    others = [(chat_id, name, key_of(name)) for chat_id, name in named]
    return [
        NameWarning("confusable_name", f"This name looks like another channel's name: {name}", chat_id, name)
        for chat_id, name, other in others
        if chat_id != chat.id and other != key and skeleton(other) == wanted
    ]
