"""Measures the server in one run: `make figures` writes the figures to benches/results/.

The rounds alternate between the engines. Each figure has a median, a minimum and a maximum. Server, database and load
generator share the processors of the machine.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import uvloop

from benches.figures import MeasuredFigures, write_results
from fechatter.bench import requests
from fechatter.bench.own_server import OwnServer
from fechatter.bench.report import Report
from fechatter.bench.runs import Wanted, measure_deliveries, measure_idle, measure_requests
from fechatter.bench.workspace import create_load_workspace
from tests.servers.postgres import Postgres

CONNECTIONS = 64
SENDERS = 16


def measure_engine(
    name: str, database_url: str | None, figures: MeasuredFigures, seconds: float, listeners: int
) -> None:
    """Measure one round on a new server with one engine."""
    with OwnServer(database_url) as server:
        figures.add(f"{name}: first start, s", server.start())
        uvloop.run(_measure(name, server, figures, seconds, listeners))
        server.stop()
        figures.add(f"{name}: second start to first answer, s", server.start())


async def _measure(name: str, server: OwnServer, figures: MeasuredFigures, seconds: float, listeners: int) -> None:
    target = server.target
    place = await create_load_workspace(target, server.read_setup_token(), people=16, chats=20)
    wanted = Wanted(seconds=seconds, connections=CONNECTIONS, listeners=listeners)
    found = await measure_requests("bare", target, requests.bare(CONNECTIONS), wanted)
    figures.add(f"{name}: requests/s that store nothing, {CONNECTIONS} connections", found.figures["rate_per_second"])
    for label, keys in (("with idempotency keys", True), ("without keys", False)):
        _add_sends(
            name,
            label,
            await measure_requests("send", target, requests.sends(place, CONNECTIONS, keys=keys), wanted),
            figures,
        )
    idle = await measure_idle(target, place, listeners)
    figures.add(f"{name}: memory of an idle stream, KiB", idle.figures["memory_of_a_stream_kib"])
    delivered = await measure_deliveries(
        target, place, Wanted(seconds=seconds, connections=SENDERS, listeners=listeners)
    )
    figures.add(f"{name}: deliveries/s to {listeners} listeners", delivered.figures["deliveries_per_second"])
    figures.add(f"{name}: server CPU, µs a delivery", delivered.figures["server_cpu_per_delivery_us"])


def _add_sends(name: str, label: str, sent: Report, figures: MeasuredFigures) -> None:
    assert sent.figures["refused"] == 0, f"{sent.figures['refused']} sends were refused"
    figures.add(f"{name}: sends/s, {CONNECTIONS} connections, {label}", sent.figures["rate_per_second"])
    figures.add(f"{name}: send p50, ms, {label}", sent.figures["p50_ms"])
    figures.add(f"{name}: send p99, ms, {label}", sent.figures["p99_ms"])
    figures.add(f"{name}: server CPU, µs a send, {label}", sent.figures["server_cpu_per_request_us"])
    figures.add(f"{name}: load generator CPU, µs a send, {label}", sent.figures["generator_cpu_per_request_us"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--listeners", type=int, default=1000)
    parser.add_argument("--name", default="foundation", help="name of the file in benches/results")
    options = parser.parse_args()
    figures = MeasuredFigures()
    postgres = Postgres()
    postgres.start()
    engines: dict[str, Callable[[], str | None]] = {"SQLite": lambda: None, "PostgreSQL": postgres.create_database}
    try:
        for _ in range(options.rounds):
            for name, new_database in engines.items():
                measure_engine(name, new_database(), figures, options.seconds, options.listeners)
    finally:
        postgres.stop()
        postgres.remove()
    print(f"written to {write_results(options.name, figures)}")


if __name__ == "__main__":
    main()
