"""The server's figures, all in one run: `make figures` writes them to benches/results/.

Both engines in turn, several rounds, median with least and most. Everything shares this machine's processors: server, database and load.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import statistics
import subprocess
from collections.abc import Callable
from pathlib import Path

import uvloop

from benches.load import listening, sends
from benches.load.place import Server, furnish
from tests.servers.postgres import Postgres

RESULTS = Path(__file__).parent / "results"


class Figures:
    """Measured values by name, over the rounds."""

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = {}

    def add(self, name: str, value: float) -> None:
        self._values.setdefault(name, []).append(value)
        print(f"  {name}: {value:,.2f}", flush=True)

    def table(self) -> str:
        lines = ["| figure | median | least | most | rounds |", "|---|---|---|---|---|"]
        for name, values in self._values.items():
            lines.append(f"| {name} | {statistics.median(values):,.2f} | {min(values):,.2f} | {max(values):,.2f} | {len(values)} |")
        return "\n".join(lines)


def measure_engine(name: str, new_database: Callable[[], str | None], figures: Figures, seconds: float, listeners: int) -> None:
    """One round on one engine, on a new server."""
    server = Server(new_database())
    try:
        figures.add(f"{name}: first start, s", server.start())
        uvloop.run(_measure(name, server, figures, seconds, listeners))
        server.stop()
        figures.add(f"{name}: second start to first answer, s", server.start())
    finally:
        server.stop()
        server.remove()


async def _measure(name: str, server: Server, figures: Figures, seconds: float, listeners: int) -> None:
    place = await furnish(server, people=16, chats=20)
    figures.add(f"{name}: requests/s that store nothing, 64 connections", (await sends.measure_bare(server)).rate)
    for label, keys in (("with idempotency keys", True), ("without keys", False)):
        sent = await sends.measure(server, place, seconds=seconds, keys=keys)
        assert sent.refused == 0, f"{sent.refused} sends were refused"
        figures.add(f"{name}: sends/s, 64 connections, {label}", sent.rate)
        figures.add(f"{name}: send p50, ms, {label}", sent.at(0.50) * 1000)
        figures.add(f"{name}: send p99, ms, {label}", sent.at(0.99) * 1000)
        figures.add(f"{name}: server CPU, µs a send, {label}", sent.server_cpu_seconds / len(sent.latencies) * 1e6)
        figures.add(f"{name}: load generator CPU, µs a send, {label}", sent.generator_cpu_seconds / len(sent.latencies) * 1e6)
    figures.add(f"{name}: memory of an idle stream, KiB", await listening.idle_bytes(server, place, listeners) / 1024)
    streams = await listening.listen(server, place, listeners)
    found = await listening.deliveries(server, place, streams)
    assert found.delivered == found.messages * found.listeners, f"only {found.delivered} deliveries"
    figures.add(f"{name}: deliveries/s to {listeners} listeners", found.rate)
    figures.add(f"{name}: server CPU, µs a delivery", found.server_cpu_seconds / found.delivered * 1e6)
    for stream in streams:
        stream.transport.close()


def header() -> str:
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False).stdout.strip()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    return (
        f"commit {commit}; {os.cpu_count()} processors, {memory} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}; server, database and load generator share the machine; loopback"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--listeners", type=int, default=1000)
    parser.add_argument("--name", default="foundation", help="of the file in benches/results")
    options = parser.parse_args()
    figures = Figures()
    postgres = Postgres()
    postgres.start()
    try:
        for _ in range(options.rounds):
            measure_engine("SQLite", lambda: None, figures, options.seconds, options.listeners)
            measure_engine("PostgreSQL", postgres.create_database, figures, options.seconds, options.listeners)
    finally:
        postgres.stop()
        postgres.remove()
    today = datetime.datetime.now(datetime.UTC).date()
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{today}-{options.name}.md"
    path.write_text(f"# {options.name}, {today}\n\n{header()}\n\n{figures.table()}\n")
    print(f"written to {path.name}")


if __name__ == "__main__":
    main()
