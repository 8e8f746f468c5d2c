"""A database that refuses, or ends connections: the server waits, says so, and goes on when the database is back."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import pytest

from tests.journeys.client import PASSWORD, Client, owner
from tests.journeys.server import ServerProcess
from tests.journeys.stream import Stream
from tests.journeys.wire import Answer
from tests.servers.postgres import Postgres

ROLE = "chat"
SECRET = "once a password"
MOST_SECONDS = 30.0
DATABASE = "chat"
_END = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = $1"


class Ground(NamedTuple):
    """A server whose PostgreSQL asks the server's role for a password, and trusts the operator."""

    postgres: Postgres
    server: ServerProcess

    async def run(self, *statements: str, inside: bool = False) -> None:
        """Run statements in the server's database (`inside`) or beside it; then end the server's connections."""
        async with operator(self.postgres, DATABASE if inside else "postgres") as connection:
            for statement in statements:
                await connection.execute(statement)
            await connection.execute(_END, ROLE)


@asynccontextmanager
async def operator(postgres: Postgres, database: str = "postgres") -> AsyncIterator[Any]:
    """A connection of the superuser."""
    connection = await asyncpg.connect(postgres.url(database))
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    server = Postgres(full_page_writes="off", autovacuum="off")
    try:
        rules = [f"host all {ROLE} 127.0.0.1/32 scram-sha-256", "host all all 127.0.0.1/32 trust"]
        (server.data / "pg_hba.conf").write_text("\n".join(rules) + "\n")
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
async def ground(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Ground]:
    async with operator(postgres) as connection:
        await connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        await connection.execute(f"DROP ROLE IF EXISTS {ROLE}")
        await connection.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{SECRET}'")
        await connection.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")
    url = f"postgresql://{ROLE}:{SECRET.replace(' ', '%20')}@127.0.0.1:{postgres.port}/{DATABASE}"
    server = ServerProcess(tmp_path, url, heartbeat_seconds="1")
    try:
        server.start()
        yield Ground(postgres, server)
    finally:
        server.kill()


async def until(ask: Any, wanted: Any) -> Answer:
    """The first answer that is wanted. Raises TimeoutError."""
    async with asyncio.timeout(MOST_SECONDS):
        while not wanted(answer := await ask()):
            continue
    return answer


async def health(person: Client) -> Answer:
    return await person.ask("GET", "/health")


@asynccontextmanager
async def at_work(server: ServerProcess) -> AsyncIterator[tuple[Client, int, Stream]]:
    """An owner with a chat and an open stream. Afterwards everything works again and nothing acknowledged is lost."""
    ada = await owner(server, setup_token=await asyncio.to_thread(lambda: server.setup_token))
    chat = (await ada.chat("public_channel"))["id"]
    stream = await ada.listen()
    before = await ada.send(chat, "before")
    await stream.until("message.created")
    yield ada, chat, stream
    await until(lambda: health(ada), lambda answer: answer.status == 200)
    # A connection that ended unnoticed is noticed by the first that uses it.
    sending = {"content": "after", "idempotency_key": "the-same-key"}
    path = f"/api/chat/{chat}/messages"
    after = (await until(lambda: ada.ask("POST", path, sending), lambda answer: answer.status < 300)).json
    cursor = stream.cursor
    stream.close()
    resumed = await ada.listen(cursor)
    missed = [event for event in await resumed.until("resumed") if event.name == "message.created"]
    shown = [event.data["data"]["message"]["content"] for event in missed]
    assert shown[-1] == "after"
    kept = await ada.history(chat)
    assert (kept[0]["id"], kept[-1]["id"]) == (before["id"], after["id"])
    assert [message["number"] for message in kept] == list(range(1, len(kept) + 1))
    well = (await until(lambda: health(ada), lambda answer: answer.json["status"] == "ok")).json["parts"]
    assert {"head_poll", "session_expiry", "prune_events", "prune_keys", "prune_audit"} <= well.keys()
    assert "died" not in server.output


def signing_in(person: Client) -> dict[str, str]:
    return {"email": person.session["user"]["email"], "password": PASSWORD}


async def refused_everywhere(ada: Client, chat: int, reads: int = 503) -> None:
    """Requests get 503 with the time to wait. Admins learn the reason, others only the state."""
    await until(lambda: health(ada), lambda answer: answer.status == 503)
    answers = [
        await ada.ask("POST", f"/api/chat/{chat}/messages", {"content": "lost"}),
        await ada.ask("PATCH", "/api/users/me", {"fullname": "Lost"}),
        await Client(ada.server).ask("POST", "/api/signin", signing_in(ada)),
    ]
    assert [answer.status for answer in answers] == [503] * 3, [answer.body for answer in answers]
    assert all(int(answer.headers["retry-after"]) > 0 for answer in answers)
    assert (await ada.ask("GET", "/api/sync")).status == reads
    report = (await health(ada)).json
    assert (report["status"], report["parts"]["database"]["state"]) == ("down", "down")
    assert report["parts"]["database"]["detail"]
    assert report["parts"]["database"]["since"]
    assert (await health(Client(ada.server))).json["parts"]["database"] == {"state": "down"}


BESIDE = {
    "another password": (f"ALTER ROLE {ROLE} PASSWORD 'x'", f"ALTER ROLE {ROLE} PASSWORD '{SECRET}'"),
    "no login": (f"ALTER ROLE {ROLE} NOLOGIN", f"ALTER ROLE {ROLE} LOGIN"),
    "no connections": (f"ALTER ROLE {ROLE} CONNECTION LIMIT 0", f"ALTER ROLE {ROLE} CONNECTION LIMIT -1"),
    "a closed database": (
        f"ALTER DATABASE {DATABASE} ALLOW_CONNECTIONS false",
        f"ALTER DATABASE {DATABASE} ALLOW_CONNECTIONS true",
    ),
}
INSIDE = {
    "another schema": ("ALTER SCHEMA public RENAME TO away", "ALTER SCHEMA away RENAME TO public"),
    "a lost table": ("ALTER TABLE workspaces RENAME TO away", "ALTER TABLE away RENAME TO workspaces"),
    "no rights": ("REVOKE ALL ON SCHEMA public FROM PUBLIC", "GRANT ALL ON SCHEMA public TO PUBLIC"),
}
BREAKS = BESIDE | INSIDE


@pytest.mark.parametrize("name", BREAKS)
async def test_a_database_that_refuses_is_waited_for(ground: Ground, name: str) -> None:
    breaking, mending = BREAKS[name]
    async with at_work(ground.server) as (ada, chat, _):
        if name == "no rights":
            await ground.run("ALTER SCHEMA public OWNER TO fechatter", inside=True)
        await ada.get("/api/workspace")
        await ground.run(breaking, inside=name in INSIDE)
        await refused_everywhere(ada, chat)
        # The server's own tasks meet the database meanwhile.
        await until(lambda: health(ada), lambda answer: answer.json["parts"]["head_poll"]["state"] == "degraded")
        assert (await health(ada)).json["parts"]["head_poll"]["detail"]
        await ground.run(mending, inside=name in INSIDE)


async def test_a_read_only_database_can_be_read_and_says_why_not_more(ground: Ground) -> None:
    async with at_work(ground.server) as (ada, chat, stream):
        await ground.run(f"ALTER DATABASE {DATABASE} SET default_transaction_read_only = on")
        await refused_everywhere(ada, chat, reads=200)
        assert "read-only" in (await health(ada)).json["parts"]["database"]["detail"]
        await ground.run(f"ALTER DATABASE {DATABASE} RESET default_transaction_read_only")
        await stream.quiet(0.1)


DEFAULTS = {
    "default_transaction_isolation": "serializable",
    "timezone": "Asia/Kathmandu",
    "search_path": "nowhere",
    "client_encoding": "latin1",
    "standard_conforming_strings": "off",
    "statement_timeout": "1",
    "lock_timeout": "1",
    "idle_in_transaction_session_timeout": "1",
    "idle_session_timeout": "1",
    "transaction_timeout": "1",
    "exit_on_error": "on",
    "datestyle": "German",
    "bytea_output": "escape",
    "synchronous_commit": "off",
}


@pytest.mark.parametrize("whose", [f"DATABASE {DATABASE}", f"ROLE {ROLE}"])
async def test_no_default_of_a_database_or_role_changes_what_happens(ground: Ground, whose: str) -> None:
    async with at_work(ground.server) as (ada, chat, _):
        await ground.run(*[f"ALTER {whose} SET {name} = '{value}'" for name, value in DEFAULTS.items()])
        await until(lambda: health(ada), lambda answer: answer.status == 200)
        path = f"/api/chat/{chat}/messages"
        sends = [ada.ask("POST", path, {"content": f"😀 {number}"}) for number in range(200)]
        changes = [ada.ask("PATCH", "/api/users/me", {"fullname": f"Ada {number}"}) for number in range(100)]
        answers = await asyncio.gather(*sends, *changes)
        assert Counter(answer.status for answer in answers) == {201: 200, 200: 100}
        kept = [message["content"] for message in (await ada.history(chat))[1:]]
        assert sorted(kept) == sorted(f"😀 {number}" for number in range(200))


@pytest.mark.parametrize("whose", [f"DATABASE {DATABASE}", f"ROLE {ROLE}"])
async def test_no_default_of_a_database_or_role_hides_the_tables_from_a_new_process(ground: Ground, whose: str) -> None:
    ada = await owner(ground.server, setup_token=ground.server.setup_token)
    chat = (await ada.chat("public_channel"))["id"]
    kept = [await ada.send(chat, "kept 😀")]
    ground.server.kill()
    await ground.run("CREATE SCHEMA other", inside=True)
    defaults = {**DEFAULTS, "search_path": "other"}
    await ground.run(*[f"ALTER {whose} SET {name} = '{value}'" for name, value in defaults.items()])
    ground.server.start()
    assert await Client(ground.server, ada.session).history(chat) == kept


async def test_a_table_that_is_lost_or_takes_no_rows_is_reported_and_a_quiet_server_recovers(ground: Ground) -> None:
    async with at_work(ground.server) as (ada, chat, _):
        await ground.run("ALTER TABLE eras RENAME TO away", inside=True)
        await until(lambda: health(ada), lambda answer: answer.json["parts"]["database"]["state"] == "down")
        await ground.run("ALTER TABLE away RENAME TO eras", inside=True)
        await until(lambda: health(ada), lambda answer: answer.status == 200)
        await ground.run("ALTER TABLE messages OWNER TO fechatter", f"GRANT SELECT ON messages TO {ROLE}", inside=True)
        assert (await ada.ask("POST", f"/api/chat/{chat}/messages", {"content": "lost"})).status == 503
        report = (await until(lambda: health(ada), lambda answer: answer.status == 503)).json["parts"]
        assert report["database"] == {**report["database"], "state": "down", "detail": "the role cannot write to the table messages"}
        assert "permission denied" in report["writer"]["detail"]
        await ground.run(f"ALTER TABLE messages OWNER TO {ROLE}", inside=True)
        await until(lambda: health(ada), lambda answer: answer.json["status"] == "ok")


class DelayedEnds:
    """Passes everything on, but tells a client only after a while that PostgreSQL has closed the connection."""

    def __init__(self, port: int, seconds: float) -> None:
        self._port, self._seconds = port, seconds
        self._passing: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._passing.add(asyncio.ensure_future(self._pass_on(reader, writer)))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, to_upstream = await asyncio.open_connection("127.0.0.1", self._port)
        forward = asyncio.ensure_future(_copy(reader, to_upstream))
        try:
            await _copy(upstream, writer)
            await asyncio.sleep(self._seconds)
        finally:
            forward.cancel()
            writer.close()
            to_upstream.close()

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for passing in self._passing:
            passing.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while part := await reader.read(1 << 16):
            writer.write(part)
            await writer.drain()
    except OSError:
        return


async def test_a_proxy_that_closes_late_is_survived(postgres: Postgres, ground: Ground, tmp_path: Path) -> None:
    proxy = DelayedEnds(postgres.port, 1.5)
    url = str(ground.server.database_url).replace(str(postgres.port), str(await proxy.start()))
    ground.server.kill()
    (tmp_path / "behind").mkdir()
    server = ServerProcess(tmp_path / "behind", url, heartbeat_seconds="1")
    behind = Ground(postgres, server)
    try:
        await asyncio.to_thread(server.start)
        async with at_work(server) as (ada, _, _stream):
            for _ in range(3):
                await behind.run()
                asked = [ada.ask("GET", "/api/sync") for _ in range(10)]
                assert {answer.status for answer in await asyncio.gather(*asked)} <= {200, 503}
    finally:
        await asyncio.to_thread(server.kill)
        await proxy.close()
