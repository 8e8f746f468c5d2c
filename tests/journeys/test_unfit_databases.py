"""A PostgreSQL that would corrupt or lose data is refused at the start. Lesser findings are logged."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import asyncpg
import pytest

from tests.journeys.server import ServerProcess
from tests.servers.postgres import Postgres

UNFIT = {
    "LATIN1": ("ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0", "encoding LATIN1"),
    "SQL_ASCII": ("ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0", "encoding SQL_ASCII"),
}


@pytest.mark.parametrize("encoding", UNFIT)
async def test_other_encodings_are_refused(postgres_server: Postgres, tmp_path: Path, encoding: str) -> None:
    how, message = UNFIT[encoding]
    name = f"unfit_{encoding.lower()}_{os.getpid()}"
    connection = await asyncpg.connect(postgres_server.url("postgres"))
    await connection.execute(f"CREATE DATABASE {name} {how}")
    await connection.close()
    server = ServerProcess(tmp_path, postgres_server.url(name))
    output = await asyncio.to_thread(server.expect_failed_start)
    assert message in output
    assert "Traceback" not in output


async def test_harmless_findings_are_logged_with_their_remedy(postgres_server: Postgres, tmp_path: Path) -> None:
    server = ServerProcess(tmp_path, postgres_server.create_database())
    try:
        await asyncio.to_thread(server.start)
        finding = "doctor: database settings: full_page_writes = off. Set full_page_writes = on"
        await asyncio.to_thread(server.wait_for_output, finding)
    finally:
        server.kill()


async def test_a_database_without_fsync_and_a_standby_are_refused(tmp_path: Path) -> None:
    unsafe = Postgres(fsync="off")
    try:
        unsafe.start()
        server = ServerProcess(tmp_path, unsafe.create_database())
        output = await asyncio.to_thread(server.expect_failed_start)
        assert "fsync = off" in output
        unsafe.stop()
        # The same data, started as a standby without a primary.
        (unsafe.data / "standby.signal").touch()
        unsafe.start()
        standby = await asyncio.to_thread(server.expect_failed_start)
    finally:
        unsafe.remove()
    assert "standby" in standby
    assert "Traceback" not in output + standby
