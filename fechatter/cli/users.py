"""`fechatter users`: administers the accounts of people from the command line."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Awaitable, Callable
from functools import partial

from fechatter.accounts import administration, password_resets, people
from fechatter.accounts.people import Standing
from fechatter.cli.administration import (
    PAGE_ROWS,
    administer,
    change,
    new_password_hash,
    show_outcome,
    show_rows,
    system_user,
    workspace_of,
)
from fechatter.errors import NotFound
from fechatter.model import Actor, Role, User, Workspace, timestamp
from fechatter.settings import Settings
from fechatter.settings.urls import public_url
from fechatter.storage.engines.base import Database, Transaction
from fechatter.storage.password_resets import PasswordReset
from fechatter.storage.users import Account

Work = Callable[[Database, Workspace, Namespace], Awaitable[None]]


def run(settings: Settings, options: Namespace) -> int:
    """Run the command and return its exit code. Raises StartError."""

    async def work(database: Database) -> None:
        command = _reset_link(settings) if options.action == "reset-link" else WORK[options.action]
        await command(database, await workspace_of(database, options.workspace), options)

    return administer(settings, options, work)


async def _list(database: Database, workspace: Workspace, options: Namespace) -> None:
    actor = administration.command_actor(workspace.id, system_user())
    found: list[User] = []
    while True:
        after = found[-1].id if found else 0
        page = await database.read(partial(people.page, actor=actor, query="", after=after, limit=PAGE_ROWS))
        found += page
        if len(page) < PAGE_ROWS:
            break
    show_rows(options, found, _cells)


def _cells(user: User) -> list[str]:
    return [
        str(user.id),
        str(user.email),
        f"@{user.handle}",
        user.fullname,
        user.role,
        "disabled" if user.disabled else "",
    ]


async def _create(database: Database, workspace: Workspace, options: Namespace) -> None:
    wanted = administration.NewPerson(email=options.email, fullname=options.fullname, role=Role(options.role))
    administration.check_person(wanted)
    password_hash = await new_password_hash()
    user = await change(
        database, workspace, lambda tx, actor: administration.create_person(tx, actor, wanted, password_hash)
    )
    show_outcome(
        options, user, f"Created {user.email} as @{user.handle} in {workspace.slug}, with the role {user.role}."
    )


async def _reset_password(database: Database, workspace: Workspace, options: Namespace) -> None:
    # Look for the person before a password is typed, and again in the transaction.
    await database.read(lambda tx: find_person(tx, workspace, options.person))
    password_hash = await new_password_hash()

    async def work(tx: Transaction, actor: Actor) -> User:
        account = await find_person(tx, workspace, options.person)
        await administration.reset_password(tx, actor, account, password_hash)
        return people.view(actor, account)

    user = await change(database, workspace, work)
    show_outcome(options, user, f"{user.email} has a new password, and all sessions have ended.")


def _reset_link(settings: Settings) -> Work:
    """Return the command that creates a password reset link to the public address in the settings."""

    async def command(database: Database, workspace: Workspace, options: Namespace) -> None:
        async def work(tx: Transaction, actor: Actor) -> tuple[PasswordReset, str]:
            return await password_resets.make(tx, actor, await find_person(tx, workspace, options.person))

        reset, token = await change(database, workspace, work)
        url, expires_at = password_resets.link(public_url(settings, settings.port), token), timestamp(reset.expires_at)
        made = {"id": reset.id, "token": token, "url": url, "expires_at": expires_at}
        show_outcome(options, made, f"{url}\nThe link works once, until {expires_at}.")

    return command


def _change_to(wanted: Standing, sentence: str) -> Work:
    """Return the command that changes a person's role or state, and then prints the e-mail address and `sentence`."""

    async def command(database: Database, workspace: Workspace, options: Namespace) -> None:
        async def work(tx: Transaction, actor: Actor) -> User:
            account = await find_person(tx, workspace, options.person)
            return await people.update(tx, actor, account.id, wanted)

        user = await change(database, workspace, work)
        show_outcome(options, user, f"{user.email} {sentence}.")

    return command


async def find_person(tx: Transaction, workspace: Workspace, name: str) -> Account:
    """Return the account with this e-mail address, handle or id. Raises NotFound `user_not_found`."""
    try:
        return await administration.find(tx, workspace.id, name)
    except NotFound as error:
        raise NotFound(f"There is no person {name!r} in {workspace.slug}.", code="user_not_found") from error


WORK: dict[str, Work] = {
    "list": _list,
    "create": _create,
    "disable": _change_to(Standing(disabled=True), "is disabled; all sessions and invitations have ended"),
    "enable": _change_to(Standing(disabled=False), "can sign in"),
    "reset-password": _reset_password,
    "make-owner": _change_to(Standing(role=Role.OWNER), "is an owner"),
}
