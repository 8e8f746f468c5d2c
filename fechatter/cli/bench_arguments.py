"""The arguments of `fechatter bench`. Every number has a bound, so that every load is limited."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, _SubParsersAction
from collections.abc import Callable
from pathlib import Path

BENCHES = {
    "send": "send messages until they are stored",
    "batch": "send batches of 100 messages until they are stored",
    "deliver": "send messages until every listener has received them",
    "list": "read pages of 50 messages",
    "auth": "send the smallest request that needs a token",
    "queries": "read everything that a client reads, mixed",
    "idle": "measure the memory of open, quiet streams",
    "start": "measure from the start of the process to the first response",
}
EPILOG = """\
Without --url, the command measures a new server in a temporary folder, which it removes at the end.
Without --rate, the loop is closed and measures capacity. With --rate, it is open and measures latencies.
"""


def add_bench(commands: _SubParsersAction[ArgumentParser], shared: ArgumentParser) -> None:
    """Add `bench`."""
    bench = commands.add_parser("bench", help="measure a new server or a running one", epilog=EPILOG)
    actions = bench.add_subparsers(dest="action", required=True, metavar="action")
    for name, meaning in BENCHES.items():
        _add_one(actions.add_parser(name, parents=[shared], help=meaning, epilog=EPILOG))
    claims = actions.add_parser(
        "claims", parents=[shared], help="list the performance claims, the measured values and the verdicts"
    )
    claims.add_argument("--json", action="store_true", help="print JSON")


def _add_one(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--seconds", type=_within(float, 1, 60), default=10.0, metavar="N", help="duration, 1 to 60; default 10"
    )
    parser.add_argument(
        "--connections",
        type=_within(int, 1, 1024),
        default=64,
        metavar="N",
        help="connections that send requests; default 64",
    )
    parser.add_argument(
        "--rate", type=_within(float, 1, 50_000), metavar="N", help="requests per second, whatever the server does"
    )
    parser.add_argument(
        "--listeners",
        type=_within(int, 1, 10_000),
        default=200,
        metavar="N",
        help="live streams of deliver and idle; default 200",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--picture", type=Path, metavar="FILE.svg", help="draw the latencies as SVG")
    own = parser.add_argument_group("a new server")
    own.add_argument("--database-url", metavar="URL", help="an empty PostgreSQL database; default SQLite")
    running = parser.add_argument_group("a running server")
    running.add_argument("--url", help="its URL; for a server on another machine, add --i-own-this-server")
    running.add_argument("--i-own-this-server", action="store_true", help="allow load on a server on another machine")
    running.add_argument(
        "--email", help="sign in as this person; the password comes from the terminal or standard input"
    )
    running.add_argument("--token", help="use this access token instead")
    running.add_argument("--pid", type=int, help="its process id on this machine, to measure processor time and memory")


def _within(kind: Callable[[str], float], least: float, most: float) -> Callable[[str], float]:
    """Return a parser for a number between two bounds."""

    def number(text: str) -> float:
        value = kind(text)
        if not least <= value <= most:
            raise ArgumentTypeError(f"must be {least:,} to {most:,}")
        return value

    number.__name__ = "number"  # argparse uses the name in its error message
    return number
