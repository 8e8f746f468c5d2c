"""Reads the Prometheus metrics of a running server."""

import re

from tests.journeys.client import Client
from tests.journeys.server import ServerProcess

_SAMPLE = re.compile(r'([a-z_]+)(\{(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)*\})? (-?[0-9.e+-]+)')


async def read_metrics(reader: Client, token: str | None = None) -> dict[str, float]:
    """Return every sample by its name and labels. The reader is an admin or uses the metrics token."""
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    answer = await reader.ask("GET", "/metrics", headers=headers)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    lines = [line for line in answer.body.decode().splitlines() if not line.startswith("#")]
    found = [_SAMPLE.fullmatch(line) for line in lines]
    assert None not in found
    return {match[1] + (match[2] or ""): float(match[3]) for match in found if match is not None}


async def cache_hits(server: ServerProcess, token: str) -> float:
    """Return the number of responses that the gateway has repeated from its cache."""
    return (await read_metrics(Client(server), token))['fechatter_response_cache_requests_total{result="hit"}']


async def closed_streams(admin: Client) -> int:
    """Return the number of streams that have ended."""
    metrics = await read_metrics(admin)
    return int(sum(value for name, value in metrics.items() if name.startswith("fechatter_streams_closed_total{")))
