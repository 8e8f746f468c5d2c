"""One `fechatter bench`: a server of its own, or a running one, and the load of one bench on it."""

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
from fechatter.bench.workspace import LoadPerson, furnish, sign_in, visit, who_is
from fechatter.errors import StartError

PEOPLE, CHATS = 16, 20
START_ROUNDS = 5
DATABASE_SECONDS = 10.0
_TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"


class Credentials(msgspec.Struct, frozen=True):
    """Who puts load on a running server: an access token, or who signs in."""

    token: str | None = None
    email: str = ""
    password: str = ""


def on_own_server(bench: str, wanted: Wanted, database_url: str | None, interrupts: Interrupts) -> Report:
    """Raises StartError, OSError, TimeoutError, Refused, KeyboardInterrupt."""
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
    report.target = f"a server of its own on {engine}, rate limits beyond reach; {SHARED}"
    if database_url is not None:
        report.notes.append(f"The database {urlsplit(database_url).path.lstrip('/')} now holds what the load left: drop it.")
    return report


async def _on_own(bench: str, wanted: Wanted, server: OwnServer) -> Report:
    workspace = await furnish(server.target, server.read_setup_token(), PEOPLE, CHATS)
    return await measure(bench, server.target, workspace, wanted)


async def _check_empty(database_url: str) -> None:
    """Load is for a database of its own. Raises StartError."""
    try:
        connection = await asyncpg.connect(database_url, timeout=DATABASE_SECONDS)
        tables = await connection.fetchval(_TABLES, timeout=DATABASE_SECONDS)
        await connection.close(timeout=DATABASE_SECONDS)
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StartError(f"The database does not answer ({error}).") from error
    if tables:
        raise StartError("That database holds tables already; load is only put on an empty one.")


def on_running_server(bench: str, wanted: Wanted, target: LoadTarget, access: Credentials) -> Report:
    """Raises StartError, OSError, TimeoutError, Refused."""
    if bench == "start":
        raise StartError("`start` measures a server of its own: leave out --url.")
    report = uvloop.run(_on_running(bench, wanted, target, access))
    report.target = f"{target.host}:{target.port}, one person in a private channel, with the limits that are set there"
    return report


async def _on_running(bench: str, wanted: Wanted, target: LoadTarget, access: Credentials) -> Report:
    async with visit(target, await _person(target, access)) as workspace:
        return await measure(bench, target, workspace, wanted)


async def _person(target: LoadTarget, access: Credentials) -> LoadPerson:
    if access.token is not None:
        return await who_is(target, access.token)
    return await sign_in(target, access.email, access.password)
