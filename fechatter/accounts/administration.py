"""Administration of accounts from the command line, which needs no rights in the workspace.

Everything here runs with an actor of `command_actor` and is recorded in the audit log.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from fechatter.accounts import people, sessions, texts
from fechatter.accounts.signup import create_account, create_workspace, workspace_name_errors
from fechatter.audit.record import Act, record
from fechatter.canonical.emails import email_errors, email_key
from fechatter.canonical.names import key_of, name_errors
from fechatter.chats import default_channel
from fechatter.errors import NotFound
from fechatter.model import MAX_ID, Actor, Origin, Role, SessionId, User, UserId, Workspace, WorkspaceId
from fechatter.storage import password_resets, server, users
from fechatter.storage import sessions as session_rows
from fechatter.storage.engines.base import Transaction
from fechatter.storage.sessions import Session
from fechatter.storage.users import Account


class NewPerson(msgspec.Struct, frozen=True, kw_only=True):
    """A person who gets an account."""

    email: str
    fullname: str
    role: Role = Role.MEMBER


def command_actor(workspace_id: WorkspaceId, system_user: str) -> Actor:
    """Return the actor of a command: it has all rights in the workspace and is not one of its people."""
    return Actor(UserId(0), workspace_id, SessionId(0), Role.OWNER, Origin("command_line", system_user))


def check_person(wanted: NewPerson) -> None:
    """Check the e-mail address and the name of a new person. Raises Invalid."""
    errors = email_errors("/email", wanted.email)
    texts.refuse([*errors, *name_errors("/fullname", wanted.fullname, texts.FULLNAME_CHARACTERS)])


async def find(tx: Transaction, workspace_id: WorkspaceId, name: str) -> Account:
    """Return the account with this id, e-mail address or handle (with or without `@`). Raises NotFound."""
    if name.isascii() and name.isdecimal() and len(name) <= 16 and int(name) <= MAX_ID:
        account = await users.find(tx, workspace_id, UserId(int(name)))
    elif "@" in name[1:]:
        account = await users.by_email_in(tx, workspace_id, email_key(name))
    else:
        account = await users.by_handle(tx, workspace_id, key_of(name.removeprefix("@")))
    if account is None:
        raise NotFound()
    return account


def check_workspace(name: str, owner: NewPerson) -> None:
    """Check the name of a new workspace, and its owner. Raises Invalid."""
    texts.refuse(workspace_name_errors("/name", name))
    check_person(owner)


async def begin_workspace(
    tx: Transaction, system_user: str, name: str, owner: NewPerson, password_hash: str
) -> Workspace:
    """Create a workspace, its owner and its default channel; the set-up token becomes invalid.

    Raises:
        Conflict: `workspace_taken`.
    """
    await server.claim_setup(tx)
    workspace = await create_workspace(tx, name)
    actor = command_actor(workspace.id, system_user)
    await record(tx, actor, Act.WORKSPACE_CREATED, workspace.id, after={"name": workspace.name})
    made = await create_person(tx, actor, msgspec.structs.replace(owner, role=Role.OWNER), password_hash)
    chat_id = await default_channel.begin(tx, workspace.id, made.id)
    return msgspec.structs.replace(workspace, default_chat_id=chat_id)


async def create_person(tx: Transaction, actor: Actor, wanted: NewPerson, password_hash: str) -> User:
    """Create an account. Raises Conflict `email_taken`."""
    account = await create_account(tx, actor.workspace_id, wanted.email, wanted.fullname, wanted.role, password_hash)
    await record(tx, actor, Act.USER_CREATED, account.id, after={"email": account.email, "role": account.role})
    return people.view(actor, account)


async def reset_password(tx: Transaction, actor: Actor, account: Account, password_hash: str) -> None:
    """Store a new password and end all of the person's sessions."""
    await users.change_password(tx, account.id, password_hash)
    await password_resets.revoke(tx, account.id)
    await record(tx, actor, Act.USER_PASSWORD_RESET, account.id)
    await sessions.end(tx, actor.workspace_id, await session_rows.live(tx, account.id))


async def end_sessions(
    tx: Transaction, actor: Actor, account: Account, only: SessionId | None = None
) -> Sequence[Session]:
    """End all sessions of the person, or only one; return the ended sessions.

    Raises:
        NotFound: the one session belongs to another person, or has ended before.
    """
    ended = [session for session in await session_rows.live(tx, account.id) if only in (None, session.id)]
    if only is not None and not ended:
        raise NotFound()
    for session in ended:
        await record(tx, actor, Act.SESSION_REVOKED, session.id, before={"user_id": account.id})
    await sessions.end(tx, actor.workspace_id, ended)
    return ended
