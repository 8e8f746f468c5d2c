"""Creates chats by the rules of each type.

Two people share one single chat, and a repeated request returns the chat that the first one created.
"""

from __future__ import annotations

import hashlib
from typing import Annotated

import msgspec
from msgspec import Meta

from fechatter.canonical.names import has_control_characters, key_of
from fechatter.chats import names
from fechatter.chats.membership import admit
from fechatter.chats.people import PersonId, check_addable, named_once
from fechatter.chats.views import chat_of
from fechatter.errors import Conflict, FieldError, Invalid
from fechatter.model import Actor, Chat, ChatId, ChatType, UserId
from fechatter.rights.chats import check_creation
from fechatter.storage import chats
from fechatter.storage.engines.base import Transaction

KEY_CHARACTERS = 64


class WantedChat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request for a new chat. The creator is always a member."""

    chat_type: Annotated[ChatType, Meta(examples=["private_channel"])]
    name: Annotated[str | None, Meta(description=f"Up to {names.NAME_CHARACTERS} characters.", examples=["news"])] = (
        None
    )
    description: Annotated[str, Meta(description=f"Up to {names.DESCRIPTION_CHARACTERS} characters.")] = ""
    members: Annotated[list[PersonId], Meta(description="The ids of the other members.", examples=[[7, 8]])] = []
    idempotency_key: Annotated[
        str | None, Meta(description="A key of your choice. A repeat with the same key returns the same chat.")
    ] = None


class Created(msgspec.Struct, frozen=True):
    """The chat; `new` is False if it existed before."""

    chat: Chat
    new: bool


async def create(tx: Transaction, actor: Actor, wanted: WantedChat) -> Created:
    """Create a chat, or return the chat of an earlier request with this key, or the single chat of these two people.

    Raises:
        Forbidden: guests cannot create channels.
        Invalid: the request breaks a rule of its chat type, or names unknown people.
        Conflict: `name_taken`; or `idempotency_conflict`: the key was used before, for a different request.
        NotFound: the chat of the key is now hidden from the actor.
    """
    check_creation(actor.role, wanted.chat_type)
    others = check(actor, wanted)
    existing = await _existing(tx, actor, wanted, others)
    if existing is not None:
        return Created(await chat_of(tx, actor, existing), new=False)
    if others:
        await check_addable(tx, actor, wanted.members)
    await names.check_free(tx, actor.workspace_id, wanted.chat_type, wanted.name)
    chat_id = await _insert(tx, actor, wanted, others)
    await admit(tx, actor.workspace_id, chat_id, [actor.user_id, *others])
    return Created(await chat_of(tx, actor, chat_id), new=True)


def check(actor: Actor, wanted: WantedChat) -> list[UserId]:
    """Return the other members of a new chat, each once. Raises Invalid, with every error."""
    others = [user_id for user_id in named_once(wanted.members) if user_id != actor.user_id]
    errors = [
        *names.errors(wanted.chat_type, wanted.name),
        *names.description_errors(wanted.description),
        *_member_errors(actor, wanted, others),
    ]
    if wanted.idempotency_key is not None and not _is_key(wanted.idempotency_key):
        detail = f"must be 1 to {KEY_CHARACTERS} characters without control characters"
        errors.append(FieldError("/idempotency_key", "invalid_key", detail))
    if errors:
        raise Invalid(errors)
    return others


def _member_errors(actor: Actor, wanted: WantedChat, others: list[UserId]) -> list[FieldError]:
    match wanted.chat_type:
        case ChatType.SINGLE if actor.user_id in wanted.members:
            place = wanted.members.index(actor.user_id)
            return [FieldError(f"/members/{place}", "oneself", "You cannot start a single chat with yourself.")]
        case ChatType.SINGLE if len(others) != 1:
            return [_members(len(others) > 1, "Name exactly one other person for a single chat.")]
        case ChatType.GROUP if len(others) < 2:
            return [_members(False, "A group starts with three or more people, you included.")]
        case ChatType.PUBLIC_CHANNEL if others:
            return [FieldError("/members", "not_allowed", "A public channel starts with its creator; people join it.")]
    return []


def _members(too_many: bool, detail: str) -> FieldError:
    return FieldError("/members", "too_many" if too_many else "too_few", detail)


def _is_key(key: str) -> bool:
    return 1 <= len(key) <= KEY_CHARACTERS and not has_control_characters(key)


async def _existing(tx: Transaction, actor: Actor, wanted: WantedChat, others: list[UserId]) -> ChatId | None:
    if wanted.idempotency_key is not None:
        keyed = await chats.with_key(tx, actor.user_id, wanted.idempotency_key)
        if keyed is not None and keyed[1] not in (chats.FORGOTTEN, fingerprint(wanted, others)):
            raise Conflict("This key was used before, for a different request.", code="idempotency_conflict")
        if keyed is not None:
            return keyed[0]
    if wanted.chat_type is ChatType.SINGLE:
        return await chats.with_pair(tx, actor.workspace_id, _pair(actor.user_id, others[0]))
    return None


def fingerprint(wanted: WantedChat, others: list[UserId]) -> int:
    """Return a 63-bit hash of the request's content."""
    content = msgspec.json.encode([wanted.chat_type, wanted.name, wanted.description, sorted(others)])
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest()) >> 1


async def _insert(tx: Transaction, actor: Actor, wanted: WantedChat, others: list[UserId]) -> ChatId:
    new = chats.NewChat(
        id=ChatId(await tx.new_id()),
        workspace_id=actor.workspace_id,
        chat_type=wanted.chat_type,
        name=wanted.name,
        name_key=None if wanted.name is None else key_of(wanted.name),
        description=wanted.description,
        creator_id=actor.user_id,
        member_count=1 + len(others),
        idempotency_key=wanted.idempotency_key,
        fingerprint=None if wanted.idempotency_key is None else fingerprint(wanted, others),
        pair=_pair(actor.user_id, others[0]) if wanted.chat_type is ChatType.SINGLE else None,
    )
    await chats.insert(tx, new)
    return new.id


def _pair(one: UserId, other: UserId) -> tuple[UserId, UserId]:
    return min(one, other), max(one, other)
