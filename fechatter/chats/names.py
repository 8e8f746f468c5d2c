"""Names and descriptions of chats: what they may hold, and the key by which public names are told apart."""

from __future__ import annotations

import unicodedata

from fechatter.errors import Conflict, FieldError
from fechatter.model import ChatId, ChatType, WorkspaceId
from fechatter.storage import chats
from fechatter.storage.engines.base import Transaction

NAME_CHARACTERS = 128
DESCRIPTION_CHARACTERS = 1000
KEY_BYTES = 1024
"""Folding may multiply a text's length, and an index takes no endless key."""
REORDERING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
"""Bidirectional classes of signs that show a name as another one."""
CHANNELS = (ChatType.PRIVATE_CHANNEL, ChatType.PUBLIC_CHANNEL)


def errors(kind: ChatType, name: str | None) -> list[FieldError]:
    """What is wrong with the name of such a chat: single chats have none, groups may, channels must."""
    if name is None:
        return [FieldError("/name", "missing", "A channel has a name.")] if kind in CHANNELS else []
    if kind is ChatType.SINGLE:
        return [FieldError("/name", "not_allowed", "A single chat has no name.")]
    if len(name) <= NAME_CHARACTERS:
        key = name_key(name)
        if not key:
            return [FieldError("/name", "blank", "A name has something to show.")]
        if len(key.encode(errors="replace")) > KEY_BYTES:
            return [FieldError("/name", "too_long", "This name is too long when its characters are written out.")]
    if any(unicodedata.bidirectional(character) in REORDERING for character in name):
        return [FieldError("/name", "control_character", "Signs that reorder a text are not allowed here.")]
    return _text_errors("/name", name, NAME_CHARACTERS)


def description_errors(description: str) -> list[FieldError]:
    """What is wrong with a description; it may be empty."""
    return _text_errors("/description", description, DESCRIPTION_CHARACTERS, allowed="\n\t")


def _text_errors(pointer: str, text: str, most: int, allowed: str = "") -> list[FieldError]:
    if len(text) > most:
        return [FieldError(pointer, "too_long", f"At most {most} characters.")]
    if has_control_characters(text, allowed):
        return [FieldError(pointer, "control_character", "Control characters are not allowed here.")]
    return []


def has_control_characters(text: str, allowed: str = "") -> bool:
    """Whether `text` holds Unicode's Cc, or half of a surrogate pair, which is no character at all."""
    return any(unicodedata.category(character) in ("Cc", "Cs") for character in text if character not in allowed)


def name_key(name: str) -> str:
    """By which names are the same: NFKC, casefold, NFKC again as folding may undo it; space around does not count."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return unicodedata.normalize("NFKC", folded).strip()


async def check_free(
    tx: Transaction, workspace_id: WorkspaceId, kind: ChatType, name: str | None, *, chat_id: ChatId | None = None
) -> None:
    """Refuse the name of another public channel than `chat_id`; names of other kinds may repeat.

    Raises:
        Conflict: `name_taken`.
    """
    if kind is not ChatType.PUBLIC_CHANNEL or name is None:
        return
    if await chats.public_with_name(tx, workspace_id, name_key(name)) not in (None, chat_id):
        raise Conflict("Another public channel has this name.", code="name_taken")
