"""Measures backups and retention with a million messages: `python -m benches.measure_keeping`.

The figures are the time and size of a backup, the time of a restore, and the effect of backups and retention on sends.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial

import uvloop

from benches.figures import RESULTS, header
from fechatter.bench import requests
from fechatter.bench.own_server import OwnServer
from fechatter.bench.report import Report
from fechatter.bench.runs import Wanted, measure
from fechatter.bench.workspace import LoadWorkspace, create_load_workspace
from fechatter.model import now_ms
from fechatter.storage.engines.batch import Decided, MessageRows
from fechatter.storage.opening import open_database
from tests.native.reference import fingerprint, stored_key
from tests.servers.postgres import Postgres

AT_ONCE = 2000
CONNECTIONS = 16
AGE_DAYS, KEPT_DAYS = 5, 3
Done = Callable[[], object]
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
RETENTION_SERVER = """
import asyncio, os, sys
from fechatter.workers import retention, upkeep
class Pausing:
    async def sleep(seconds):
        await asyncio.sleep(seconds)
        while os.path.exists(sys.argv[1]):
            await asyncio.sleep(0.02)
async def nothing(*_): return 0
retention.asyncio = Pausing
upkeep.FIRST_AFTER_SECONDS = 0.5
upkeep.erase_chats = upkeep.Upkeep.prune_events = upkeep.Upkeep.prune_keys = upkeep.Upkeep.prune_audit = nothing
from fechatter.cli import main
sys.exit(main(["serve"]))"""
"""The program of a server whose only upkeep is to empty old messages. It pauses while the file `argv[1]` exists."""
TURN_SECONDS = 3.0
MAX_TURNS = 8


class Keeping:
    """The measurement of one engine."""

    def __init__(self, name: str, url: str | None, restored_url: str | None, messages: int) -> None:
        self.server = OwnServer(url)
        self._address = url or f"sqlite://{self.server.folder / 'fechatter.db'}"
        self._name = name
        self._restored_url = restored_url
        self._messages = messages
        self.lines: list[str] = []

    def run(self) -> None:
        self.server.start()
        place = asyncio.run(
            create_load_workspace(self.server.target, self.server.read_setup_token(), people=16, chats=20)
        )
        self.server.stop()
        uvloop.run(self._fill(place))
        self.server.start()
        asyncio.run(self._beside_backup(place))
        self.server.stop()
        self._restore()
        pause = self.server.folder / "pause"
        self.server.arguments = ["-c", RETENTION_SERVER, str(pause)]
        self.server.environment["FECHATTER_MESSAGE_RETENTION_DAYS"] = str(KEPT_DAYS)
        self.server.start()
        asyncio.run(
            self._in_turns(
                "emptying old messages", place, lambda: pause.touch(), lambda: pause.unlink(), lambda turn: turn < 4
            )
        )
        self.server.stop()

    async def _fill(self, place: LoadWorkspace) -> None:
        """Store messages of the same age directly in the database."""
        database = await open_database(self._address, lambda frames, signals: None)
        (workspace_id, decided), age = await database.read(_workspace), now_ms() - AGE_DAYS * 24 * 3600 * 1000
        for _ in range(0, self._messages, AT_ONCE):
            rows = _rows(place, workspace_id)
            store = partial(database.batches.store, rows, {workspace_id: decided}, age)
            result = await database.writer.call(store)
            assert not result.stale, "the workspace was decided with another era or other rights"
        await database.close()

    async def _in_turns(
        self, what: str, place: LoadWorkspace, pause: Done, resume: Done, wanted: Callable[[int], bool]
    ) -> None:
        """Send while the work runs and while it pauses, alternately, so that both have the same conditions."""
        found: dict[str, list[Report]] = {"paused": [], "running": []}
        turn = 0
        while wanted(turn):
            found["running"].append(await self._send(place))
            pause()
            found["paused"].append(await self._send(place))
            resume()
            turn += 1
        for state, each in found.items():
            names = ("rate_per_second", "p50_ms", "p99_ms")
            rate, middle, late = (statistics.median(one.figures[name] for one in each) for name in names)
            self._report(
                f"sends, {what} {state}, median of {turn} turns",
                f"{rate:,.0f}/s, p50 {middle:.1f} ms, p99 {late:.1f} ms",
            )

    async def _send(self, place: LoadWorkspace) -> Report:
        found = await measure("send", self.server.target, place, Wanted(seconds=TURN_SECONDS, connections=CONNECTIONS))
        assert found.figures["refused"] == 0, f"{found.figures['refused']} sends were refused"
        return found

    async def _beside_backup(self, place: LoadWorkspace) -> None:
        file = self.server.folder / "backup"
        backup = self._beside("backup", str(file))
        stop, go_on = (lambda: backup.send_signal(signal.SIGSTOP)), (lambda: backup.send_signal(signal.SIGCONT))
        await self._in_turns("a backup", place, stop, go_on, lambda turn: turn < MAX_TURNS and backup.poll() is None)
        backup.wait(120)
        self._report("size of the backup", f"{file.stat().st_size / 1e6:,.0f} MB")
        alone = time.perf_counter()
        self._beside("backup", str(file.with_name("second"))).wait(120)
        self._report("backup of a server that nobody uses", f"{time.perf_counter() - alone:.1f} s")

    def _restore(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            backup = str(self.server.folder / "second")
            restore = self._beside("restore", backup, data_dir=f"{folder}/data", database_url=self._restored_url or "")
            assert restore.wait(300) == 0
            self._report("restore", f"{time.perf_counter() - began:.1f} s")

    def _beside(self, *arguments: str, **settings: str) -> subprocess.Popen[str]:
        """Start another `fechatter` command with the settings of the server and these changes."""
        environment = self.server.environment | {f"FECHATTER_{key.upper()}": value for key, value in settings.items()}
        command = [sys.executable, "-m", "fechatter", *arguments]
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, text=True)

    def _report(self, what: str, found: str) -> None:
        print(f"{self._name}: {what}: {found}", flush=True)
        self.lines.append(f"| {self._name} | {what} | {found} |")


async def _workspace(tx):  # type: ignore[no-untyped-def]
    row = await tx.fetchrow("SELECT workspaces.id, rights_seq, epoch FROM workspaces CROSS JOIN server")
    return row["id"], Decided(row["rights_seq"], row["epoch"])


def _rows(place: LoadWorkspace, workspace_id: int) -> MessageRows:
    contents = [" ".join(random.choices(WORDS, k=random.randint(5, 40))) for _ in range(AT_ONCE)]
    return MessageRows(
        list(range(AT_ONCE)),
        [workspace_id] * AT_ONCE,
        random.choices(place.chats, k=AT_ONCE),
        random.choices([person.id for person in place.people], k=AT_ONCE),
        contents,
        [stored_key(requests.new_key()) for _ in contents],
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
            with keeping.server:
                keeping.run()
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
