"""Takes the client's address and scheme from the gateway's headers, lets it write live streams, and labels responses.

Only the server on the gateway's socket uses it.
"""

from __future__ import annotations

from collections.abc import Collection

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fechatter.api.labels import WANTED

PEER = b"x-fechatter-peer"
SCHEME = b"x-fechatter-scheme"
UPGRADE = b"x-fechatter-upgrade"
STREAMS = "fechatter.streams"
"""The ASGI extension of a server behind a gateway that writes the live streams of its process."""
WEBSOCKET = "fechatter.websocket"
"""The ASGI extension of a request that can become a WebSocket, by a response with the status 101."""
_SWITCHING, _OK = 101, 200
COMPRESSIBLE = (b"x-fechatter-compressible", b"1")
"""The label of a response without secrets. The gateway compresses no other response."""


class BehindGateway:
    """Gives each request the client and the scheme of its connection to the gateway.

    Each forwarded request has both headers, and a third one if the client asks for a WebSocket. The gateway removes
    the same headers of clients and of responses.

    Args:
        without_secrets: the routes whose responses to GET contain no secret, as metrics show them.
        labels: whether the gateway keeps responses, so that it wants their labels.
    """

    def __init__(self, app: ASGIApp, without_secrets: Collection[str] = (), *, labels: bool = False) -> None:
        self._app = app
        self._labels = labels
        self._without_secrets = frozenset(without_secrets)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = []
            extensions: dict[str, object] = {**(scope.get("extensions") or {}), STREAMS: {}}
            client, scheme = b"", b"http"
            for header in scope["headers"]:
                name = header[0]
                if name == PEER:
                    client = header[1]
                elif name == SCHEME:
                    scheme = header[1]
                elif name == UPGRADE:
                    extensions[WEBSOCKET] = {}
                else:
                    headers.append(header)
            scope["headers"] = headers
            scope["client"] = _address(client.decode("ascii"))
            scope["scheme"] = scheme.decode("ascii")
            scope["extensions"] = extensions
            scope.setdefault("state", {})[WANTED] = self._labels
            if scope["method"] == "GET":
                await self._app(scope, receive, self._labelled(scope, send))
                return
        await self._app(scope, receive, send)

    def _labelled(self, scope: Scope, send: Send) -> Send:
        async def send_labelled(message: Message) -> None:
            if message["type"] == "http.response.start":
                if scope["state"].get("route") in self._without_secrets:
                    message["headers"] = [*message["headers"], COMPRESSIBLE]
                if message["status"] == _SWITCHING:
                    # The connection to the gateway remains as it is.
                    message["status"] = _OK
            await send(message)

        return send_labelled


def _address(peer: str) -> tuple[str, int] | None:
    """Return host and port; None for a client on a Unix socket."""
    host, _, port = peer.rpartition(":")
    return (host.strip("[]"), int(port)) if port else None
