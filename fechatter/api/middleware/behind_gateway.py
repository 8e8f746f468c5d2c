"""Takes the client's address and scheme from the gateway's headers, and lets the gateway write live streams.

Only the server on the gateway's socket uses it.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

PEER = b"x-fechatter-peer"
SCHEME = b"x-fechatter-scheme"
STREAMS = "fechatter.streams"
"""The ASGI extension of a server behind a gateway that writes the live streams of its process."""


class BehindGateway:
    """Gives each request the client and the scheme of its connection to the gateway.

    Each forwarded request has both headers. The gateway removes the same headers of clients.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = []
            client, scheme = b"", b"http"
            for header in scope["headers"]:
                name = header[0]
                if name == PEER:
                    client = header[1]
                elif name == SCHEME:
                    scheme = header[1]
                else:
                    headers.append(header)
            scope["headers"] = headers
            scope["client"] = _address(client.decode("ascii"))
            scope["scheme"] = scheme.decode("ascii")
            scope["extensions"] = {**(scope.get("extensions") or {}), STREAMS: {}}
        await self._app(scope, receive, send)


def _address(peer: str) -> tuple[str, int] | None:
    """Return host and port; None for a client on a Unix socket."""
    host, _, port = peer.rpartition(":")
    return (host.strip("[]"), int(port)) if port else None
