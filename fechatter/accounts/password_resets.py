"""Password reset links: an admin creates a link for a person, who can set a new password with it once.

The token is shown once and stored as a hash. A person has at most one valid link. It is valid for a day, and only while
its creator still has the right to create it. So the links of former admins do not work.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from fechatter.accounts import people, sessions
from fechatter.accounts.access import Access, Device, SignedIn
from fechatter.audit.record import Act, record
from fechatter.auth.limits import PASSWORD_RESET
from fechatter.auth.passwords import MAX_CHARACTERS, MIN_CHARACTERS, check_password
from fechatter.canonical.emails import email_key
from fechatter.errors import Forbidden, NotFound
from fechatter.model import Actor, Origin, UserId, timestamp
from fechatter.rights.workspace import check_change, may_change
from fechatter.storage import password_resets, users
from fechatter.storage import sessions as session_rows
from fechatter.storage.engines.base import Transaction
from fechatter.storage.password_resets import PasswordReset
from fechatter.storage.users import Account

TOKEN_BYTES: Final = 32
DAY_MS: Final = 24 * 60 * 60 * 1000
REMEMBERED_AFTER_END_MS: Final = 30 * DAY_MS


class NewPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The token of a reset link, and the password to set."""

    token: Annotated[str, Meta(examples=["Rk2d…"])]
    password: Annotated[
        str, Meta(description=f"{MIN_CHARACTERS} to {MAX_CHARACTERS} characters.", examples=["mellow otter paints"])
    ]

    def __repr__(self) -> str:
        return "NewPassword(********)"


async def create(tx: Transaction, actor: Actor, user_id: UserId) -> tuple[PasswordReset, str]:
    """Create a link for a person; returns it with its token. It replaces an earlier link.

    Raises:
        NotFound: the actor sees no such person.
        Forbidden: the actor may not change this person, or is this person.
    """
    account = await people.visible(tx, actor, user_id)
    check_change(actor, account.role, account.role)
    if account.id == actor.user_id:
        # Otherwise, somebody with a stolen session could set a new password without the current one.
        raise Forbidden("Change your own password in your settings.")
    return await make(tx, actor, account)


async def make(tx: Transaction, actor: Actor, account: Account) -> tuple[PasswordReset, str]:
    """Create a link like `create`, but without a check of rights. The command line uses it."""
    await password_resets.forget(tx, account.id, tx.now - REMEMBERED_AFTER_END_MS)
    await password_resets.revoke(tx, account.id)
    reset = PasswordReset(
        id=await tx.new_id(),
        workspace_id=actor.workspace_id,
        user_id=account.id,
        created_by=UserId(actor.user_id) if actor.user_id else None,
        created_at=tx.now,
        expires_at=tx.now + DAY_MS,
        used_at=None,
        revoked_at=None,
    )
    token = secrets.token_urlsafe(TOKEN_BYTES)
    await password_resets.insert(tx, reset, _hash(token))
    await record(tx, actor, Act.USER_RESET_LINK_CREATED, account.id, after={"expires_at": timestamp(reset.expires_at)})
    return reset, token


def link(public_address: str, token: str) -> str:
    """Return the link's URL. The secret is in the fragment, so that no server logs it."""
    return f"{public_address}/reset#token={token}"


async def look_up(tx: Transaction, token: str) -> tuple[PasswordReset, Account]:
    """Return the token's link and its person.

    Raises:
        NotFound: no such link.
        Forbidden: `reset_link_used`, `reset_link_revoked`, `reset_link_expired`, `account_disabled`.
    """
    reset = await password_resets.by_hash(tx, _hash(token))
    account = None if reset is None else await users.find(tx, reset.workspace_id, reset.user_id)
    if reset is None or account is None:
        raise NotFound()
    if reset.used_at is not None:
        raise Forbidden("This link was used.", code="reset_link_used")
    if reset.revoked_at is not None or not await _creator_still_may(tx, reset, account):
        raise Forbidden("This link was replaced or revoked.", code="reset_link_revoked")
    if reset.expires_at <= tx.now:
        raise Forbidden("This link has expired.", code="reset_link_expired")
    if account.disabled_at is not None:
        raise Forbidden("This account is disabled.", code="account_disabled")
    return reset, account


async def _creator_still_may(tx: Transaction, reset: PasswordReset, account: Account) -> bool:
    if reset.created_by is None:
        return True
    creator = await users.find(tx, reset.workspace_id, reset.created_by)
    return creator is not None and creator.disabled_at is None and may_change(creator.role, account.role)


async def use(access: Access, wanted: NewPassword, device: Device) -> SignedIn:
    """Set the new password, end all of the person's sessions and open one.

    Raises:
        Invalid: the password is too short or too long.
        NotFound, Forbidden: see `look_up`.
        TooManyRequests: `too_many_attempts`.
        Unavailable: too many people are signing in.
    """
    check_password("/password", wanted.password)
    with access.limits.attempt(PASSWORD_RESET, device.address):
        # Check before hashing the password, so that invalid tokens cost little, and again in the transaction.
        reset, _ = await access.database.read(lambda tx: look_up(tx, wanted.token))
        password_hash = await access.passwords.hash(wanted.password, access.who)
        signed_in = await access.database.write(
            reset.workspace_id, lambda tx: _use(tx, access, wanted.token, password_hash, device)
        )
    account = signed_in.account
    access.limits.remember(email_key(account.email), account.workspace_slug, device.address)
    return signed_in


async def _use(tx: Transaction, access: Access, token: str, password_hash: str, device: Device) -> SignedIn:
    reset, account = await look_up(tx, token)
    if not await password_resets.claim(tx, reset.id):
        raise Forbidden("This link was used.", code="reset_link_used")
    await users.change_password(tx, account.id, password_hash)
    await sessions.end(tx, account.workspace_id, await session_rows.live(tx, account.id))
    session = await sessions.open_session(tx, account, device, access.settings.session_days)
    actor = Actor(account.id, account.workspace_id, session.id, account.role, Origin("api", device.address))
    await record(tx, actor, Act.USER_PASSWORD_RESET, account.id)
    return SignedIn(account, session)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
