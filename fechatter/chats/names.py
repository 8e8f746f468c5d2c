"""Names and descriptions of chats: what they may hold, and the key by which public names are told apart."""

from __future__ import annotations

from fechatter.errors import Conflict, FieldError
from fechatter.model import ChatId, ChatType, WorkspaceId
from fechatter.names import has_control_characters, key_of, name_errors
from fechatter.storage import chats
from fechatter.storage.engines.base import Transaction

NAME_CHARACTERS = 128
DESCRIPTION_CHARACTERS = 1000
KEY_BYTES = 1024
"""Folding may multiply a text's length, and an index takes no endless key."""
CHANNELS = (ChatType.PRIVATE_CHANNEL, ChatType.PUBLIC_CHANNEL)


def errors(kind: ChatType, name: str | None) -> list[FieldError]:
    """What is wrong with the name of such a chat: single chats have none, groups may, channels must."""
    if name is None:
        return [FieldError("/name", "missing", "A channel has a name.")] if kind in CHANNELS else []
    if kind is ChatType.SINGLE:
        return [FieldError("/name", "not_allowed", "A single chat has no name.")]
    found = name_errors("/name", name, NAME_CHARACTERS)
    if not found and len(key_of(name).encode()) > KEY_BYTES:
        return [FieldError("/name", "too_long", "This name is too long when its characters are written out.")]
    return found


def description_errors(description: str) -> list[FieldError]:
    """What is wrong with a description; it may be empty."""
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
    """Refuse the name of another public channel than `chat_id`; names of other kinds may repeat.

    Raises:
        Conflict: `name_taken`.
    """
    if kind is not ChatType.PUBLIC_CHANNEL or name is None:
        return
    if await chats.public_with_name(tx, workspace_id, key_of(name)) not in (None, chat_id):
        raise Conflict("Another public channel has this name.", code="name_taken")
