"""The people of a workspace: who sees whom, changes to one's own profile, and changes by admins."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from fechatter.accounts import sessions, texts
from fechatter.audit.record import Act, record
from fechatter.canonical.names import key_of, name_errors
from fechatter.chats import default_channel
from fechatter.errors import Conflict, FieldError, Forbidden, NotFound
from fechatter.events import EventType, UserData
from fechatter.model import Actor, Role, User, UserId
from fechatter.rights.table import WorkspaceAction
from fechatter.rights.workspace import check_change, may, sees_only_met
from fechatter.storage import events, invitations, statuses, users
from fechatter.storage import sessions as session_rows
from fechatter.storage.engines.base import Transaction
from fechatter.storage.users import Account


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Changes to your own profile. Fields that are left out stay unchanged."""

    fullname: Annotated[str, Meta(examples=["Ada Lovelace"])] | UnsetType = UNSET
    handle: (
        Annotated[str, Meta(description="Letters, digits and `. _ -`, a letter or digit first.", examples=["ada"])]
        | UnsetType
    ) = UNSET
    timezone: (
        Annotated[str | None, Meta(description="A name of the time zone database.", examples=["Europe/Zurich"])]
        | UnsetType
    ) = UNSET
    language: Annotated[str | None, Meta(description="A language tag.", examples=["en"])] | UnsetType = UNSET
    shows_presence: (
        Annotated[bool, Meta(description="Show others whether you are online.", examples=[True])] | UnsetType
    ) = UNSET
    sends_receipts: (
        Annotated[bool, Meta(description="Show others what you have read.", examples=[True])] | UnsetType
    ) = UNSET


class Standing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Changes to a person by an admin. Fields that are left out stay unchanged."""

    role: Annotated[Role, Meta(examples=["member"])] | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET


def view(actor: Actor, account: Account) -> User:
    """Return a person as the actor sees them."""
    shown = users.public_view(account)
    if account.id == actor.user_id:
        return _own_view(account)
    if may(actor.role, WorkspaceAction.SEE_EMAILS):
        return msgspec.structs.replace(shown, email=account.email)
    return shown


def _own_view(account: Account) -> User:
    return msgspec.structs.replace(
        users.public_view(account),
        email=account.email,
        timezone=account.timezone,
        language=account.language,
        shows_presence=account.shows_presence,
        sends_receipts=account.sends_receipts,
    )


async def page(tx: Transaction, actor: Actor, query: str, after: int, limit: int) -> list[User]:
    """Return up to `limit` people whom the actor sees, ordered by id, with ids above `after`.

    The name or the handle of each person contains every word of `query`.
    """
    guest = sees_only_met(actor.role)
    found = await users.page(tx, actor.workspace_id, after, actor.user_id, key_of(query), limit, guest=guest)
    return [view(actor, account) for account in found]


async def many(tx: Transaction, actor: Actor, ids: list[int], after: int, limit: int) -> list[User]:
    """Return up to `limit` people of `ids` whom the actor sees, ordered by id, with ids above `after`."""
    guest = sees_only_met(actor.role)
    found = await users.many(tx, actor.workspace_id, after, actor.user_id, ids, limit, guest=guest)
    return [view(actor, account) for account in found]


async def show(tx: Transaction, actor: Actor, user_id: UserId) -> User:
    """Return a person. Raises NotFound: the actor sees no such person."""
    return view(actor, await visible(tx, actor, user_id))


async def own_account(tx: Transaction, actor: Actor) -> Account:
    """Return the actor's own row."""
    return await visible(tx, actor, actor.user_id)


async def visible(tx: Transaction, actor: Actor, user_id: UserId) -> Account:
    """Return the row of a person whom the actor sees. Raises NotFound."""
    guest = sees_only_met(actor.role)
    account = await users.find_visible(tx, actor.workspace_id, user_id, actor.user_id, guest=guest)
    if account is None:
        raise NotFound()
    return account


async def update_own(tx: Transaction, actor: Actor, wanted: Profile) -> User:
    """Change the actor's own profile. If no value changes, there is no event.

    Raises:
        Invalid: a text is not allowed.
        Conflict: `handle_taken`.
    """
    texts.refuse(_profile_errors(wanted))
    account = await own_account(tx, actor)
    changed = msgspec.structs.replace(account, **_named(wanted))
    if changed == account:
        return view(actor, account)
    handle_key = key_of(changed.handle) if changed.handle != account.handle else None
    if handle_key is not None and handle_key != key_of(account.handle):
        await _check_handle_free(tx, actor, handle_key)
    await users.change_profile(tx, changed, key_of(changed.fullname), handle_key)
    await announce(tx, EventType.USER_UPDATED, changed, rights=False)
    return view(actor, changed)


async def _check_handle_free(tx: Transaction, actor: Actor, handle_key: str) -> None:
    if await users.is_handle_taken(tx, actor.workspace_id, handle_key):
        raise Conflict("Another person has this handle.", code="handle_taken")


def _profile_errors(wanted: Profile) -> list[FieldError]:
    errors: list[FieldError] = []
    if wanted.fullname is not UNSET:
        errors += name_errors("/fullname", wanted.fullname, texts.FULLNAME_CHARACTERS)
    if wanted.handle is not UNSET:
        errors += texts.handle_errors("/handle", wanted.handle)
    if wanted.timezone is not UNSET:
        errors += texts.timezone_errors("/timezone", wanted.timezone)
    if wanted.language is not UNSET:
        errors += texts.language_errors("/language", wanted.language)
    return errors


def _named(wanted: Profile) -> dict[str, str | bool | None]:
    return {name: value for name, value in msgspec.structs.asdict(wanted).items() if value is not UNSET}


async def update(tx: Transaction, actor: Actor, user_id: UserId, wanted: Standing) -> User:
    """Change a person's role, or disable or enable the person.

    Disabling ends the person's sessions and revokes their invitations.

    Raises:
        NotFound: the actor sees no such person.
        Forbidden: see `rights`; people cannot disable themselves.
        Conflict: `last_owner`.
    """
    account = await visible(tx, actor, user_id)
    changed = _changed(account, wanted, tx.now)
    check_change(actor, account.role, changed.role)
    if changed == account:
        return view(actor, account)
    await _check_owner_stays(tx, account, changed)
    if user_id == actor.user_id and changed.disabled_at is not None:
        raise Forbidden("You cannot disable yourself.")
    await users.change_standing(tx, changed)
    await _record(tx, actor, account, changed)
    if changed.disabled_at is not None and account.disabled_at is None:
        await statuses.set_status(tx, user_id, "", "", None)
        await _shut_out(tx, changed)
    else:
        await announce(tx, EventType.USER_UPDATED, changed, rights=True)
    if account.role is Role.GUEST and changed.role is not Role.GUEST:
        await default_channel.welcome(tx, actor.workspace_id, user_id, changed.role)
    return view(actor, changed)


async def _record(tx: Transaction, actor: Actor, before: Account, after: Account) -> None:
    if before.role is not after.role:
        await record(tx, actor, Act.USER_ROLE_CHANGED, after.id, {"role": before.role}, {"role": after.role})
    if (before.disabled_at is None) != (after.disabled_at is None):
        await record(tx, actor, Act.USER_ENABLED if after.disabled_at is None else Act.USER_DISABLED, after.id)


async def _shut_out(tx: Transaction, account: Account) -> None:
    await announce(tx, EventType.USER_DISABLED, account, rights=True)
    await invitations.revoke_made_by(tx, account.workspace_id, account.id)
    await sessions.end(tx, account.workspace_id, await session_rows.live(tx, account.id))


def _changed(account: Account, wanted: Standing, now: int) -> Account:
    role = account.role if wanted.role is UNSET else wanted.role
    disabled_at = account.disabled_at
    if wanted.disabled is not UNSET and wanted.disabled != (disabled_at is not None):
        disabled_at = now if wanted.disabled else None
    status = account.status if disabled_at is None else None
    return msgspec.structs.replace(account, role=role, disabled_at=disabled_at, status=status)


async def _check_owner_stays(tx: Transaction, before: Account, after: Account) -> None:
    was_owner = before.role is Role.OWNER and before.disabled_at is None
    stays = after.role is Role.OWNER and after.disabled_at is None
    if was_owner and not stays and not await users.has_other_owner(tx, before.workspace_id, before.id):
        raise Conflict("A workspace needs at least one owner.", code="last_owner")


async def announce(tx: Transaction, event_type: EventType, account: Account, *, rights: bool) -> None:
    """Append an event about a person, with the person as `account` states."""
    # The person's own devices receive the private fields too, so that a change on one device shows on all.
    public, own = UserData(users.public_view(account)), UserData(_own_view(account))
    draft = events.Draft(event_type, user_id=account.id, data=public, own=own)
    await events.append(tx, account.workspace_id, [draft], rights=rights)
