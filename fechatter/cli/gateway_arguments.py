"""The arguments of `fechatter gateway`."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, _SubParsersAction
from pathlib import Path

EPILOG = """\
An upstream is http://host:port, https://host:port or unix:/path. The gateway sends each request to the one with the
fewest requests in progress. It reads host, port, TLS, trusted_proxies and log from the settings, and needs no database.
SIGTERM stops it after the requests in progress, SIGHUP reads the routes, certificates and log level again.
"""


def add_gateway(commands: _SubParsersAction[ArgumentParser], shared: ArgumentParser) -> None:
    """Add `gateway`."""
    gateway = commands.add_parser(
        "gateway", parents=[shared], help="start only the gateway, in front of other servers", epilog=EPILOG
    )
    gateway.add_argument(
        "--upstream", action="append", default=[], metavar="URL", help="a server behind the gateway; may be repeated"
    )
    gateway.add_argument(
        "--route",
        action="append",
        default=[],
        metavar="PREFIX=URL[,URL]",
        help="servers for the paths below a prefix; the longest prefix wins",
    )
    gateway.add_argument(
        "--deny", action="append", default=[], metavar="[METHOD ]PREFIX", help="refuse these requests with 404"
    )
    gateway.add_argument("--routes", type=Path, metavar="FILE", help="TOML file with upstreams, routes and limits")
    gateway.add_argument(
        "--inspection",
        type=_address,
        metavar="HOST:PORT",
        help="private address for /metrics and /health, such as 127.0.0.1:9090",
    )
    gateway.add_argument(
        "--token-key-file", type=Path, metavar="FILE", help="key of access tokens; invalid tokens are refused early"
    )


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host.strip("[]"), int(port)
