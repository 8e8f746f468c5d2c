"""A person's status: an emoji, a short text and an optional end. Everybody who sees the person sees the status."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from fechatter.accounts import people, texts
from fechatter.canonical.graphemes import is_one_grapheme
from fechatter.canonical.names import name_errors
from fechatter.errors import FieldError
from fechatter.events import EventType
from fechatter.model import Actor, Timestamp, User, UserId, WorkspaceId
from fechatter.storage import statuses, users
from fechatter.storage.engines.base import Transaction

TEXT_CHARACTERS = 80
LAST_MS = 253_402_300_799_999
"""The end of the year 9999."""


class WantedStatus(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A status. It has an emoji, a text or both."""

    emoji: Annotated[str, Meta(description="One emoji or other character, or empty.", examples=["🌴"])] = ""
    text: Annotated[str, Meta(description=f"At most {TEXT_CHARACTERS} characters.", examples=["Back on Monday"])] = ""
    until: Annotated[Timestamp | None, Meta(description="When it ends, in the future; null: not by itself.")] = None


async def set_status(tx: Transaction, actor: Actor, wanted: WantedStatus) -> User:
    """Replace the actor's status. If nothing changes, there is no event.

    Raises:
        Invalid: a value is not allowed, or the end is not in the future.
    """
    until = _milliseconds(wanted.until)
    texts.refuse(_errors(wanted, until, tx.now))
    return await _store(tx, actor, wanted.emoji, wanted.text, until)


async def clear(tx: Transaction, actor: Actor) -> User:
    """Remove the actor's status. If there is none, there is no event."""
    return await _store(tx, actor, "", "", None)


async def _store(tx: Transaction, actor: Actor, emoji: str, text: str, until: int | None) -> User:
    before = await people.own_account(tx, actor)
    await statuses.set_status(tx, actor.user_id, emoji, text, until)
    after = msgspec.structs.replace(before, status=statuses.of(emoji, text, until))
    if after != before:
        await people.announce(tx, EventType.USER_UPDATED, after, rights=False)
    return people.view(actor, after)


async def clear_expired(tx: Transaction, workspace_id: WorkspaceId, user_ids: Sequence[UserId]) -> int:
    """Clear the statuses of these people that have expired, with an event for each; return their number."""
    cleared = await statuses.clear_expired(tx, list(user_ids))
    for user_id in cleared:
        account = await users.find(tx, workspace_id, user_id)
        if account is not None:
            await people.announce(tx, EventType.USER_UPDATED, account, rights=False)
    return len(cleared)


def _errors(wanted: WantedStatus, until: int | None, now: int) -> list[FieldError]:
    errors: list[FieldError] = []
    if not wanted.emoji and not wanted.text:
        errors.append(FieldError("/text", "empty", "Enter a text or choose an emoji."))
    if wanted.emoji and not is_one_grapheme(wanted.emoji):
        errors.append(FieldError("/emoji", "invalid_emoji", "Choose one emoji."))
    if wanted.text:
        errors += name_errors("/text", wanted.text, TEXT_CHARACTERS)
    if wanted.until is not None and until is None:
        errors.append(FieldError("/until", "invalid_time", "Use RFC 3339, such as 2026-01-02T03:04:05Z."))
    if until is not None and not now < until <= LAST_MS:
        errors.append(FieldError("/until", "not_in_future", "Choose a time in the future."))
    return errors


def _milliseconds(text: str | None) -> int | None:
    """Return a time in milliseconds since the Unix epoch; None if it is not RFC 3339 with an offset."""
    if text is None:
        return None
    try:
        moment = msgspec.convert(text, Annotated[datetime, Meta(tz=True)])
    except msgspec.ValidationError:
        return None
    return int(moment.timestamp() * 1000)
