"""Measures the effect of clients that never read: `make slow` writes the figures to benches/results/.

The same load runs without and with such clients, in turns, on one server. The load generator is that of `make compare`:
it publishes an event if fewer than 64 have not arrived everywhere.
"""

from __future__ import annotations

import argparse
import asyncio

from benches.compare import PEOPLE, Row, build_generator, plan_of_fechatter, run
from benches.figures import MeasuredFigures, write_results
from fechatter.bench.own_server import OwnServer
from fechatter.bench.workspace import create_load_workspace


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--listeners", type=int, default=500)
    parser.add_argument("--stalled", type=int, default=20, help="clients that never read")
    options = parser.parse_args()
    row, generator, figures = Row(options.listeners, ahead=64), build_generator(), MeasuredFigures()
    with OwnServer() as server:
        server.start()
        place = asyncio.run(create_load_workspace(server.target, server.read_setup_token(), PEOPLE, chats=1))
        plan = plan_of_fechatter(server, place)
        run(generator, plan, row, options.seconds)  # the memory of the first load stays with the server
        for _ in range(options.rounds):
            for stalled in (0, options.stalled):
                before = server.target.memory_bytes() or 0
                found = run(generator, plan | {"stalled": stalled}, row, options.seconds)
                name = f"{options.listeners:,} listeners, {stalled} more that never read"
                figures.add(f"{name}: deliveries/s", found["deliveries_per_second"])
                figures.add(f"{name}: p50, ms", found["p50_ms"])
                figures.add(f"{name}: p99, ms", found["p99_ms"])
                figures.add(f"{name}: growth of memory, MiB", ((server.target.memory_bytes() or 0) - before) / 2**20)
    print(write_results("slow-clients", figures))


if __name__ == "__main__":
    main()
