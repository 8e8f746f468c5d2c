"""`fechatter sessions`: shows and ends people's sessions from the command line."""

from __future__ import annotations

from argparse import Namespace

import msgspec

from fechatter.accounts import administration
from fechatter.cli.administration import administer, change, tell, tell_rows, workspace_of
from fechatter.cli.users import find_person
from fechatter.errors import NotFound
from fechatter.model import Actor, SessionId, Workspace, timestamp
from fechatter.settings import Settings
from fechatter.storage import sessions as rows
from fechatter.storage.engines.base import Database, Transaction
from fechatter.storage.users import Account


def run(settings: Settings, options: Namespace) -> int:
    """Returns the exit code. Raises StartError."""

    async def work(database: Database) -> None:
        command = _list if options.action == "list" else _revoke
        await command(database, await workspace_of(database, options.workspace), options)

    return administer(settings, options, work)


class Shown(msgspec.Struct, frozen=True):
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
    shown = [Shown(each.id, timestamp(each.last_used_at), timestamp(each.expires_at), each.address, each.user_agent) for each in found]
    tell_rows(options, shown, lambda each: [str(each.id), each.last_used_at, each.address, repr(each.user_agent)])


async def _revoke(database: Database, workspace: Workspace, options: Namespace) -> None:
    async def work(tx: Transaction, actor: Actor) -> list[int]:
        account = await find_person(tx, workspace, options.person)
        return await _end(tx, actor, account, options.session)

    ended = await change(database, workspace, work)
    plural = "" if len(ended) == 1 else "s"
    tell(options, {"ended": ended}, f"{len(ended)} session{plural} of {options.person} ended.")


async def _end(tx: Transaction, actor: Actor, account: Account, only: int | None) -> list[int]:
    """The ids of those that ended. Raises NotFound `session_not_found`."""
    try:
        ended = await administration.end_sessions(tx, actor, account, None if only is None else SessionId(only))
    except NotFound as error:
        raise NotFound(f"There is no session {only} of this person.", code="session_not_found") from error
    return [session.id for session in ended]
