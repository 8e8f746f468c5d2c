"""A gateway without a server in its process."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path

import msgspec

from fechatter.errors import StartError
from fechatter.gateway import native_gateway
from fechatter.gateway.plan import Plan, native_plan
from fechatter.native import AccessLog, Certificates, Gateway, Tokens
from fechatter.settings import Settings
from fechatter.telemetry.watch import GatewayCounters

FILES_PER_CONNECTION = 2
"""A request in progress uses the connection of its client and a connection to an upstream."""
TOKENS = 65_536
KEY_BYTES = 32


class StandAlone:
    """The gateway of `fechatter gateway`. It stores no messages and caches no responses.

    Args:
        files: maximum number of open files for connections.
        key: signs access tokens; with it, invalid tokens are refused before a request is forwarded.
        access_log: receives a line for each request.

    Raises:
        StartError: the plan cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        plan: Plan,
        files: int,
        certificates: Certificates | None,
        key: bytes | None,
        access_log: AccessLog | None = None,
    ) -> None:
        self._settings = settings
        self._access_log = access_log
        self._connections = max(files // FILES_PER_CONNECTION, 1)
        tokens = None if key is None else Tokens(key, TOKENS)
        try:
            encoded = self._configuration(plan)
            self._gateway = Gateway(encoded, tokens, certificates=certificates, access_log=access_log)
        except ValueError as error:
            raise StartError(f"The gateway cannot start: {error}.") from error

    def _configuration(self, plan: Plan) -> bytes:
        limits = {
            "connections": self._connections,
            "upstream_connections": self._connections,
            "head_bytes": plan.head_bytes,
        }
        return msgspec.json.encode(native_gateway.configuration(self._settings, limits) | native_plan(plan))

    def start(self, held: Sequence[socket.socket]) -> None:
        """Accept connections from bound sockets. Raises StartError."""
        native_gateway.start(self._gateway, held)

    def reroute(self, plan: Plan) -> None:
        """Use another plan for new requests. Raises StartError: the plan cannot be used; nothing has changed."""
        try:
            self._gateway.reroute(self._configuration(plan))
        except ValueError as error:
            raise StartError(str(error)) from error

    def stop_accepting(self) -> None:
        """Accept no new connections; each open connection ends after its requests in progress."""
        self._gateway.stop_accepting()

    def has_ended(self, seconds: float) -> bool:
        """Wait up to `seconds` until the last connection has ended; return whether it has. Blocks."""
        return self._gateway.wait_idle(seconds)

    def stop(self) -> None:
        """Close every connection, and write the last lines of the access log. Blocks."""
        native_gateway.stop(self._gateway, self._access_log)

    def counters(self) -> GatewayCounters:
        return native_gateway.counters(self._gateway)


def read_key(settings: Settings, file: Path | None) -> bytes | None:
    """Return the key of access tokens from the file or the setting `jwt_secret`; None if neither is set.

    Raises:
        StartError: the file cannot be read, or its content is too short for a key.
    """
    if file is None:
        return None if settings.jwt_secret is None else settings.jwt_secret.encode()
    try:
        key = file.read_bytes().strip()
    except OSError as error:
        raise StartError(f"{file} cannot be read: {error.strerror}.") from error
    if len(key) < KEY_BYTES:
        raise StartError(f"{file} is too short for a key: it needs {KEY_BYTES} bytes.")
    return key
