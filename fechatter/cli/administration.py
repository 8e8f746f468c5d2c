"""Shared by the administration commands: the database beside a running server, the acting user, input and output.

A running server learns of each change from the event log, as from another node, within one or two seconds.
"""

from __future__ import annotations

import asyncio
import getpass
import os
import pwd
import signal
import sqlite3
import sys
from argparse import Namespace
from collections.abc import Awaitable, Callable
from typing import TypeVar

from fechatter.accounts.administration import command_actor
from fechatter.auth.passwords import Passwords, check_password
from fechatter.cli.checks_database import pending_migrations
from fechatter.cli.terminal import as_json, note, read_line, report, show, undecodable_input
from fechatter.disk.troubles import trouble
from fechatter.errors import Invalid, NotFound, Problem, StartError, StorageError
from fechatter.model import Actor, Workspace
from fechatter.settings import Settings
from fechatter.storage import opening, workspaces
from fechatter.storage.engines.base import Database, Transaction
from fechatter.storage.folder import in_use

T = TypeVar("T")

OK, REFUSED, USAGE = 0, 1, 2
CONNECTIONS = 2
PAGE_ROWS = 100


def administer(settings: Settings, options: Namespace, work: Callable[[Database], Awaitable[None]]) -> int:
    """Do the work of one command and return its exit code.

    Raises:
        StartError: there is no such database, or it belongs to another version.
    """
    _check_database(settings.database_address)
    try:
        asyncio.run(_interruptible(settings, work))
    except Problem as problem:
        _refuse(options, problem)
        return USAGE if isinstance(problem, Invalid) else REFUSED
    except StorageError as error:
        note(f"fechatter: the database refused the change ({error}); this step stored nothing, try again")
        return REFUSED
    except (EOFError, KeyboardInterrupt):
        note("fechatter: interrupted; finished steps are stored, and you can run the command again")
        return REFUSED
    return OK


def _check_database(address: str) -> None:
    """Check the version of the tables; the command does not migrate them.

    Raises:
        StartError: the tables are missing or belong to another version.
    """
    opening.check_there(address)
    try:
        pending = pending_migrations(address)
    except (OSError, sqlite3.Error) as error:
        raise StartError(trouble(error, opening.sqlite_path(address))) from error
    if pending:
        raise StartError(
            "The database belongs to an earlier version. Start the server or run `fechatter migrate` first."
        )


async def _interruptible(settings: Settings, work: Callable[[Database], Awaitable[None]]) -> None:
    # The default handler interrupts a prompt; asyncio's handler would only cancel the task.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    await with_database(settings, work)


async def with_database(settings: Settings, work: Callable[[Database], Awaitable[None]]) -> None:
    """Open the database, beside a running server if there is one, and close it after the work. Raises StorageError."""
    database = await opening.open_database(
        settings.database_address,
        lambda frames, signals: None,
        connections=CONNECTIONS,
        beside_server=in_use(settings.data_dir),
    )
    try:
        await work(database)
    finally:
        await database.close()


def _refuse(options: Namespace, problem: Problem) -> None:
    if options.json:
        note(as_json({"code": problem.code, "detail": problem.detail}, sys.stderr))
    else:
        note(f"fechatter: {problem.detail}")


async def workspace_of(database: Database, slug: str | None) -> Workspace:
    """Return the named workspace, or the only one.

    Raises:
        NotFound: `workspace_not_found`.
        Invalid: there are several workspaces, and `slug` is None.
    """
    if slug is not None:
        found = await database.read(lambda tx: workspaces.by_slug(tx, slug))
        if found is None:
            raise NotFound(f"There is no workspace {slug!r}.", code="workspace_not_found")
        return found
    several = await database.read(lambda tx: workspaces.page(tx, 0, 2))
    if not several:
        raise NotFound(
            "There is no workspace yet. Create one with `fechatter workspaces create`.", code="workspace_not_found"
        )
    if len(several) > 1:
        raise Invalid.field(
            "--workspace", "missing", "There are several workspaces. Select one with --workspace and its slug."
        )
    return several[0]


async def change(database: Database, workspace: Workspace, work: Callable[[Transaction, Actor], Awaitable[T]]) -> T:
    """Run `work` in one transaction, under the workspace's lock."""
    actor = command_actor(workspace.id, system_user())

    async def transaction(tx: Transaction) -> T:
        if await workspaces.by_slug(tx, workspace.slug) is None:
            raise NotFound("The workspace was deleted in the meantime.", code="workspace_not_found")
        return await work(tx, actor)

    return await database.write(workspace.id, transaction)


def system_user() -> str:
    """Return the name of this process's user from the operating system, not from variables that anybody can set."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


async def new_password_hash() -> str:
    """Return the hash of a new password, which is typed twice without echo or is the first line of standard input.

    Raises:
        Invalid: the password is missing or not allowed, or the two inputs differ.
    """
    try:
        password = _typed_password() if sys.stdin is not None and sys.stdin.isatty() else read_line()
    except EOFError as error:
        raise Invalid.field("password", "missing", "No password was given.") from error
    check_password("password", password)
    passwords = Passwords(threads=1)
    try:
        return await passwords.hash(password)
    finally:
        passwords.close()


def _typed_password() -> str:
    try:
        password, again = getpass.getpass("New password: "), getpass.getpass("Repeat it: ")
    except UnicodeError as error:
        raise undecodable_input(error) from error
    if again != password:
        raise Invalid.field("password", "mismatch", "The two passwords differ.")
    return password


def typed(question: str) -> str:
    """Return the answer to a question, from a terminal or standard input. Raises EOFError."""
    note(question, end=" ")
    return read_line()


def show_outcome(options: Namespace, value: object, sentence: str) -> None:
    """Print the outcome: JSON for programs, a sentence for people."""
    report(as_json(value) if options.json else sentence)


def show_rows(options: Namespace, items: list[T], cells: Callable[[T], list[str]]) -> None:
    """Print a list: one JSON object with `items`, or one line in columns per item."""
    if options.json:
        show(as_json({"items": items}))
        return
    rows = [cells(item) for item in items]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        show("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
