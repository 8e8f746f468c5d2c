"""Shows the app a WebSocket of the HTTP server as a GET request whose response can have the status 101.

So a handshake passes the request boundary like every request: it gets an id, security headers and problems, and is
counted. After the response 101, the app sends and receives the messages of ASGI's WebSockets. Only a server without the
gateway uses this.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fechatter.api.middleware.behind_gateway import WEBSOCKET

_SWITCHING = 101
_SCHEMES = {"ws": "http", "wss": "https"}
_OF_THE_SERVER = (b"sec-websocket-accept", b"sec-websocket-protocol")


class WebSockets:
    """Turns the scope of a WebSocket into the scope of a request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        scheme = _SCHEMES.get(scope["scheme"], scope["scheme"])
        extensions = {**(scope.get("extensions") or {}), WEBSOCKET: {}}
        request = {**scope, "type": "http", "method": "GET", "scheme": scheme, "extensions": extensions}
        handshake = _Handshake(receive, send)
        await self._app(request, handshake.receive, handshake.send)


class _Handshake:
    """The messages of one connection."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._is_open = False
        self._began = False

    async def receive(self) -> Message:
        if self._is_open:
            return await self._receive()
        if not self._began:
            self._began = True
            await self._receive()  # websocket.connect
            return {"type": "http.request", "body": b"", "more_body": False}
        while (await self._receive())["type"] != "websocket.disconnect":
            pass
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if kind != "http.response.start" or message["status"] != _SWITCHING:
            await self._send({**message, "type": f"websocket.{kind}"} if kind.startswith("http.") else message)
            return
        if not self._began:
            await self._receive()
        self._is_open = True
        given = dict(message["headers"]).get(b"sec-websocket-protocol")
        headers = [(name, value) for name, value in message["headers"] if name not in _OF_THE_SERVER]
        subprotocol = None if given is None else given.decode()
        await self._send({"type": "websocket.accept", "subprotocol": subprotocol, "headers": headers})
