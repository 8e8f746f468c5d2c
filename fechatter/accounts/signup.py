"""Sign-up: with the set-up token, with an invitation, or openly.

The token is checked before the password is hashed, so that requests without a valid token cost little. It is checked
again in the transaction, because somebody else may have used it.
"""

from __future__ import annotations

import secrets
from typing import Annotated

import msgspec
from msgspec import Meta

from fechatter.accounts import invitations, sessions, texts
from fechatter.accounts.access import Access, Device, SignedIn
from fechatter.audit.record import Act, record
from fechatter.auth.limits import NEW_WORKSPACE, SIGN_UP
from fechatter.auth.passwords import MAX_CHARACTERS, MIN_CHARACTERS, check_password
from fechatter.canonical.emails import canonical_email, email_errors, email_key
from fechatter.canonical.names import is_similar, key_of, name_errors
from fechatter.chats import default_channel
from fechatter.errors import Conflict, FieldError, Forbidden, Invalid
from fechatter.events import EventType, UserData
from fechatter.model import Actor, Origin, Role, UserId, Workspace, WorkspaceId
from fechatter.storage import events, server, users, workspaces
from fechatter.storage.engines.base import Transaction
from fechatter.storage.engines.errors import UniqueViolation
from fechatter.storage.invitations import Invitation
from fechatter.storage.users import Account, NewAccount


class SignUp(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new person, in a new workspace or in the workspace of an invitation."""

    email: Annotated[str, Meta(examples=["ada@example.org"])]
    password: Annotated[
        str, Meta(description=f"{MIN_CHARACTERS} to {MAX_CHARACTERS} characters.", examples=["mellow otter paints"])
    ]
    fullname: Annotated[str, Meta(examples=["Ada Lovelace"])]
    workspace: Annotated[
        str | None, Meta(description="The name of a new workspace.", examples=["Analytical Engines"])
    ] = None
    setup_token: Annotated[
        str | None, Meta(description="The token that the server prints at its first start, for the first workspace.")
    ] = None
    invitation: Annotated[str | None, Meta(description="An invitation's token, instead of `workspace`.")] = None

    def __repr__(self) -> str:
        return "SignUp(********)"


async def sign_up(access: Access, wanted: SignUp, device: Device) -> SignedIn:
    """Create the account, and its workspace if it is new, and sign the person in.

    Raises:
        Invalid: a text is not allowed, or the fields cannot be combined.
        Forbidden: `signup_closed`, `setup_token_refused`, `invitation_refused`.
        Conflict: `workspace_taken`, `email_taken`.
        TooManyRequests: `too_many_attempts`.
        Unavailable: too many people are signing in.
    """
    _check(wanted)
    with access.limits.attempt(SIGN_UP, device.address):
        signed_in = await _sign_up(access, wanted, device)
    access.limits.remember(email_key(wanted.email), signed_in.account.workspace_slug, device.address)
    return signed_in


async def _sign_up(access: Access, wanted: SignUp, device: Device) -> SignedIn:
    invitation = await _check_gate(access, wanted, device.address)
    password_hash = await access.passwords.hash(wanted.password, access.who)
    if invitation is None:
        return await access.database.write_unlocked(lambda tx: _create(tx, access, wanted, device, password_hash))
    workspace_id, token = invitation.workspace_id, wanted.invitation or ""

    async def work(tx: Transaction) -> SignedIn:
        role = await invitations.use(tx, token, wanted.email)
        account = await create_account(tx, workspace_id, wanted.email, wanted.fullname, role, password_hash)
        return SignedIn(account, await sessions.open_session(tx, account, device, access.settings.session_days))

    return await access.database.write(workspace_id, work)


async def _create(tx: Transaction, access: Access, wanted: SignUp, device: Device, password_hash: str) -> SignedIn:
    """Create the workspace with its owner and its default channel."""
    workspace_id = (await _new_workspace(tx, wanted)).id
    account = await create_account(tx, workspace_id, wanted.email, wanted.fullname, Role.OWNER, password_hash)
    session = await sessions.open_session(tx, account, device, access.settings.session_days)
    actor = Actor(account.id, workspace_id, session.id, Role.OWNER, Origin("api", device.address))
    await record(tx, actor, Act.WORKSPACE_CREATED, workspace_id, after={"name": account.workspace_name})
    chat_id = await default_channel.begin(tx, workspace_id, account.id)
    return SignedIn(msgspec.structs.replace(account, workspace_default_chat_id=chat_id), session)


def _check(wanted: SignUp) -> None:
    errors = email_errors("/email", wanted.email)
    errors += name_errors("/fullname", wanted.fullname, texts.FULLNAME_CHARACTERS)
    if wanted.invitation is None:
        errors += _workspace_errors(wanted.workspace)
    elif wanted.workspace is not None or wanted.setup_token is not None:
        errors.append(
            FieldError(
                "/invitation",
                "not_together",
                "Omit `workspace` and `setup_token`: the invitation determines the workspace.",
            )
        )
    texts.refuse(errors)
    check_password("/password", wanted.password)


def _workspace_errors(name: str | None) -> list[FieldError]:
    if name is None:
        return [FieldError("/workspace", "missing", "Name the new workspace, or send an invitation.")]
    return workspace_name_errors("/workspace", name)


def workspace_name_errors(pointer: str, name: str) -> list[FieldError]:
    """Return the errors of a workspace's name."""
    errors = name_errors(pointer, name, texts.WORKSPACE_CHARACTERS)
    if not errors and not texts.slug_of(name):
        errors.append(FieldError(pointer, "invalid_name", "The name must contain a letter or a digit."))
    return errors


async def _check_gate(access: Access, wanted: SignUp, address: str) -> Invitation | None:
    """Return the invitation, or None for a new workspace. Raises Forbidden."""
    if wanted.invitation is not None:
        token, email = wanted.invitation, wanted.email
        return await access.database.read(lambda tx: invitations.check(tx, token, email))
    if wanted.setup_token is not None:
        genuine = access.secrets.is_setup_token(wanted.setup_token)
        if not genuine or await access.database.read(server.is_set_up):
            raise _setup_refused()
    elif access.settings.signup != "open":
        raise Forbidden("People join this server by invitation only.", code="signup_closed")
    else:
        access.limits.count(NEW_WORKSPACE, address)
    return None


def _setup_refused() -> Forbidden:
    return Forbidden("The set-up token is invalid, or was used before.", code="setup_token_refused")


async def _new_workspace(tx: Transaction, wanted: SignUp) -> Workspace:
    if wanted.workspace is None:
        raise Invalid.field("/workspace", "missing", "Name the new workspace.")
    if wanted.setup_token is not None and not await server.claim_setup(tx):
        raise _setup_refused()
    return await create_workspace(tx, wanted.workspace)


async def create_workspace(tx: Transaction, name: str) -> Workspace:
    """Create a workspace. Its slug is made from its name, with a number if another workspace has that slug.

    Raises:
        Conflict: `workspace_taken`: another workspace has this name.
    """
    base = texts.slug_of(name)
    taken = await workspaces.with_slug_of(tx, base)
    if any(is_similar(other.name, name) for other in taken):
        raise Conflict("Another workspace has this name.", code="workspace_taken")
    try:
        return await workspaces.insert(tx, texts.free_slug(base, {other.slug for other in taken}), name)
    except UniqueViolation as error:
        raise Conflict("Another workspace has this name.", code="workspace_taken") from error


async def create_account(
    tx: Transaction, workspace_id: WorkspaceId, email: str, fullname: str, role: Role, password_hash: str
) -> Account:
    """Create an account, with a handle made from its name. Raises Conflict `email_taken`."""
    key = email_key(email)
    if await users.by_email_in(tx, workspace_id, key) is not None:
        raise Conflict("An account in this workspace has this e-mail address.", code="email_taken")
    handle = await free_handle(tx, workspace_id, texts.handle_of(fullname, email))
    user_id = UserId(await tx.new_id())
    await users.insert(
        tx,
        NewAccount(
            id=user_id,
            workspace_id=workspace_id,
            email=canonical_email(email) or email,
            email_key=key,
            password_hash=password_hash,
            fullname=fullname,
            fullname_key=key_of(fullname),
            handle=handle,
            handle_key=key_of(handle),
            role=role,
        ),
    )
    account = await users.find(tx, workspace_id, user_id)
    assert account is not None  # inserted just now
    joined = events.Draft(EventType.USER_JOINED, user_id=user_id, data=UserData(users.public_view(account)))
    await events.append(tx, workspace_id, [joined], rights=True)
    await default_channel.welcome(tx, workspace_id, user_id, role)
    return account


async def free_handle(tx: Transaction, workspace_id: WorkspaceId, wanted: str) -> str:
    """Return `wanted`, or `wanted` with the first free number from 2 to 9, or with a random number."""
    for suffix in ("", *map(str, range(2, 10))):
        if not await users.is_handle_taken(tx, workspace_id, key_of(wanted + suffix)):
            return wanted + suffix
    return f"{wanted}{secrets.randbelow(90_000_000) + 10_000_000}"
