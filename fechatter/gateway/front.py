"""Runs the gateway in front of the server of this process."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from fechatter.auth.pace import KIB_ROWS, REQUEST_ROWS, SENT_ROWS
from fechatter.auth.quotas import BatchLimits
from fechatter.gateway import native_gateway
from fechatter.model import UserId
from fechatter.native import (
    AccessLog,
    Certificates,
    ClientPage,
    Gateway,
    Intake,
    Quota,
    ResponseCache,
    Streams,
    Tokens,
)
from fechatter.settings import Settings
from fechatter.telemetry.measures import SECONDS
from fechatter.telemetry.watch import GatewayCounters

FILES_PER_CONNECTION, FILES_PER_UPSTREAM_CONNECTION = 2, 4
"""Half of the files are for the connections of clients, which are mostly idle or carry a stream. The other half is for
requests in progress, each with both ends of a connection to Granian."""


class Stores(NamedTuple):
    """The objects that the gateway needs to store messages itself.

    Attributes:
        quota: counts the messages of one person; None limits nothing.
        batch_limits: count requests, concurrent batches and work of one person; None limits nothing.
    """

    tokens: Tokens
    quota: Quota | None
    intake: Intake
    batch_limits: BatchLimits | None


Keeps = tuple[ResponseCache, Tokens, Quota | None]
"""The objects that the gateway needs to cache responses. The quota counts the requests of one person."""


class Front:
    """One gateway.

    Args:
        upstreams: `unix:/path` or `tcp:host:port` of the servers behind the gateway.
        files: maximum number of open files for connections.
        stores: needed to store messages; None forwards all messages.
        certificates: with them, the gateway serves HTTPS only.
        pages: the files of the web client, which the gateway serves itself.
        streams: the live streams of this process, which the gateway writes.
        access_log: receives a line for each request that the gateway answers itself.
        keeps: needed to cache responses; None disables the cache.

    Attributes:
        connections: maximum number of open connections of clients.
        upstream_connections: maximum number of connections to the servers behind the gateway.
    """

    def __init__(
        self,
        settings: Settings,
        upstreams: Sequence[str],
        files: int,
        stores: Stores | None = None,
        certificates: Certificates | None = None,
        pages: list[ClientPage] | None = None,
        streams: Streams | None = None,
        access_log: AccessLog | None = None,
        keeps: Keeps | None = None,
    ) -> None:
        self.connections = max(files // FILES_PER_CONNECTION, 1)
        self.upstream_connections = max(files // FILES_PER_UPSTREAM_CONNECTION, 1)
        tokens, quota, intake, limits = stores or (None, None, None, None)
        encoded = msgspec.json.encode(self._configuration(settings) | {"upstreams": upstreams})
        own = tokens, quota, intake, certificates, pages or [], limits, streams, access_log, keeps
        self._gateway = Gateway(encoded, *own)
        self._access_log = access_log
        self._held: Sequence[socket.socket] = ()

    def _configuration(self, settings: Settings) -> dict[str, object]:
        limits = {"connections": self.connections, "upstream_connections": self.upstream_connections}
        return native_gateway.configuration(settings, limits) | {
            "cors_origins": settings.cors_origins,
            "time_bounds": SECONDS,
            "batch_work": {"request": REQUEST_ROWS, "message": SENT_ROWS, "kib": KIB_ROWS},
        }

    def start(self, held: Sequence[socket.socket]) -> None:
        """Accept connections from bound sockets. Raises StartError."""
        native_gateway.start(self._gateway, held)
        self._held = held

    def stop_accepting(self) -> None:
        """Accept no new connections; each open connection ends after its requests in progress."""
        for each in self._held:
            # The gateway has a duplicate of the socket. The address is free only when both are closed.
            each.close()
        self._gateway.stop_accepting()

    async def ended(self, seconds: float) -> bool:
        """Wait up to `seconds` until the last connection has ended; return whether it has."""
        return await asyncio.to_thread(self._gateway.wait_idle, seconds)

    async def stop(self) -> None:
        """Close every connection, and write the last lines of the access log."""
        await asyncio.to_thread(native_gateway.stop, self._gateway, self._access_log)

    def senders(self) -> list[UserId]:
        """Return the people who sent messages through this gateway within the last minute."""
        return [UserId(each) for each in self._gateway.senders()]

    def counters(self) -> GatewayCounters:
        return native_gateway.counters(self._gateway)
