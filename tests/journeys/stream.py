"""A client of a live stream, over `/events` or `/ws`. It keeps its cursor and can stop reading."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any, ClassVar, NamedTuple

import orjson

from tests.journeys.sockets import NotUpgraded, Socket
from tests.journeys.wire import READ_BYTES, Answer, Wire, head
from tests.servers.process import PATIENCE_SECONDS

EVENT_SECONDS = PATIENCE_SECONDS


class Event(NamedTuple):
    """One block of the stream. A heartbeat has no name and no data."""

    id: str | None
    name: str | None
    data: Any

    @property
    def seq(self) -> int:
        return int((self.id or "").rpartition(".")[2])


class Refused(Exception):
    """The server refused to open a stream."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


class Stream:
    """An open stream.

    Attributes:
        transport: how new streams are opened, `sse` or `websocket`.
        cursor: the last `id:` received.
    """

    transport: ClassVar[str] = "sse"

    def __init__(self, wire: Wire, cursor: str | None) -> None:
        self.cursor = cursor
        self._wire = wire
        self._rest = b""
        self._blocks: list[bytes] = []

    @classmethod
    async def open(
        cls,
        port: int,
        token: str | None,
        cursor: str | None = None,
        *,
        query: str = "",
        window_bytes: int | None = None,
        tls: ssl.SSLContext | None = None,
        transport: str | None = None,
    ) -> Stream:
        """Open a stream, over the class's transport by default.

        `window_bytes` limits the receive buffer of the socket. Raises Refused, OSError.
        """
        wire = await Wire.open(port, tls) if window_bytes is None else await open_narrow(port, window_bytes)
        headers = {"authorization": f"Bearer {token}"} if token is not None else {}
        if cursor is not None:
            headers["last-event-id"] = cursor
        if (transport or cls.transport) == "websocket":
            return await SocketStream.upgrade(wire, headers, query)
        wire.writer.write(head("GET", "/events" + query, headers))
        async with asyncio.timeout(EVENT_SECONDS):
            status, answered = await wire.answer_head()
            if status != 200:
                body = await wire.reader.readexactly(int(answered["content-length"]))
                wire.close()
                raise Refused(Answer(status, answered, body))
        if not answered["content-type"].startswith("text/event-stream"):
            raise ValueError(answered["content-type"])
        return cls(wire, cursor)

    def close(self) -> None:
        self._wire.close()

    async def next(self, timeout_seconds: float = EVENT_SECONDS) -> Event:
        """Return the next block except heartbeats. Raises TimeoutError, or ConnectionError at the end."""
        async with asyncio.timeout(timeout_seconds):
            while (event := await self.block()).name is None:
                pass
        return event

    async def until(self, name: str, timeout_seconds: float = EVENT_SECONDS) -> list[Event]:
        """Return all blocks up to and including the next one with this name."""
        found = [await self.next(timeout_seconds)]
        while found[-1].name != name:
            found.append(await self.next(timeout_seconds))
        return found

    async def quiet(self, seconds: float) -> None:
        """Check that only heartbeats arrive for this time. Raises ValueError."""
        try:
            raise ValueError(f"not quiet: {await self.next(seconds)}")
        except TimeoutError:
            return

    async def rest(self) -> list[Event]:
        """Return all blocks until the server ends the stream."""
        found = []
        try:
            while True:
                found.append(await self.next())
        except ConnectionError:
            return found

    async def block(self) -> Event:
        """Return the next block, heartbeats included. Raises ConnectionError at the end."""
        while not self._blocks:
            *self._blocks, self._rest = (self._rest + await self._part()).split(b"\n\n")
        event = parse(self._blocks.pop(0))
        self.cursor = event.id or self.cursor
        return event

    async def _part(self) -> bytes:
        try:
            part = await self._wire.chunk()
        except (asyncio.IncompleteReadError, OSError) as error:
            raise ConnectionError("the stream broke") from error
        if not part:
            raise ConnectionError("the stream has ended")
        return part


class SocketStream(Stream):
    """An open stream over a WebSocket.

    Attributes:
        socket: where messages can be sent.
    """

    def __init__(self, socket: Socket, cursor: str | None) -> None:
        super().__init__(socket.wire, cursor)
        self.socket = socket

    @classmethod
    async def upgrade(cls, wire: Wire, headers: dict[str, str], query: str = "") -> SocketStream:
        """Raises Refused, OSError."""
        try:
            socket = await Socket.open(0, "/ws" + query, headers, wire=wire)
        except NotUpgraded as refused:
            raise Refused(refused.answer) from refused
        return cls(socket, headers.get("last-event-id"))

    async def block(self) -> Event:
        message = await self.socket.message()
        if not message or set(message) - {"id", "event", "data"}:
            raise ValueError(f"a strange message: {message}")
        event = Event(message.get("id"), message.get("event"), message.get("data"))
        self.cursor = event.id or self.cursor
        return event


def parse(block: bytes) -> Event:
    """Parse a block as in the standard for server-sent events, with each field at most once. Raises ValueError."""
    fields: dict[str, str] = {}
    for line in block.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        name, _, value = line.partition(": ")
        if name in fields or name not in ("id", "event", "data"):
            raise ValueError(f"a strange block: {block!r}")
        fields[name] = value
    data = orjson.loads(fields["data"]) if "data" in fields else None
    return Event(fields.get("id"), fields.get("event"), data)


async def open_narrow(port: int, window_bytes: int) -> Wire:
    """Open a connection with a small receive buffer."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window_bytes)
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=connection, limit=min(window_bytes, READ_BYTES))
    return Wire(reader, writer)
