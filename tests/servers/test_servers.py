"""The servers that tests start."""

import asyncpg
import nats
from nats.js.api import StorageType, StreamConfig

from tests.servers.nats import Nats
from tests.servers.postgres import Postgres


async def _rows(url: str, *statements: str) -> list[int]:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        for statement in statements:
            await connection.execute(statement)
        return [row["n"] for row in await connection.fetch("SELECT n FROM kept ORDER BY n")]
    finally:
        await connection.close()


async def test_each_created_database_is_empty(postgres_server: Postgres, postgres_url: str) -> None:
    other = postgres_server.create_database()
    assert await _rows(postgres_url, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (1)") == [1]
    assert await _rows(other, "CREATE TABLE kept (n int)") == []


async def test_a_killed_postgres_keeps_committed_rows() -> None:
    server = Postgres()
    try:
        server.start()
        url = server.create_database()
        await _rows(url, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (1)")
        server.kill()
        server.start()
        assert await _rows(url) == [1]
        server.stop()
        server.start()
        assert await _rows(url) == [1]
    finally:
        server.remove()


async def test_a_stopped_nats_keeps_its_streams() -> None:
    server = Nats()
    try:
        server.start()
        first = await nats.connect(server.url)
        await first.jetstream().add_stream(StreamConfig(name="kept", subjects=["kept"], storage=StorageType.FILE))
        await first.jetstream().publish("kept", b"1")
        await first.close()
        server.stop()
        server.start()
        second = await nats.connect(server.url)
        assert (await second.jetstream().stream_info("kept")).state.messages == 1
        await second.close()
    finally:
        server.remove()


async def test_the_shared_nats_accepts_connections(nats_url: str) -> None:
    connection = await nats.connect(nats_url)
    await connection.flush()
    await connection.close()
