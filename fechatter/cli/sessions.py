"""`fechatter sessions`: ends people's sessions from the command line."""

from __future__ import annotations

from argparse import Namespace

from fechatter.accounts import administration
from fechatter.cli.administration import administer, change, tell, workspace_of
from fechatter.cli.users import find_person
from fechatter.errors import NotFound
from fechatter.model import Actor, SessionId
from fechatter.settings import Settings
from fechatter.storage.engines.base import Database, Transaction
from fechatter.storage.users import Account


def run(settings: Settings, options: Namespace) -> int:
    """Returns the exit code. Raises StartError."""

    async def work(database: Database) -> None:
        workspace = await workspace_of(database, options.workspace)

        async def transaction(tx: Transaction, actor: Actor) -> list[int]:
            account = await find_person(tx, workspace, options.person)
            return await _end(tx, actor, account, options.session)

        ended = await change(database, workspace, transaction)
        tell(options, {"ended": ended}, f"{len(ended)} sessions of {options.person} ended.")

    return administer(settings, options, work)


async def _end(tx: Transaction, actor: Actor, account: Account, only: int | None) -> list[int]:
    """The ids of those that ended. Raises NotFound `session_not_found`."""
    try:
        ended = await administration.end_sessions(tx, actor, account, None if only is None else SessionId(only))
    except NotFound as error:
        raise NotFound(f"There is no session {only} of this person.", code="session_not_found") from error
    return [session.id for session in ended]
