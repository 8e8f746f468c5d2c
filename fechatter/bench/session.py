"""Runs one bench on a new server or on a running one."""

from __future__ import annotations

from urllib.parse import urlsplit

import asyncpg
import msgspec
import uvloop

from fechatter.bench.interrupts import Interrupts
from fechatter.bench.machine import SHARED
from fechatter.bench.own_server import OwnServer
from fechatter.bench.report import Report
from fechatter.bench.runs import Wanted, measure, measure_start
from fechatter.bench.target import LoadTarget
from fechatter.bench.workspace import LoadPerson, create_load_workspace, sign_in, temporary_channel, who_is
from fechatter.errors import StartError

PEOPLE, CHATS = 16, 20
START_ROUNDS = 5
DATABASE_SECONDS = 10.0
_TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"


class Credentials(msgspec.Struct, frozen=True):
    """How the load signs in to a running server: with an access token, or with e-mail address and password."""

    token: str | None = None
    email: str = ""
    password: str = ""


def on_own_server(bench: str, wanted: Wanted, database_url: str | None, interrupts: Interrupts) -> Report:
    """Run one bench on a new server, which is removed at the end.

    Raises:
        StartError: the server does not start, or the database is not empty.
        OSError, TimeoutError, Refused: the server does not answer, or refuses a request.
        KeyboardInterrupt: a signal arrived.
    """
    if database_url is not None:
        with interrupts.allowed():
            uvloop.run(_check_empty(database_url))
    with OwnServer(database_url, interrupts) as server:
        if bench == "start":
            report = measure_start(server, START_ROUNDS)
        else:
            server.start()
            with interrupts.allowed():
                report = uvloop.run(_on_own(bench, wanted, server))
    engine = "SQLite" if database_url is None else "PostgreSQL"
    report.target = f"a new server on {engine}, without effective rate limits; {SHARED}"
    if database_url is not None:
        report.notes.append(
            f"The database {urlsplit(database_url).path.lstrip('/')} now contains the data of the load. Drop it."
        )
    return report


async def _on_own(bench: str, wanted: Wanted, server: OwnServer) -> Report:
    workspace = await create_load_workspace(server.target, server.read_setup_token(), PEOPLE, CHATS)
    return await measure(bench, server.target, workspace, wanted)


async def _check_empty(database_url: str) -> None:
    """Check that the database is empty. Raises StartError: it contains tables, or does not answer."""
    try:
        connection = await asyncpg.connect(database_url, timeout=DATABASE_SECONDS)
        tables = await connection.fetchval(_TABLES, timeout=DATABASE_SECONDS)
        await connection.close(timeout=DATABASE_SECONDS)
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StartError(f"The database does not answer ({error}).") from error
    if tables:
        raise StartError("The database contains tables. Use an empty one.")


def on_running_server(bench: str, wanted: Wanted, target: LoadTarget, access: Credentials) -> Report:
    """Run one bench on a running server.

    Raises:
        StartError: the bench needs a new server, or the memory of the server cannot be read.
        OSError, TimeoutError, Refused: the server does not answer, or refuses a request.
    """
    if bench == "start":
        raise StartError("`start` measures a new server. Omit --url.")
    report = uvloop.run(_on_running(bench, wanted, target, access))
    report.target = f"{target.host}:{target.port}, one person in a private channel, with the limits of that server"
    return report


async def _on_running(bench: str, wanted: Wanted, target: LoadTarget, access: Credentials) -> Report:
    async with temporary_channel(target, await _person(target, access)) as workspace:
        return await measure(bench, target, workspace, wanted)


async def _person(target: LoadTarget, access: Credentials) -> LoadPerson:
    if access.token is not None:
        return await who_is(target, access.token)
    return await sign_in(target, access.email, access.password)
