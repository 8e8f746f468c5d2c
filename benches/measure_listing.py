"""Measures a page of history in a chat of 100 and in a chat of 10,000,000 messages.

Run it with `python -m benches.measure_listing`.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from benches.figures import RESULTS, header
from fechatter.messages.history import MessagePage
from fechatter.model import ChatId
from fechatter.storage.engines.base import Database, Transaction
from fechatter.storage.opening import open_database
from tests import history
from tests.servers.postgres import Postgres

SIZES = (100, 10_000_000)
PAGE = 50
ROUNDS = 400
TEXT = "The quick brown fox jumps over the lazy dog, and then it goes home."
SLICE = 250_000
_FILL = """
INSERT INTO messages (id, chat_id, number, sender_id, content, created_at)
SELECT $2::bigint * 100000000 + n, $2, n, 1, $3::text, n FROM n"""
_FILLS = {
    "SQLite": "WITH RECURSIVE n(n) AS (SELECT $1 UNION ALL SELECT n + 1 FROM n WHERE n < $4) "
    + _FILL.replace("::bigint", "").replace("::text", ""),
    "PostgreSQL": "WITH n(n) AS (SELECT * FROM generate_series($1::bigint, $4::bigint)) " + _FILL,
}
_TIMELINE = "INSERT INTO timelines (id, chat_id, last_number) VALUES ($1, $1, $2)"
Page = Callable[[Transaction, ChatId], Awaitable[MessagePage]]


async def _measure(name: str, database: Database) -> list[str]:
    for chat_id, size in enumerate(SIZES, 1):
        print(f"{name}: filling a chat with {size:,} messages", flush=True)
        for first in range(1, size + 1, SLICE):
            last = min(size, first + SLICE - 1)
            await database.write_unlocked(
                lambda tx, first=first, last=last, to=chat_id: tx.execute(_FILLS[name], first, to, TEXT, last)
            )
        await database.write_unlocked(lambda tx, size=size, to=chat_id: tx.execute(_TIMELINE, to, size))
    return [await _row(name, database, label, page) for label, page in _pages().items()]


def _pages() -> dict[str, Page]:
    return {
        "the newest": lambda tx, chat_id: history.latest(tx, chat_id, PAGE),
        "in the middle": lambda tx, chat_id: history.before(tx, chat_id, SIZES[chat_id - 1] // 2 + PAGE, PAGE),
        "around a number": lambda tx, chat_id: history.around(tx, chat_id, SIZES[chat_id - 1] // 2, PAGE),
    }


async def _row(name: str, database: Database, label: str, page: Page) -> str:
    """Measure both sizes alternately, so that both have the same conditions."""
    taken: dict[int, list[float]] = {size: [] for size in SIZES}
    for _ in range(ROUNDS):
        for chat_id, size in enumerate(SIZES, 1):
            began = time.perf_counter()
            found = await database.read(lambda tx, chat_id=chat_id: page(tx, ChatId(chat_id)))
            taken[size].append(time.perf_counter() - began)
            assert len(found.items) == PAGE
    small, large = (statistics.median(values) * 1e3 for values in taken.values())
    return f"| {name} | {label} | {small:.2f} | {large:.2f} | {large / small:.2f} |"


async def _on(name: str, address: str) -> list[str]:
    database = await open_database(address, lambda frames, signals: None)
    try:
        return await asyncio.wait_for(_measure(name, database), 900)
    finally:
        await database.close()


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    postgres = Postgres()
    postgres.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            rows = uvloop.run(_on("SQLite", str(Path(folder) / "fechatter.db")))
        rows += uvloop.run(_on("PostgreSQL", postgres.create_database()))
    finally:
        postgres.stop()
        postgres.remove()
    today = datetime.datetime.now(datetime.UTC).date()
    head = "| engine | page of 50 | ms of 100 messages | ms of 10,000,000 | ratio |\n|---|---|---|---|---|"
    path = RESULTS / f"{today}-listing.md"
    RESULTS.mkdir(exist_ok=True)
    path.write_text(
        f"# A page of history, {today}\n\n{header()}; medians of {ROUNDS}, in turns\n\n{head}\n"
        + "\n".join(rows)
        + "\n"
    )
    print(path.read_text())


if __name__ == "__main__":
    main()
