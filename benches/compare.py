"""Compares live delivery with nchan in one run: `make compare` writes the figures to benches/results/.

Both servers take turns, with the same load generator (`benches/fanout`): one thread that publishes 200-byte events and
reads every stream. It publishes an event if fewer than the given number have not arrived everywhere ("ahead"), or at a
fixed rate. nchan keeps events in memory; Fechatter answers a sender after its commit to SQLite.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import subprocess
from pathlib import Path
from typing import Any

import msgspec

from benches.figures import RESULTS, MeasuredFigures, header, today
from benches.nchan import Nchan, versions
from fechatter import __version__
from fechatter.bench.connection import write_request
from fechatter.bench.own_server import OwnServer
from fechatter.bench.workspace import LoadWorkspace, create_load_workspace

ROOT = Path(__file__).parents[1]
EVENT_BYTES = 200
MARK = b"@@" + b"0" * 16
CONTENT = MARK.decode() + "x" * (EVENT_BYTES - len(MARK))
PUBLISHERS = 64
PEOPLE = 16
WARM_UP_SECONDS = 1.0
OPEN_AND_DRAIN_SECONDS = 180.0
OPEN_FILES, _ = resource.getrlimit(resource.RLIMIT_NOFILE)


class Row(msgspec.Struct, frozen=True):
    """One kind of load. With `rate`, events are published at this rate."""

    listeners: int
    ahead: int = 0
    rate: float | None = None

    def name(self) -> str:
        load = f"{self.ahead} ahead" if self.rate is None else f"{self.rate:g} events/s"
        return f"{self.listeners:,} listeners, {load}"


def build_generator() -> Path:
    """Compile the load generator."""
    folder = ROOT / "benches" / "fanout"
    target = ROOT / "target" / "benches"
    command = ["cargo", "build", "--release", "--locked", "--quiet", "--manifest-path", folder / "Cargo.toml"]
    subprocess.run(command, check=True, env={**os.environ, "CARGO_TARGET_DIR": str(target)})
    return target / "release" / "fechatter-fanout"


def run(generator: Path, plan: dict[str, Any], row: Row, seconds: float) -> dict[str, float]:
    """Run the load generator once."""
    plan |= {
        "listeners": row.listeners,
        "ahead": row.ahead,
        "rate": row.rate,
        "warm_up_seconds": WARM_UP_SECONDS,
        "seconds": seconds,
    }
    limit = OPEN_AND_DRAIN_SECONDS + WARM_UP_SECONDS + seconds
    done = subprocess.run(
        [generator], input=msgspec.json.encode(plan), stdout=subprocess.PIPE, timeout=limit, check=True
    )
    found: dict[str, float] = msgspec.json.decode(done.stdout)
    return found


def _plan(port: int, processes: list[int], streams: list[bytes], posts: list[bytes]) -> dict[str, Any]:
    parts = [post.decode().partition(MARK.decode()) for post in posts]
    return {
        "address": f"127.0.0.1:{port}",
        "processes": processes,
        "streams": [stream.decode() for stream in streams],
        "posts": [(before, after) for before, _, after in parts],
    }


def plan_of_nchan(server: Nchan) -> dict[str, Any]:
    """Return the requests for nchan."""
    listen = write_request("GET", "/listen", None).replace(b"\r\n\r\n", b"\r\nAccept: text/event-stream\r\n\r\n")
    post = write_request("POST", "/publish", None, CONTENT.encode())
    return _plan(server.port, server.processes(), [listen], [post] * PUBLISHERS)


def plan_of_fechatter(server: OwnServer, place: LoadWorkspace) -> dict[str, Any]:
    """Return the requests for Fechatter: every listener is a member of one chat."""
    body = msgspec.json.encode({"content": CONTENT})
    path = f"/api/chat/{place.chats[0]}/messages"
    tokens = [person.token for person in place.people]
    posts = [write_request("POST", path, tokens[number % PEOPLE], body) for number in range(PUBLISHERS)]
    streams = [write_request("GET", "/events", token) for token in tokens]
    assert server.target.pid is not None
    return _plan(server.target.port, [server.target.pid], streams, posts)


def measure_round(
    generator: Path, rows: list[Row], workers: list[int], seconds: float, figures: MeasuredFigures
) -> None:
    """Measure every row once on each server, in turns."""
    for row in rows:
        for count in workers:
            with Nchan(count, OPEN_FILES) as nchan:
                found = run(generator, plan_of_nchan(nchan), row, seconds)
                _add(figures, row, f"nchan, {count} worker{'s' * (count > 1)}", found)
        with OwnServer() as server:
            server.start()
            place = asyncio.run(create_load_workspace(server.target, server.read_setup_token(), PEOPLE, chats=1))
            _add(figures, row, "Fechatter", run(generator, plan_of_fechatter(server, place), row, seconds))


def _add(figures: MeasuredFigures, row: Row, server: str, found: dict[str, float]) -> None:
    name = f"{row.name()}: {server}"
    if row.rate is None:
        figures.add(f"{name}: deliveries/s", found["deliveries_per_second"])
    else:
        figures.add(f"{name}: p50, ms", found["p50_ms"])
        figures.add(f"{name}: p99, ms", found["p99_ms"])
    figures.add(f"{name}: server CPU, µs a delivery", found["server_cpu_per_delivery_us"])
    figures.add(f"{name}: generator's use of its processor, %", found["generator_cpu_seconds"] / found["seconds"] * 100)
    figures.add(f"{name}: bytes a delivery", found["bytes_per_delivery"])
    figures.add(f"{name}: events that did not arrive", found["missing"])


def table(rows: list[Row], workers: list[int], figures: MeasuredFigures) -> str:
    """Return a Markdown table with the medians. The ratio is Fechatter over the better number of nchan's workers."""
    lines = ["| load | figure | nchan | Fechatter | Fechatter / nchan |", "|---|---|---|---|---|"]
    for row in rows:
        kinds = ["deliveries/s"] if row.rate is None else ["p50, ms", "p99, ms"]
        for kind in [*kinds, "server CPU, µs a delivery"]:
            best = max if kind == "deliveries/s" else min
            each = [figures.spread(f"{row.name()}: nchan, {n} worker{'s' * (n > 1)}: {kind}")[0] for n in workers]
            nchan, own = best(each), figures.spread(f"{row.name()}: Fechatter: {kind}")[0]
            lines.append(f"| {row.name()} | {kind} | {nchan:,.2f} | {own:,.2f} | {own / nchan:.2f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--few", type=int, default=1_000, help="listeners of the first rows")
    parser.add_argument("--many", type=int, default=10_000, help="listeners of the other rows")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="worker processes of nginx")
    options = parser.parse_args()
    # A server needs two files for a connection, and some of its own.
    few, many = options.few, min(options.many, OPEN_FILES * 45 // 100)
    rows = [Row(few, ahead=2), Row(few, ahead=64), Row(many, ahead=2), Row(many, ahead=64)]
    rows += [Row(few, rate=50), Row(many, rate=5)]
    generator, figures = build_generator(), MeasuredFigures()
    for _ in range(options.rounds):
        measure_round(generator, rows, options.workers, options.seconds, figures)
    about = f"{__doc__}\n{header()}\n\nnchan: {versions()}; Fechatter {__version__}.\n\n## Medians\n\n"
    path = RESULTS / f"{today()}-nchan.md"
    text = f"# Live delivery, Fechatter and nchan, {today()}\n\n{about}{table(rows, options.workers, figures)}\n\n"
    path.write_text(f"{text}## All figures\n\n{figures.table()}\n")
    print(path)


if __name__ == "__main__":
    main()
