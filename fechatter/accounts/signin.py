"""Signing in with e-mail address and password, and changing the password.

An unknown e-mail address gets the same response as a wrong password, after the same time and with the same limits. The
response reveals that an account is disabled only if the password is right.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from fechatter.accounts import sessions, texts
from fechatter.accounts.access import Access, Device, SignedIn
from fechatter.auth.limits import PASSWORD, Attempt
from fechatter.auth.passwords import check_password
from fechatter.canonical.emails import EMAIL_CHARACTERS, email_key, old_email_keys
from fechatter.errors import Conflict, Forbidden, Unauthorized
from fechatter.model import Actor
from fechatter.storage import password_resets, users
from fechatter.storage.engines.base import Transaction
from fechatter.storage.users import Account
from fechatter.storage.workspaces import WorkspaceName

MAX_ACCOUNTS: Final = 10
"""Maximum number of an address's accounts that are tried without a workspace's slug; each try costs a hash."""
REFUSED_SECONDS: Final = 0.5
"""Minimum time until a refusal without a slug, so that the time does not reveal the number of accounts."""


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`workspace` is required only if the password is right for several accounts of the address."""

    email: Annotated[str, Meta(examples=["ada@example.org"])]
    password: Annotated[str, Meta(examples=["mellow otter paints"])]
    workspace: Annotated[str | None, Meta(description="A slug.", examples=["analytical-engines"])] = None

    def __repr__(self) -> str:
        return "SignIn(********)"


class PasswordChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The current password and the new one."""

    current_password: Annotated[str, Meta(examples=["mellow otter paints"])]
    new_password: Annotated[str, Meta(examples=["quiet lantern over hills"])]

    def __repr__(self) -> str:
        return "PasswordChange(********)"


async def sign_in(access: Access, wanted: SignIn, device: Device) -> SignedIn:
    """Sign a person in.

    Raises:
        Unauthorized: `wrong_credentials`.
        Forbidden: `account_disabled`, only if the password is right.
        Conflict: `workspace_required`, with the workspaces in which the password is right.
        TooManyRequests: `too_many_attempts`.
        Unavailable: too many people are signing in.
    """
    email, slug = email_key(wanted.email), wanted_slug(wanted)
    async with access.limits.signing_in(email, slug, device.address) as attempt:
        signed_in = await _sign_in(access, wanted, device, attempt)
    if attempt.proved:
        access.limits.remember(email, slug, device.address)
    return signed_in


def wanted_slug(wanted: SignIn) -> str:
    """Return the slug to look for: "" for every workspace, "-", which no workspace has, for an invalid slug."""
    return "" if wanted.workspace is None else texts.slug_of(wanted.workspace) or "-"


async def _sign_in(access: Access, wanted: SignIn, device: Device, attempt: Attempt) -> SignedIn:
    refusable_at = asyncio.get_running_loop().time() + REFUSED_SECONDS
    fitting = await _fitting(access, wanted, attempt)
    if fitting and all(account.disabled_at is not None for account in fitting):
        raise _disabled()
    if not fitting:
        if wanted.workspace is None:
            await asyncio.sleep(refusable_at - asyncio.get_running_loop().time())
        raise _refused()
    if len(fitting) > 1:
        choice = [WorkspaceName(account.workspace_slug, account.workspace_name) for account in fitting]
        raise Conflict("Choose a workspace.", code="workspace_required", workspaces=choice)
    return await access.database.write(fitting[0].workspace_id, lambda tx: _enter(tx, access, fitting[0], device))


async def _fitting(access: Access, wanted: SignIn, attempt: Attempt) -> list[Account]:
    """Return the accounts of the address for which the password is right. Every account is tried, even after a match.

    Disabled accounts are left out if the password is also right for an enabled account.
    """
    found = await _accounts_of(access, wanted)
    if not found:
        await access.passwords.verify(wanted.password, None, access.who)
    fitting = []
    for account in found:
        if await access.passwords.verify(wanted.password, account.password_hash, access.who):
            fitting.append(account)
    enabled = [account for account in found if account.disabled_at is None]
    attempt.proved = len(fitting) > 0 and all(account in fitting for account in enabled or found)
    return [account for account in fitting if account.disabled_at is None] or fitting


async def _accounts_of(access: Access, wanted: SignIn) -> list[Account]:
    """Return the accounts of the address, including those stored under a key of an earlier version.

    A text that is too long or unprintable has no accounts.
    """
    if len(wanted.email) > EMAIL_CHARACTERS or not wanted.email.isprintable():
        return []
    key, others, slug = email_key(wanted.email), old_email_keys(wanted.email), wanted_slug(wanted)
    found = await access.database.read(lambda tx: users.by_email(tx, key, slug, MAX_ACCOUNTS, others))
    return [account for account in found if email_key(account.email) == key]


async def _enter(tx: Transaction, access: Access, tried: Account, device: Device) -> SignedIn:
    account = await users.find(tx, tried.workspace_id, tried.id)
    if account is None or account.password_hash != tried.password_hash:
        raise _refused()
    if account.disabled_at is not None:
        raise _disabled()
    return SignedIn(account, await sessions.open_session(tx, account, device, access.settings.session_days))


def _disabled() -> Forbidden:
    return Forbidden("This account is disabled.", code="account_disabled")


def _refused() -> Unauthorized:
    return Unauthorized("E-mail address or password is wrong.", code="wrong_credentials")


async def prepare_password(access: Access, account: Account, wanted: PasswordChange) -> str:
    """Check the current password and return the hash of the new one.

    Raises:
        Invalid: the new password is too short or too long.
        Forbidden: `wrong_password`.
        TooManyRequests: `too_many_attempts`.
        Unavailable: too many people are signing in.
    """
    check_password("/new_password", wanted.new_password)
    with access.limits.attempt(PASSWORD, str(account.id)):
        if not await access.passwords.verify(wanted.current_password, account.password_hash, access.who):
            raise Forbidden("The current password is wrong.", code="wrong_password")
    return await access.passwords.hash(wanted.new_password, access.who)


async def change_password(tx: Transaction, actor: Actor, proved: Account, password_hash: str) -> None:
    """Store the new password and end the person's other sessions.

    Raises:
        Conflict: the password was changed after `prepare_password` had checked it.
    """
    account = await users.find(tx, actor.workspace_id, actor.user_id)
    if account is None or account.password_hash != proved.password_hash:
        raise Conflict("The password was changed in the meantime.", code="password_changed")
    await users.change_password(tx, actor.user_id, password_hash)
    await password_resets.revoke(tx, actor.user_id)
    await sessions.end_others(tx, actor)
