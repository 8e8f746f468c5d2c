"""Makes the OpenAPI 3.1 document from the table of routes and the declarations of its endpoints.

`make openapi` writes it to `openapi.json`.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from typing import Any

from fechatter import __version__
from fechatter.api.contract import headers
from fechatter.api.contract.frames import CONTROL, EVENTS, Event
from fechatter.api.contract.parts import Parts, Place
from fechatter.api.contract.schemas import PREFIX, Schema, add_union, components
from fechatter.api.operations import Operation
from fechatter.api.problems import BODIES, ProblemBody
from fechatter.api.routes import COUNTED, OPEN, TABLE

INTRODUCTION = """
JSON in, JSON out, UTF-8. Times are RFC 3339 in UTC with milliseconds. Ids are integers of up to 53 bits. Unknown fields
and parameters are refused, so that typing errors are found. `GET /api/server` describes this server. As long as its
`api_level` stays the same, changes to the API only add to it.

**Signing in.** `POST /api/signin` returns an `access_token` for the header `Authorization: Bearer …`, valid for
`expires_in` seconds. It also returns a `refresh_token`, with which `POST /api/refresh` returns new tokens. After a 401,
refresh; if that is refused, sign in again. A program signs in with an account of its own, created with an invitation or
`fechatter users create`. A token never belongs in a URL.

**Lists** return `{"items": […], "next": …}`. `next` is the `cursor` of the next page, null on the last page.

**Refusals** are `application/problem+json` with a stable `code`; see [all codes](/docs/problems). Hidden objects are
refused like objects that do not exist. 429 and 503 carry `Retry-After`, and mean that nothing of the request was
stored.

**Events and responses.** Everything that changes what a client shows has a number in its workspace's log. Responses
carry `Event-Cursor`: events up to it are already included. If you send the highest cursor that you have seen, no
response is older. Load `/api/sync`, open `/events` with its cursor, and you miss nothing.

**Unread messages.** `unread_count` = `last_number` - `last_read_number` - the number of deleted messages in between.
Frames are the same for all members and carry no counts. Derive the count from their numbers, and apply each `seq` only
once. `message.created` sets the chat's last number; a message of your own also sets your read mark to that number.
`message.deleted` counts if its number is above the mark. The read marks of `resumed` replace yours. A read mark of
`read.moved` replaces yours if its `revision` is higher, or if the revision is the same and its `last_read_number` is
higher. Its `deleted_above` includes the events up to its `seq`. Only `POST …/unread` moves a mark back; it also raises
the revision.

**Signals** are frames without a number: `read.moved`, `receipt.moved`, `typing.started`, `presence.changed`. They are
not in the log. They can be lost, repeated or late, and a slow stream loses them first. After each `hello`, subscribe to
presence and report your own state again.

**Comparing cursors.** A cursor is opaque. To compare two cursors, or a cursor with an event's `seq`, compare the
numbers after the last dot. The comparison is valid until the log goes back in time (a restored backup, a failover). A
stream then ends or sends `reset`. Ignore the responses to requests that you sent before `resumed` or `reset`.
When you connect, send the `Event-Cursor`s of your responses, separated by commas. Of those with the same text before
the last dot, send the highest. After `resumed`, keep only the highest of all. If the log no longer contains one of
them, you get `reset`.

Every response carries `X-Request-Id`: your own, if it is valid, or a new one. Each GET also answers HEAD.
"""

BEARER = "The `access_token` of a session."


def document() -> dict[str, Any]:
    """Return the whole document, JSON-ready."""
    places = list(_places())
    kinds = _kinds([place.operation for place in places])
    shown, named = components(kinds)
    add_union(named, "Event", shown[kinds.index(Event)], "Everything that changes what a client shows.")
    named["Frames"] = _frames()
    parts = Parts(dict(zip(map(id, kinds), shown, strict=True)), named)
    paths: dict[str, Any] = {}
    for place in places:
        paths.setdefault(place.template, {})[place.method.lower()] = parts.operation(place)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Fechatter",
            "version": __version__,
            "description": INTRODUCTION.strip(),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "This server"}],
        "tags": list(_tags([place.operation for place in places])),
        "paths": paths,
        "components": {
            "schemas": {name: schema for name, schema in named.items() if name not in parts.queries},
            "responses": parts.refusals,
            "examples": parts.problem_examples(),
            "headers": headers.ANSWERED,
            "parameters": headers.SENT,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": BEARER}
            },
        },
    }


def _frames() -> Schema:
    properties = {name: {"$ref": PREFIX + kind.__name__} for name, kind in (EVENTS | CONTROL).items()}
    description = "The JSON in the `data:` of each frame of the live stream, by the name in its `event:`."
    return {"description": description, "type": "object", "properties": properties, "required": list(properties)}


def _places() -> Iterator[Place]:
    """Yield each operation of the table."""
    for path, methods in TABLE.items():
        signed_in = path not in OPEN
        for method, app in methods.items():
            declared = getattr(app, "operation", None)
            if isinstance(declared, Operation):
                yield Place(path, method, declared, signed_in, counted=signed_in or path in COUNTED)


def _kinds(operations: list[Operation]) -> list[Any]:
    """Return every type that the document shows, once."""
    found: list[Any] = [Event, *EVENTS.values(), *CONTROL.values(), ProblemBody, *BODIES.values()]
    for operation in operations:
        found += [answer.kind for answer in operation.answers]
        found += [operation.query, operation.body]
    return list({id(kind): kind for kind in found if kind is not None}.values())


def _tags(operations: list[Operation]) -> Iterator[dict[str, str]]:
    for name in dict.fromkeys(operation.tag for operation in operations):
        module = importlib.import_module(f"fechatter.api.endpoints.{name}")
        yield {"name": name, "description": inspect.getdoc(module) or ""}
