"""The declaration of an endpoint: its signature is its contract.

A parameter of type `Query` is read from the query string, a parameter of another type from the JSON body. Both are read
before the endpoint is called. `@operation` adds the id, the responses, and the error codes beyond those that every
operation may return. The docstring is the description. `/openapi.json` is made only from these declarations.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Literal, get_type_hints

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from fechatter.api import sharing
from fechatter.api.bodies import BODY_BYTES, read_body
from fechatter.api.queries import Query, read_query
from fechatter.codes import PROBLEMS
from fechatter.errors import Invalid
from fechatter.model import Position

POSITION_HEADER = "Event-Cursor"
MAX_SEEN = 32
"""Maximum number of positions in a request's `Event-Cursor`."""
Token = Literal["none", "optional", "required"]


class Answer(msgspec.Struct, frozen=True):
    """A successful response.

    Attributes:
        kind: the type of its JSON; None for an empty body.
        means: its meaning, if the status is not enough.
        position: whether it has `Event-Cursor`.
        headers: the names of its further headers.
    """

    kind: Any
    status: int = 200
    means: str = ""
    position: bool = False
    headers: tuple[str, ...] = ()
    media_type: str = "application/json"


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """The contract of one method of a path.

    Attributes:
        id: stable, because generated programs use it.
        refuses: codes of `codes.PROBLEMS` beyond those that every operation may return.
        headers: the names of the request headers that it reads.
        body_bytes: the maximum size of its body.
        token: whether an endpoint at an open path uses an access token.
    """

    id: str
    tag: str
    description: str
    answers: tuple[Answer, ...]
    refuses: tuple[str, ...] = ()
    query: type[Query] | None = None
    body: Any = None
    headers: tuple[str, ...] = ()
    body_bytes: int = BODY_BYTES
    token: Token = "none"

    def __post_init__(self) -> None:
        unknown = set(self.refuses) - set(PROBLEMS)
        if unknown:
            raise LookupError(f"{self.id} has error codes that are not declared: {unknown}")


class Endpoint:
    """The ASGI app of one operation.

    Args:
        function: called with the request, and with the parameters in `arguments` by name.
        arguments: the types of the function's parameters, without the first.
        takes_turn: whether the function waits for its turn itself, because it must read the body first.
    """

    def __init__(
        self,
        function: Callable[..., Awaitable[Response]],
        operation: Operation,
        arguments: dict[str, type],
        *,
        takes_turn: bool = False,
    ) -> None:
        self.operation = operation
        self._takes_turn = takes_turn
        self._function = function
        self._arguments = arguments
        self._positioned = POSITION_HEADER in operation.headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        if self._positioned:
            seen_of(request)
        given = {name: await self._read(request, kind) for name, kind in self._arguments.items()}
        if self._takes_turn:
            answer = await self._function(request, **given)
        else:
            # Read the body before waiting for a turn, so that a slow body occupies none.
            async with sharing.turn(request):
                answer = await self._function(request, **given)
                sharing.count_answer(request, answer)
        await answer(scope, receive, send)

    async def _read(self, request: Request, kind: type) -> object:
        if issubclass(kind, Query):
            return read_query(request, kind)
        return await read_body(request, kind, self.operation.body_bytes)


def seen_of(request: Request) -> tuple[Position, ...]:
    """Return the positions that the client has seen in responses. Raises Invalid.

    Reads use the primary, so no response is older. Only endpoints that continue from a position need this value.
    """
    texts = [text.strip() for line in request.headers.getlist(POSITION_HEADER) for text in line.split(",")]
    seen = [position for position in map(Position.parse, texts) if position is not None]
    if len(seen) < len(texts) or len(seen) > MAX_SEEN:
        raise Invalid.field(POSITION_HEADER, "invalid_cursor", "Use the Event-Cursor of a response.")
    return tuple(seen)


def operation(
    name: str,
    *answers: Answer,
    refuses: tuple[str, ...] = (),
    headers: tuple[str, ...] = (),
    body: Any = None,
    body_bytes: int = BODY_BYTES,
    token: Token = "none",
    tag: str = "",
) -> Callable[[Callable[..., Awaitable[Response]]], Endpoint]:
    """Declare an endpoint. Use `body` if it reads its body and takes its turn itself, `tag` if it is outside its noun's
    file."""

    def declare(function: Callable[..., Awaitable[Response]]) -> Endpoint:
        hints = get_type_hints(function)
        arguments = {parameter: hints[parameter] for parameter in list(inspect.signature(function).parameters)[1:]}
        query = next((kind for kind in arguments.values() if issubclass(kind, Query)), None)
        own = next((kind for kind in arguments.values() if not issubclass(kind, Query)), None)
        declared = Operation(
            id=name,
            tag=tag or function.__module__.rpartition(".")[2],
            description=inspect.getdoc(function) or "",
            answers=answers,
            refuses=refuses,
            query=query,
            body=own or body,
            headers=(*headers, POSITION_HEADER) if any(answer.position for answer in answers) else headers,
            body_bytes=body_bytes,
            token=token,
        )
        return Endpoint(function, declared, arguments, takes_turn=body is not None)

    return declare
