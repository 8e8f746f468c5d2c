"""The arguments of `fechatter bench`: every number has a bound, so that no load is without end."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, _SubParsersAction
from collections.abc import Callable
from pathlib import Path

BENCHES = {
    "send": "messages sent and stored",
    "deliver": "messages sent, until every listener has each of them",
    "list": "pages of 50 messages",
    "auth": "the least request that a token is needed for",
    "queries": "everything a client reads, mixed",
    "idle": "memory of open, quiet streams",
    "start": "from the start of the process to the first answer",
}
EPILOG = """\
Without --url a server of its own is started in a temporary folder, measured and removed.
Without --rate the loop is closed: it finds the capacity. With --rate it is open: it finds the latencies under that load.
"""


def add_bench(commands: _SubParsersAction[ArgumentParser], shared: ArgumentParser) -> None:
    """Add `bench`."""
    bench = commands.add_parser("bench", help="measure a server of its own or a running one", epilog=EPILOG)
    actions = bench.add_subparsers(dest="action", required=True, metavar="action")
    for name, meaning in BENCHES.items():
        _add_one(actions.add_parser(name, parents=[shared], help=meaning, epilog=EPILOG))
    claims = actions.add_parser("claims", parents=[shared], help="each headline, what was measured, and whether it holds")
    claims.add_argument("--json", action="store_true", help="answer in JSON")


def _add_one(parser: ArgumentParser) -> None:
    parser.add_argument("--seconds", type=_within(float, 1, 60), default=10.0, metavar="N", help="1 to 60; default 10")
    parser.add_argument("--connections", type=_within(int, 1, 1024), default=64, metavar="N", help="that send requests; default 64")
    parser.add_argument("--rate", type=_within(float, 1, 50_000), metavar="N", help="requests a second, whatever the server does")
    parser.add_argument("--listeners", type=_within(int, 1, 10_000), default=200, metavar="N", help="for deliver and idle; default 200")
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    parser.add_argument("--picture", type=Path, metavar="FILE.svg", help="draw the latencies")
    own = parser.add_argument_group("a server of its own")
    own.add_argument("--database-url", metavar="URL", help="an empty database on PostgreSQL; default SQLite")
    running = parser.add_argument_group("a running server")
    running.add_argument("--url", help="its address; load is put on other machines only with the next option")
    running.add_argument("--i-own-this-server", action="store_true", help="load on a server that is not this machine")
    running.add_argument("--email", help="sign in as this person; asks for the password, or reads it from standard input")
    running.add_argument("--token", help="or an access token")
    running.add_argument("--pid", type=int, help="its process on this machine, to measure processor and memory too")


def _within(kind: Callable[[str], float], least: float, most: float) -> Callable[[str], float]:
    """A number between two bounds."""

    def number(text: str) -> float:
        value = kind(text)
        if not least <= value <= most:
            raise ArgumentTypeError(f"must be {least:,} to {most:,}")
        return value

    number.__name__ = "number"  # argparse says this when it is none
    return number
