"""A user of the server: signs up, sends requests and opens streams."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import orjson

from tests.journeys.server import ServerProcess
from tests.journeys.stream import Stream
from tests.journeys.wire import Answer, Wire

PASSWORD = "correct horse battery"
_names = itertools.count(1)


class UnexpectedAnswer(AssertionError):
    """The server refused a request that must succeed."""

    def __init__(self, request: str, answer: Answer) -> None:
        super().__init__(f"{request}: {answer.status} {answer.body!r}")
        self.status = answer.status


class Client:
    """Sends requests over kept connections. Authenticated if it has a token.

    Attributes:
        session: the Session returned by the sign-up or sign-in; {} for a stranger.
    """

    def __init__(self, server: ServerProcess, session: dict[str, Any] | None = None) -> None:
        self.server = server
        self.session = session or {}
        self._idle: list[Wire] = []

    @property
    def token(self) -> str | None:
        return self.session.get("access_token")

    @property
    def id(self) -> int:
        return int(self.session["user"]["id"])

    @property
    def workspace_id(self) -> int:
        return int(self.session["workspace"]["id"])

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        *,
        raw: bytes | None = None,
    ) -> Answer:
        """Return the response, whatever its status. `raw` replaces the JSON body. Raises ConnectionError, OSError."""
        sent = raw if raw is not None else b"" if body is None else orjson.dumps(body)
        own = {"authorization": f"Bearer {self.token}"} if self.token is not None else {}
        if sent:
            own["content-type"] = "application/json"
        wire = await self._wire()
        answer = await wire.request(method, path, sent, {**own, **(headers or {})})
        if answer.headers.get("connection") == "close":
            wire.close()
        else:
            self._idle.append(wire)
        return answer

    async def call(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Any:
        """Return the JSON of a successful response. Raises UnexpectedAnswer."""
        answer = await self.ask(method, path, body, headers)
        if answer.status >= 300:
            raise UnexpectedAnswer(f"{method} {path}", answer)
        return answer.json if answer.body else None

    async def get(self, path: str) -> Any:
        return await self.call("GET", path)

    async def post(self, path: str, body: object = None) -> Any:
        return await self.call("POST", path, body)

    async def chat(self, chat_type: str, *others: Client, **more: Any) -> dict[str, Any]:
        """Create a chat with these people."""
        named = {"name": f"news {next(_names)}"} if chat_type.endswith("channel") else {}
        members = [other.id for other in others]
        made: dict[str, Any] = await self.post(
            "/api/chat", {"chat_type": chat_type, "members": members, **named, **more}
        )
        return made

    async def send(self, chat_id: int, content: str, key: str | None = None) -> dict[str, Any]:
        """Send a message and return it as stored."""
        body = {"content": content} | ({} if key is None else {"idempotency_key": key})
        message: dict[str, Any] = await self.post(f"/api/chat/{chat_id}/messages", body)
        return message

    async def history(self, chat_id: int) -> list[dict[str, Any]]:
        """Return all messages of a chat, oldest first."""
        found: list[dict[str, Any]] = []
        more = True
        while more:
            last = found[-1]["number"] if found else 0
            page = await self.get(f"/api/chat/{chat_id}/messages?after={last}&limit=100")
            found += page["items"][::-1]
            more = page["has_newer"]
        return found

    async def pages(self, path: str) -> list[dict[str, Any]]:
        """Return all items of a list."""
        found: list[dict[str, Any]] = []
        page = await self.get(f"{path}?limit=100")
        found += page["items"]
        while page["next"] is not None:
            page = await self.get(f"{path}?limit=100&cursor={page['next']}")
            found += page["items"]
        return found

    async def events(self, cursor: str) -> list[dict[str, Any]]:
        """Return all events after a position, by polling."""
        found: list[dict[str, Any]] = []
        more = True
        while more:
            page = await self.get(f"/api/events?after={cursor}&limit=1000")
            found, cursor, more = found + page["events"], page["cursor"], page["more"]
        return found

    async def cursor(self) -> str:
        """Return the position of the workspace's newest event."""
        return str((await self.get("/api/sync"))["cursor"])

    async def listen(self, cursor: str | None = None) -> Stream:
        """Open a live stream and read its `hello`. If a cursor is given, the caller reads the replay."""
        stream = await Stream.open(self.server.port, self.token, cursor, tls=self.server.tls)
        if cursor is None:
            await stream.until("hello")
        return stream

    async def _wire(self) -> Wire:
        while self._idle:
            wire = self._idle.pop()
            if wire.usable:
                return wire
        return await Wire.open(self.server.port, self.server.tls)


async def owner(
    server: ServerProcess, workspace: str | None = None, *, default_channel: bool = True, **how: str
) -> Client:
    """Create a workspace and return its owner.

    The server must have open sign-up, or `how` must contain its set-up token.

    Args:
        default_channel: whether new people join a channel, which adds one event per person.
    """
    number = next(_names)
    person = {"email": f"owner{number}@example.org", "password": PASSWORD, "fullname": f"Owner {number}"}
    session = await Client(server).post(
        "/api/signup", {**person, "workspace": workspace or f"Workspace {number}", **how}
    )
    host = Client(server, session)
    if not default_channel:
        await host.call("PATCH", "/api/workspace", {"default_chat_id": None})
    return host


async def colleague(host: Client, role: str = "member") -> Client:
    """Join the workspace by an invitation and return the new person."""
    number = next(_names)
    invitation = await host.post("/api/invitations", {"role": role})
    person = {"email": f"person{number}@example.org", "password": PASSWORD, "fullname": f"Person {number}"}
    session = await Client(host.server).post("/api/signup", {**person, "invitation": invitation["token"]})
    return Client(host.server, session)


async def signed_in(person: Client, password: str = PASSWORD) -> Client:
    """Sign in again and return the same person with the new session."""
    slug = person.session["workspace"]["slug"]
    credentials = {"email": person.session["user"]["email"], "password": password, "workspace": slug}
    session = await Client(person.server).post("/api/signin", credentials)
    return Client(person.server, session)
