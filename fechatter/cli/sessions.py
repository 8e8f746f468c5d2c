"""`fechatter sessions`: lists and ends the sessions of people from the command line."""

from __future__ import annotations

from argparse import Namespace

import msgspec

from fechatter.accounts import administration
from fechatter.cli.administration import administer, change, show_outcome, show_rows, workspace_of
from fechatter.cli.terminal import counted
from fechatter.cli.users import find_person
from fechatter.errors import NotFound
from fechatter.model import Actor, SessionId, Workspace, timestamp
from fechatter.settings import Settings
from fechatter.storage import sessions as rows
from fechatter.storage.engines.base import Database, Transaction
from fechatter.storage.users import Account


def run(settings: Settings, options: Namespace) -> int:
    """Run the command and return its exit code. Raises StartError."""

    async def work(database: Database) -> None:
        command = _list if options.action == "list" else _revoke
        await command(database, await workspace_of(database, options.workspace), options)

    return administer(settings, options, work)


class ShownSession(msgspec.Struct, frozen=True):
    """A session as administrators see it."""

    id: SessionId
    last_used_at: str
    expires_at: str
    address: str
    user_agent: str


async def _list(database: Database, workspace: Workspace, options: Namespace) -> None:
    async def work(tx: Transaction) -> list[rows.Session]:
        account = await find_person(tx, workspace, options.person)
        return await rows.live(tx, account.id)

    found = await database.read(work)
    shown = [_shown(session) for session in found]
    show_rows(options, shown, lambda each: [str(each.id), each.last_used_at, each.address, repr(each.user_agent)])


def _shown(session: rows.Session) -> ShownSession:
    used, expires = timestamp(session.last_used_at), timestamp(session.expires_at)
    return ShownSession(session.id, used, expires, session.address, session.user_agent)


async def _revoke(database: Database, workspace: Workspace, options: Namespace) -> None:
    async def work(tx: Transaction, actor: Actor) -> list[int]:
        account = await find_person(tx, workspace, options.person)
        return await _end(tx, actor, account, options.session)

    ended = await change(database, workspace, work)
    show_outcome(options, {"ended": ended}, f"Ended {counted(len(ended), 'session')} of {options.person}.")


async def _end(tx: Transaction, actor: Actor, account: Account, only: int | None) -> list[int]:
    """Return the ids of the sessions that ended. Raises NotFound `session_not_found`."""
    try:
        ended = await administration.end_sessions(tx, actor, account, None if only is None else SessionId(only))
    except NotFound as error:
        raise NotFound(f"This person has no session {only}.", code="session_not_found") from error
    return [session.id for session in ended]
