"""Keeping data beside a busy server, with a million messages: `python -m benches.measure_keeping`.

How long a backup and a restore take, how large it is, and what a backup and the emptying of old messages do to those who send.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import random
import tempfile
import time

import uvloop

from benches.load import sends
from benches.load.place import Place, Server, furnish
from benches.measure import RESULTS, header
from fechatter.model import now_ms
from fechatter.native import fingerprint, stored_key
from fechatter.storage.engines.base import MessageRows
from fechatter.storage.opening import open_database
from tests.servers.postgres import Postgres

AT_ONCE = 2000
CONNECTIONS = 16
AGE_DAYS, KEPT_DAYS = 5, 3
WORDS = [
    "the",
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "a",
    "lazy",
    "dog",
    "because",
    "chat",
    "servers",
    "keep",
    "what",
    "people",
    "say",
    "until",
    "somebody",
    "deletes",
    "it",
    "for",
    "good",
]
LATE = """
import sys
from fechatter.workers import upkeep
async def nothing(*_): return 0
upkeep.FIRST_AFTER_SECONDS = 0.5
upkeep.erase_chats = upkeep.Upkeep.prune_events = upkeep.Upkeep.prune_keys = upkeep.Upkeep.prune_audit = nothing
from fechatter.cli import main
sys.exit(main(["serve"]))"""
"""A server that empties old messages from its start on, and does no other upkeep."""


class Keeping:
    """One engine's measurement."""

    def __init__(self, name: str, url: str | None, restored_url: str | None, messages: int) -> None:
        self.server = Server(url)
        self._name = name
        self._restored_url = restored_url
        self._messages = messages
        self.lines: list[str] = []

    def run(self) -> None:
        self.server.start()
        place = asyncio.run(furnish(self.server, people=16, chats=20))
        self.server.stop()
        uvloop.run(self._fill(place))
        self.server.start()
        asyncio.run(self._send("nothing else", place, 8))
        asyncio.run(self._beside_backup(place))
        self.server.stop()
        self._restore()
        self.server.command = ["-c", LATE]
        self.server.change(message_retention_days=str(KEPT_DAYS))
        self.server.start()
        asyncio.run(self._send("old messages emptied", place, 8))
        self.server.stop()

    async def _fill(self, place: Place) -> None:
        """Messages of the same age, beside the server's own door."""
        database = await open_database(self.server.database_address, lambda frames, signals: None)
        (workspace_id, rights), age = await database.read(_workspace), now_ms() - AGE_DAYS * 24 * 3600 * 1000
        for _ in range(0, self._messages, AT_ONCE):
            rows = _rows(place, workspace_id)
            await database.writer.call(lambda rows=rows: database.store(rows, {workspace_id: rights}, age))  # type: ignore[misc]
        await database.close()

    async def _send(self, beside: str, place: Place, seconds: float) -> None:
        found = await sends.measure(self.server, place, connections=CONNECTIONS, seconds=seconds)
        assert found.refused == 0, f"{found.refused} sends were refused"
        self._say(f"sends beside {beside}", f"{found.rate:,.0f}/s, p50 {found.at(0.5) * 1e3:.1f} ms, p99 {found.at(0.99) * 1e3:.1f} ms")

    async def _beside_backup(self, place: Place) -> None:
        file = self.server.folder / "backup"
        began, turn = time.perf_counter(), 0
        backup = self.server.beside("backup", str(file))
        while backup.poll() is None and turn < 5:
            turn += 1
            await self._send(f"a backup ({turn})", place, 5)
        backup.wait(120)
        self._say("backup", f"ended within {time.perf_counter() - began:.0f} s, {file.stat().st_size / 1e6:,.0f} MB")
        alone = time.perf_counter()
        self.server.beside("backup", str(file.with_name("second"))).wait(120)
        self._say("backup of a server that nobody uses", f"{time.perf_counter() - alone:.1f} s")

    def _restore(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            backup = str(self.server.folder / "second")
            restore = self.server.beside("restore", backup, data_dir=f"{folder}/data", database_url=self._restored_url or "")
            assert restore.wait(300) == 0
            self._say("restore", f"{time.perf_counter() - began:.1f} s")

    def _say(self, what: str, found: str) -> None:
        print(f"{self._name}: {what}: {found}", flush=True)
        self.lines.append(f"| {self._name} | {what} | {found} |")


async def _workspace(tx):  # type: ignore[no-untyped-def]
    row = await tx.fetchrow("SELECT id, rights_seq FROM workspaces")
    return row["id"], row["rights_seq"]


def _rows(place: Place, workspace_id: int) -> MessageRows:
    contents = [" ".join(random.choices(WORDS, k=random.randint(5, 40))) for _ in range(AT_ONCE)]
    return MessageRows(
        list(range(AT_ONCE)),
        [workspace_id] * AT_ONCE,
        random.choices(place.chats, k=AT_ONCE),
        random.choices([person.id for person in place.people], k=AT_ONCE),
        contents,
        [stored_key(sends.new_key()) for _ in contents],
        [fingerprint(content) for content in contents],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--engine", choices=["SQLite", "PostgreSQL"], action="append")
    options = parser.parse_args()
    postgres = Postgres()
    postgres.start()
    lines: list[str] = []
    try:
        for name in options.engine or ["SQLite", "PostgreSQL"]:
            urls = [postgres.create_database() if name == "PostgreSQL" else None for _ in range(2)]
            keeping = Keeping(name, urls[0], urls[1], options.messages)
            try:
                keeping.run()
            finally:
                keeping.server.remove()
            lines += keeping.lines
    finally:
        postgres.stop()
        postgres.remove()
    today = datetime.datetime.now(datetime.UTC).date()
    about = f"{header()}; {options.messages:,} messages of 5 to 40 words with keys; {CONNECTIONS} connections send"
    table = "\n".join(["| engine | what | found |", "|---|---|---|", *lines])
    path = RESULTS / f"{today}-keeping.md"
    path.write_text(f"# Keeping data, {today}\n\n{about}\n\n{table}\n")
    print(path.read_text())


if __name__ == "__main__":
    main()
