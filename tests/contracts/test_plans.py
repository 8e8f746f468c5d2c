"""The plans of queries whose cost must not grow with the amount of stored data."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from fechatter.storage import erasure, events, messages, read_marks, retention, timelines
from fechatter.storage.engines import postgres_batch, sqlite_batch, sqlite_transaction
from fechatter.storage.engines.dialect import for_postgres, for_sqlite
from fechatter.storage.engines.postgres_migrate import migrate_postgres
from fechatter.storage.engines.sqlite_migrate import migrate_sqlite

REPLAY = {"log": events._RANGE, "visible": events._VISIBLE, "checks": events._CHECKS, "position": events._POSITION}
TIMELINES = {
    "next": timelines.OF_CHAT,
    "newest": timelines._NEWEST,
    "messages": erasure._MESSAGES,
    "joining": read_marks._START,
}
# EXPLAIN does not show the statements of a trigger, so they are explained one by one.
_FILLING = [
    each.strip() for each in sqlite_batch._TRIGGER.partition("BEGIN")[2].rpartition("END")[0].split(";") if each.strip()
]
SQLITE_BATCH = [
    sqlite_transaction._IDS,
    sqlite_batch._HEADS,
    *(re.sub(r"new\.[a-z_]+", "?", each) for each in _FILLING),
]
_FILL = """
INSERT INTO workspaces (id, slug, name, created_at) SELECT n, 'w' || n, 'n', 0 FROM generate_series(1, 20000) n;
INSERT INTO timelines (id, chat_id) SELECT n, n FROM generate_series(1, 20000) n;
INSERT INTO messages (id, chat_id, number, sender_id, content, created_at)
    SELECT n, n % 100, n / 100, 1, 'x', 0 FROM generate_series(1, 40000) n;
INSERT INTO events (workspace_id, seq, type, chat_id, message_id, created_at)
    SELECT 1 + n % 10, n / 10, 1, n % 100, n, 0 FROM generate_series(1, 40000) n;
INSERT INTO eras (workspace_id, first_seq, era)
  SELECT n, m, 'e' FROM generate_series(1, 10000) n, generate_series(0, 3) m;
ANALYZE;
"""


@pytest.fixture
def file(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    path = tmp_path / "plans.db"
    migrate_sqlite(path)
    connection = sqlite3.connect(path)
    yield connection
    connection.close()


def sqlite_plan(connection: sqlite3.Connection, sql: str) -> str:
    # The parameters are unknown, so they are NULL. No plan depends on them.
    parameters = [None] * max((int(each) for each in re.findall(r"[?](\d+)", sql)), default=sql.count("?"))
    return "\n".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", parameters))


@asynccontextmanager
async def filled(url: str, fill: str = _FILL) -> AsyncIterator[asyncpg.Connection]:
    await migrate_postgres(url)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(fill)
        yield connection
    finally:
        await connection.close()


async def postgres_plan(connection: asyncpg.Connection, sql: str) -> str:
    """Return the generic plan that every execution of the prepared statement uses."""
    await connection.execute(f"SET plan_cache_mode = force_generic_plan; PREPARE wanted AS {for_postgres(sql)}")
    parameters = ", ".join(["NULL"] * max(int(each) for each in re.findall(r"\$(\d+)", sql)))
    lines = await connection.fetch(f"EXPLAIN (COSTS OFF) EXECUTE wanted ({parameters})")
    await connection.execute("DEALLOCATE wanted")
    return "\n".join(line[0] for line in lines)


def test_a_page_of_history_reads_a_range_of_the_index_on_sqlite(file: sqlite3.Connection) -> None:
    plan = sqlite_plan(file, for_sqlite(messages._READ_PAGE))
    assert "SEARCH n USING INDEX messages_by_number (<expr>=? AND number>? AND number<?)" in plan
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize("statement", REPLAY)
def test_a_replay_uses_indexes_on_sqlite(file: sqlite3.Connection, statement: str) -> None:
    plan = sqlite_plan(file, for_sqlite(REPLAY[statement]))
    assert "SCAN" not in plan.replace("SCAN json_each", "")
    assert "USE TEMP B-TREE" not in plan


@pytest.mark.parametrize("statement", TIMELINES)
def test_the_timelines_of_a_chat_are_found_without_a_scan_on_sqlite(file: sqlite3.Connection, statement: str) -> None:
    plan = sqlite_plan(file, for_sqlite(TIMELINES[statement]))
    assert "SCAN" not in re.sub("SCAN json_each", "", plan)


@pytest.mark.parametrize("statement", SQLITE_BATCH)
def test_a_batch_scans_only_its_own_rows_on_sqlite(file: sqlite3.Connection, statement: str) -> None:
    plan = sqlite_plan(file, statement)
    assert "SCAN" not in re.sub("SCAN (given|json_each|CONSTANT ROW)", "", plan)


async def test_a_page_of_history_reads_a_range_of_the_index_on_postgresql(postgres_url: str) -> None:
    async with filled(postgres_url) as connection:
        plan = await postgres_plan(connection, messages._READ_PAGE)
        assert re.search(
            r"Scan (using|on) messages_by_number.*\n +Index Cond: .*chat_id.*number >=.*number <=", plan
        ), plan
        # The other tables are empty here.
        assert not re.search("Seq Scan on (messages|timelines|workspaces|eras)", plan), plan


async def test_the_timelines_of_a_chat_are_found_without_a_scan_on_postgresql(postgres_url: str) -> None:
    async with filled(postgres_url) as connection:
        for name, sql in TIMELINES.items():
            plan = await postgres_plan(connection, sql)
            assert not re.search("Seq Scan on (messages|timelines)", plan), f"{name}: {plan}"


async def test_a_replay_uses_indexes_on_postgresql(postgres_url: str) -> None:
    async with filled(postgres_url) as connection:
        for name, sql in REPLAY.items():
            plan = await postgres_plan(connection, sql)
            assert not re.search("Seq Scan on (events|messages|workspaces|eras)", plan), f"{name}: {plan}"


@pytest.mark.parametrize("analyzed", [True, False])
async def test_a_batch_scans_only_its_own_rows_on_postgresql(postgres_url: str, analyzed: bool) -> None:
    async with filled(postgres_url, _FILL if analyzed else _FILL.replace("ANALYZE;", "")) as connection:
        for sql in (postgres_batch._STORE, postgres_batch._KNOWN):
            plan = await postgres_plan(connection, sql)
            # Empty tables and tables with a single row may be scanned.
            assert set(re.findall(r"Seq Scan on (\w+)", plan)) <= {"message_keys", "memberships", "server"}, plan


def test_old_messages_are_found_by_id_on_sqlite(file: sqlite3.Connection) -> None:
    plan = sqlite_plan(file, for_sqlite(retention._NEXT))
    assert plan.startswith("SEARCH m USING INTEGER PRIMARY KEY (rowid>?)")
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan


async def test_old_messages_are_found_by_id_on_postgresql(postgres_url: str) -> None:
    async with filled(postgres_url) as connection:
        plan = await postgres_plan(connection, retention._NEXT)
        assert "using messages_pkey" in plan
        assert "Sort" not in plan
