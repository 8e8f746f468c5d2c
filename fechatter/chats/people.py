"""Checks of the people named in requests. Ids of other workspaces are refused like unknown ids."""

from __future__ import annotations

from collections.abc import Set
from typing import Annotated

import msgspec

from fechatter.errors import FieldError, Invalid
from fechatter.model import MAX_ID, Actor, ChatId, UserId
from fechatter.rights.workspace import sees_only_met
from fechatter.storage import members
from fechatter.storage.engines.base import Transaction

MEMBERS_PER_REQUEST = 1000

PersonId = Annotated[int, msgspec.Meta(ge=1, le=MAX_ID)]
"""A user id in a request."""


def check_members(user_ids: list[int]) -> list[UserId]:
    """Return the named people, each once, in order. Raises Invalid: the list is empty or too long."""
    if not user_ids:
        raise Invalid.field("/members", "too_few", "Name at least one person.")
    return named_once(user_ids)


def named_once(user_ids: list[int]) -> list[UserId]:
    """Return the named people, each once, in order. Raises Invalid: the list is too long."""
    if len(user_ids) > MEMBERS_PER_REQUEST:
        raise Invalid.field("/members", "too_many", f"Name at most {MEMBERS_PER_REQUEST} people at once.")
    return [UserId(user_id) for user_id in dict.fromkeys(user_ids)]


async def check_addable(tx: Transaction, actor: Actor, user_ids: list[int]) -> list[UserId]:
    """Return the named people, each once, if the actor may add all of them.

    They must be enabled people of the workspace. For a guest, they must share a chat with the guest.

    Raises:
        Invalid: the list is empty or too long, or contains other people; `errors` names the place of each.
    """
    wanted = check_members(user_ids)
    known = await members.people(tx, actor.workspace_id, wanted)
    if sees_only_met(actor.role):
        known &= await members.met(tx, actor.user_id, wanted) | {actor.user_id}
    _refuse_others(user_ids, known)
    return wanted


async def check_once_members(tx: Transaction, chat_id: ChatId, user_ids: list[int]) -> list[UserId]:
    """Return the named people, each once, if all of them are or were members of the chat.

    Raises:
        Invalid: the list is empty or too long, or contains other people; `errors` names the place of each.
    """
    wanted = check_members(user_ids)
    _refuse_others(user_ids, await members.ever(tx, chat_id, wanted))
    return wanted


def _refuse_others(user_ids: list[int], known: Set[int]) -> None:
    errors = [
        FieldError(f"/members/{place}", "unknown_user", "There is no such person here.")
        for place, user_id in enumerate(user_ids)
        if user_id not in known
    ]
    if errors:
        raise Invalid(errors)
