"""The messages of a WebSocket that run the function of an HTTP route.

A message becomes a request to the app itself, of the person who opened the socket. So it has the quotas, the limits,
the turns, the checks, the counts and the problems of its route, and none can be forgotten.
"""

from __future__ import annotations

import asyncio

import msgspec
from starlette.types import ASGIApp, Message

from fechatter.auth.tokens import Claims
from fechatter.errors import Invalid
from fechatter.model import MAX_ID
from fechatter.validation import decode

MESSAGE_BYTES = 64 * 1024
"""Maximum size of a message. The gateway has the same limit."""
CREATED = 201
_HEADERS = [(b"host", b"localhost"), (b"content-type", b"application/json")]


class Command(msgspec.Struct, frozen=True):
    """The route of one type of messages.

    Attributes:
        path: may contain `{chat_id}`, a field of the message. The other fields are the request's body.
        answer: the event of the answer.
        always_answered: whether the message is answered without a `ref` too.
    """

    method: str
    path: str
    answer: str = "done"
    always_answered: bool = False


COMMANDS = {
    "send": Command("POST", "/api/chat/{chat_id}/messages", "sent", always_answered=True),
    "read": Command("PUT", "/api/chat/{chat_id}/read"),
    "typing": Command("POST", "/api/chat/{chat_id}/typing"),
    "presence": Command("PUT", "/api/presence"),
    "subscribe_presence": Command("POST", "/api/presence/subscriptions"),
}
"""By the `type` of the message."""


class Caller(msgspec.Struct, frozen=True):
    """Who opened a socket, and the client's address."""

    claims: Claims
    address: str


class RouteAnswer(msgspec.Struct):
    """The response of a route."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = []
    body: bytes = b""

    @property
    def retry_after(self) -> bytes | None:
        return next((value for name, value in self.headers if name == b"retry-after"), None)


def path_and_body(command: Command, fields: dict[str, msgspec.Raw]) -> tuple[str, bytes]:
    """Return the path and the body of the request for a message. Raises Invalid: `chat_id` is missing or no id."""
    path = command.path
    if "{chat_id}" in path:
        if "chat_id" not in fields:
            raise Invalid.field("/chat_id", "missing", "The field is required.")
        chat_id = decode(bytes(fields.pop("chat_id")), int, "/chat_id")
        if not 0 < chat_id <= MAX_ID:
            raise Invalid.field("/chat_id", "out_of_range", "The number is too small or too large.")
        path = path.format(chat_id=chat_id)
    return path, msgspec.json.encode(fields)


async def run(app: ASGIApp, caller: Caller, method: str, path: str, body: bytes) -> RouteAnswer:
    """Run the function of a route as the person who opened the socket. Every error is a response."""
    answered = RouteAnswer()
    requests = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if not requests:
            # Nobody waits for the client of this request.
            await asyncio.get_running_loop().create_future()
        return requests.pop()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answered.status, answered.headers = message["status"], list(message["headers"])
        else:
            answered.body += message.get("body", b"")

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [*_HEADERS, (b"content-length", b"%d" % len(body))],
        "client": (caller.address, 0) if caller.address else None,
        "server": None,
        "extensions": {},
        "state": {"claims": caller.claims},
    }
    await app(scope, receive, send)
    return answered
