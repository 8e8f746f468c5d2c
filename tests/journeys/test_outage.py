"""A PostgreSQL that refuses or ends connections: the server waits, reports it, and continues afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import pytest

from tests.journeys.client import PASSWORD, Client, owner
from tests.journeys.proxy import DelayingProxy
from tests.journeys.server import ServerProcess
from tests.journeys.stream import Stream
from tests.journeys.wire import Answer
from tests.servers.postgres import Postgres

ROLE = "chat"
SECRET = "once a password"
MAX_SECONDS = 30.0
DATABASE = "chat"
_END = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = $1"


class PasswordDatabase(NamedTuple):
    """A server whose PostgreSQL requires a password from the server's role and trusts the operator."""

    postgres: Postgres
    server: ServerProcess

    async def run(self, *statements: str, inside: bool = False) -> None:
        """Run statements inside or beside the server's database, then end the server's connections."""
        async with operator(self.postgres, DATABASE if inside else "postgres") as connection:
            for statement in statements:
                await connection.execute(statement)
            await connection.execute(_END, ROLE)


@asynccontextmanager
async def operator(postgres: Postgres, database: str = "postgres") -> AsyncIterator[Any]:
    """Open a connection as superuser."""
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
async def password_database(postgres: Postgres, tmp_path: Path) -> AsyncIterator[PasswordDatabase]:
    async with operator(postgres) as connection:
        await connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        await connection.execute(f"DROP ROLE IF EXISTS {ROLE}")
        await connection.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{SECRET}'")
        await connection.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")
    url = f"postgresql://{ROLE}:{SECRET.replace(' ', '%20')}@127.0.0.1:{postgres.port}/{DATABASE}"
    server = ServerProcess(tmp_path, url, heartbeat_seconds="1")
    try:
        server.start()
        yield PasswordDatabase(postgres, server)
    finally:
        server.kill()


async def until(ask: Any, wanted: Any) -> Answer:
    """Return the first response that fulfils the condition. Raises TimeoutError."""
    async with asyncio.timeout(MAX_SECONDS):
        while not wanted(answer := await ask()):
            continue
    return answer


async def health(person: Client) -> Answer:
    return await person.ask("GET", "/health")


@asynccontextmanager
async def checked_recovery(server: ServerProcess) -> AsyncIterator[tuple[Client, int, Stream]]:
    """Yield an owner, a chat and a stream. Then check that everything works and no acknowledged message is lost."""
    ada = await owner(server, setup_token=await asyncio.to_thread(lambda: server.setup_token))
    chat = (await ada.chat("public_channel"))["id"]
    stream = await ada.listen()
    before = await ada.send(chat, "before")
    await stream.until("message.created")
    yield ada, chat, stream
    await until(lambda: health(ada), lambda answer: answer.status == 200)
    # The first request on a broken connection may notice the break.
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


def credentials(person: Client) -> dict[str, str]:
    return {"email": person.session["user"]["email"], "password": PASSWORD}


async def check_unavailable(ada: Client, chat: int, reads: int = 503) -> None:
    """Check that requests get 503 with `Retry-After`, and that only admins see the reason in /health."""
    await until(lambda: health(ada), lambda answer: answer.status == 503)
    answers = [
        await ada.ask("POST", f"/api/chat/{chat}/messages", {"content": "lost"}),
        await ada.ask("PATCH", "/api/users/me", {"fullname": "Lost"}),
        await Client(ada.server).ask("POST", "/api/signin", credentials(ada)),
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
async def test_the_server_waits_for_a_database_that_refuses_it(password_database: PasswordDatabase, name: str) -> None:
    breaking, mending = BREAKS[name]
    async with checked_recovery(password_database.server) as (ada, chat, _):
        if name == "no rights":
            await password_database.run("ALTER SCHEMA public OWNER TO fechatter", inside=True)
        await ada.get("/api/workspace")
        await password_database.run(breaking, inside=name in INSIDE)
        await check_unavailable(ada, chat)
        # The server's own loops use the database meanwhile.
        await until(lambda: health(ada), lambda answer: answer.json["parts"]["head_poll"]["state"] == "degraded")
        assert (await health(ada)).json["parts"]["head_poll"]["detail"]
        await password_database.run(mending, inside=name in INSIDE)


async def test_a_read_only_database_serves_reads_and_health_states_the_reason(
    password_database: PasswordDatabase,
) -> None:
    async with checked_recovery(password_database.server) as (ada, chat, stream):
        await password_database.run(f"ALTER DATABASE {DATABASE} SET default_transaction_read_only = on")
        await check_unavailable(ada, chat, reads=200)
        assert "read-only" in (await health(ada)).json["parts"]["database"]["detail"]
        await password_database.run(f"ALTER DATABASE {DATABASE} RESET default_transaction_read_only")
        await stream.quiet(0.1)


async def accepted(person: Client, method: str, path: str, body: object) -> Answer:
    """Send a request up to three times. On a busy machine, some wait too long for the workspace's lock."""
    for _ in range(2):
        answer = await person.ask(method, path, body)
        if answer.status != 503:
            return answer
    return await person.ask(method, path, body)


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
async def test_defaults_of_a_database_or_role_do_not_change_the_servers_behaviour(
    password_database: PasswordDatabase, whose: str
) -> None:
    async with checked_recovery(password_database.server) as (ada, chat, _):
        await password_database.run(*[f"ALTER {whose} SET {name} = '{value}'" for name, value in DEFAULTS.items()])
        await until(lambda: health(ada), lambda answer: answer.status == 200)
        path = f"/api/chat/{chat}/messages"
        contents = [f"😀 {number}" for number in range(200)]
        sends = [accepted(ada, "POST", path, {"content": each, "idempotency_key": each}) for each in contents]
        changes = [accepted(ada, "PATCH", "/api/users/me", {"fullname": f"Ada {number}"}) for number in range(100)]
        answers = await asyncio.gather(*sends, *changes)
        assert {answer.status for answer in answers} <= {200, 201}
        kept = [message["content"] for message in (await ada.history(chat))[1:]]
        assert sorted(kept) == sorted(contents)


@pytest.mark.parametrize("whose", [f"DATABASE {DATABASE}", f"ROLE {ROLE}"])
async def test_defaults_of_a_database_or_role_do_not_hide_the_tables_from_a_new_process(
    password_database: PasswordDatabase, whose: str
) -> None:
    ada = await owner(password_database.server, setup_token=password_database.server.setup_token)
    chat = (await ada.chat("public_channel"))["id"]
    kept = [await ada.send(chat, "kept 😀")]
    password_database.server.kill()
    await password_database.run("CREATE SCHEMA other", inside=True)
    defaults = {**DEFAULTS, "search_path": "other"}
    await password_database.run(*[f"ALTER {whose} SET {name} = '{value}'" for name, value in defaults.items()])
    password_database.server.start()
    assert await Client(password_database.server, ada.session).history(chat) == kept


async def test_a_missing_or_read_only_table_is_reported_and_an_idle_server_recovers(
    password_database: PasswordDatabase,
) -> None:
    async with checked_recovery(password_database.server) as (ada, chat, _):
        await password_database.run("ALTER TABLE eras RENAME TO away", inside=True)
        await until(lambda: health(ada), lambda answer: answer.json["parts"]["database"]["state"] == "down")
        await password_database.run("ALTER TABLE away RENAME TO eras", inside=True)
        await until(lambda: health(ada), lambda answer: answer.status == 200)
        await password_database.run(
            "ALTER TABLE messages OWNER TO fechatter", f"GRANT SELECT ON messages TO {ROLE}", inside=True
        )
        assert (await ada.ask("POST", f"/api/chat/{chat}/messages", {"content": "lost"})).status == 503
        report = (await until(lambda: health(ada), lambda answer: answer.status == 503)).json["parts"]
        assert report["database"] == {
            **report["database"],
            "state": "down",
            "detail": "the role cannot write to the table messages",
        }
        assert "permission denied" in report["writer"]["detail"]
        await password_database.run(f"ALTER TABLE messages OWNER TO {ROLE}", inside=True)
        await until(lambda: health(ada), lambda answer: answer.json["status"] == "ok")


async def test_the_server_survives_a_proxy_that_closes_connections_late(
    postgres: Postgres, password_database: PasswordDatabase, tmp_path: Path
) -> None:
    proxy = DelayingProxy(postgres.port, 1.5)
    url = str(password_database.server.database_url).replace(str(postgres.port), str(await proxy.start()))
    password_database.server.kill()
    (tmp_path / "behind").mkdir()
    server = ServerProcess(tmp_path / "behind", url, heartbeat_seconds="1")
    behind = PasswordDatabase(postgres, server)
    try:
        await asyncio.to_thread(server.start)
        async with checked_recovery(server) as (ada, _, _stream):
            for _ in range(3):
                await behind.run()
                asked = [ada.ask("GET", "/api/sync") for _ in range(10)]
                assert {answer.status for answer in await asyncio.gather(*asked)} <= {200, 503}
    finally:
        await asyncio.to_thread(server.kill)
        await proxy.close()
