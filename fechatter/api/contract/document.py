"""Makes the OpenAPI 3.1 document from the table of routes and what its endpoints declare; `make openapi` writes it to `openapi.json`."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from fechatter import __version__
from fechatter.api.contract import headers, refusals
from fechatter.api.contract.frames import CONTROL, EVENTS, Event
from fechatter.api.contract.schemas import PREFIX, Examples, Schema, components, without_null
from fechatter.api.operations import Answer, Operation
from fechatter.api.problems import BODIES, ProblemBody
from fechatter.api.routes import COUNTED, OPEN, TABLE
from fechatter.codes import PROBLEMS
from fechatter.model import MAX_ID

INTRODUCTION = """
JSON in, JSON out, UTF-8. Times are RFC 3339 in UTC with milliseconds, ids whole numbers of up to 53 bits. Fields and parameters that
are not known are refused, so that typing errors show; `GET /api/server` tells what this server allows. Within an `api_level`
changes only add.

**Signing in.** `POST /api/signin` answers with an `access_token` for the header `Authorization: Bearer …`, good for `expires_in`
seconds, and a `refresh_token` for the next one. A token never goes into a URL.

**Lists** answer `{"items": […], "next": …}`; `next` is the `cursor` of the page after, null on the last.

**Refusals** are `application/problem+json` with a stable `code`; see [all codes](/docs/problems). What you may not see is refused like
what is not there. 429 and 503 carry `Retry-After`; nothing was kept of the request then.

**Events and answers.** Everything that changes what a client shows has a number in its workspace's log. Answers carry
`Event-Cursor`: events up to it are already in them. Load `/api/sync`, open `/events` with its cursor, and nothing is missed.

Every answer carries `X-Request-Id`: the one you sent, when it is sane, or a new one. Each GET answers HEAD too.
"""

BEARER = "The `access_token` of a session."

_PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")


def document() -> dict[str, Any]:
    """The whole document, JSON-ready."""
    declared = list(_operations())
    kinds = _kinds([operation for _, _, operation in declared])
    shown, named = components(kinds)
    parts = Parts(dict(zip(map(id, kinds), shown, strict=True)), named)
    paths: dict[str, Any] = {}
    for path, method, operation in declared:
        plain = _PARAMETER.sub(r"{\1}", path)
        paths.setdefault(plain, {})[method.lower()] = parts.operation(operation, path)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Fechatter",
            "version": __version__,
            "description": INTRODUCTION.strip(),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "This server"}],
        "tags": list(_tags([operation for _, _, operation in declared])),
        "paths": paths,
        "components": {
            "schemas": {name: schema for name, schema in named.items() if name not in parts.queries},
            "responses": parts.refusals,
            "examples": parts.problem_examples(),
            "headers": headers.ANSWERED,
            "parameters": headers.SENT,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": BEARER}},
        },
    }


def _operations() -> Iterator[tuple[str, str, Operation]]:
    """Path, method and declaration of each operation."""
    for path, methods in TABLE.items():
        for method, app in methods.items():
            declared = getattr(app, "operation", None)
            if isinstance(declared, Operation):
                yield path, method, declared


def _kinds(operations: list[Operation]) -> list[Any]:
    """Every type the document shows, once."""
    found: list[Any] = [Event, *EVENTS.values(), *CONTROL.values(), ProblemBody, *BODIES.values()]
    for operation in operations:
        found += [answer.kind for answer in operation.answers]
        found += [operation.query, operation.body]
    return list({id(kind): kind for kind in found if kind is not None}.values())


def _tags(operations: list[Operation]) -> Iterator[dict[str, str]]:
    for name in dict.fromkeys(operation.tag for operation in operations):
        module = importlib.import_module(f"fechatter.api.endpoints.{name}")
        yield {"name": name, "description": inspect.getdoc(module) or ""}


class Parts:
    """Makes the parts of the document that one operation has.

    Args:
        shown: the schema of each type, by the type's identity.
        named: the schemas they refer to.

    Attributes:
        queries: the names of schemas that parameters stand for.
        refusals: the response objects of refusals that were referred to.
    """

    def __init__(self, shown: dict[int, Schema], named: dict[str, Schema]) -> None:
        self._shown = shown
        self._named = named
        self._examples = Examples(named)
        self.queries: set[str] = set()
        self.refusals: dict[str, Any] = {}

    def operation(self, declared: Operation, path: str) -> dict[str, Any]:
        """The operation object."""
        summary, _, description = declared.description.partition("\n\n")
        signed_in = path not in OPEN
        made: dict[str, Any] = {
            "operationId": declared.id,
            "tags": [declared.tag],
            "summary": summary,
            "description": description,
            "parameters": [*_path_parameters(path), *self._query_parameters(declared), *headers.sent(declared)],
            "responses": self._answers(declared) | self._refusals(declared, path, signed_in=signed_in),
            "security": [{"bearer": []}] if signed_in or declared.signed_in else [],
        }
        if declared.body is not None:
            made["requestBody"] = self._body(declared)
        return {key: value for key, value in made.items() if value or key == "security"}

    def _query_parameters(self, declared: Operation) -> Iterator[dict[str, Any]]:
        if declared.query is None:
            return
        query = self._schema(declared.query)["$ref"].removeprefix(PREFIX)
        self.queries.add(query)
        named = self._named[query]
        for name, field in named["properties"].items():
            plain = without_null(field)
            made = {"name": name, "in": "query", "required": name in named.get("required", ()), "description": plain.pop("description", "")}
            yield made | {"schema": plain} | ({"style": "form", "explode": False} if plain.get("type") == "array" else {})

    def _body(self, declared: Operation) -> dict[str, Any]:
        schema = self._schema(declared.body)
        return {
            "required": True,
            "description": f"At most {declared.body_bytes // 1024} KiB.",
            "content": {"application/json": {"schema": schema, "example": self._examples.of(schema)}},
        }

    def _answers(self, declared: Operation) -> dict[str, Any]:
        return {str(answer.status): self._answer(answer) for answer in declared.answers}

    def _answer(self, answer: Answer) -> dict[str, Any]:
        made: dict[str, Any] = {
            "description": answer.means or ("Done." if answer.kind is None else "It worked."),
            "headers": headers.answered(answer),
        }
        if answer.media_type == "text/event-stream":
            made["content"] = {answer.media_type: self._stream()}
        elif answer.kind is not None:
            schema = self._schema(answer.kind)
            made["content"] = {answer.media_type.partition(";")[0]: {"schema": schema, "example": self._examples.of(schema)}}
        return made

    def _stream(self) -> dict[str, Any]:
        """Of blocks `id:`, `event:`, `data:`; `x-frames` has the schema of the JSON in `data:` by the name in `event:`."""
        schemas = {name: self._schema(kind) for name, kind in (EVENTS | CONTROL).items()}
        shown = [_block(name, self._examples.of(schemas[name])) for name in ("hello", "message.created", "read.moved")]
        return {"schema": {"type": "string"}, "x-frames": schemas, "example": "".join(shown)}

    def _refusals(self, declared: Operation, path: str, *, signed_in: bool) -> dict[str, Any]:
        counted = signed_in or path in COUNTED
        codes = refusals.codes(declared, with_id=":id}" in path, signed_in=signed_in, counted=counted)
        made = {str(status): self._refusal(status, names) for status, names in refusals.by_status(codes).items()}
        for answer in declared.answers:
            if str(answer.status) in made:  # health tells 503 in two ways
                made[str(answer.status)] = self._either(answer, made[str(answer.status)])
        return made

    def _refusal(self, status: int, names: list[str]) -> dict[str, Any]:
        """A reference: many operations refuse alike."""
        name = ".".join(names)
        self.refusals[name] = refusals.answer(status, names, self._schema(BODIES.get(status, ProblemBody)))
        return {"$ref": f"#/components/responses/{name}"}

    def _either(self, answer: Answer, refusal: dict[str, str]) -> dict[str, Any]:
        refused: dict[str, Any] = self.refusals[refusal["$ref"].rpartition("/")[2]]
        own = self._answer(answer)
        return refused | {"content": own["content"] | refused["content"], "description": f"{own['description']} {refused['description']}"}

    def problem_examples(self) -> dict[str, Any]:
        """An example of each public code."""
        bodies = {name: self._schema(BODIES.get(code.status, ProblemBody)) for name, code in PROBLEMS.items() if code.public}
        return {name: refusals.example(name, body, self._examples) for name, body in bodies.items()}

    def _schema(self, kind: Any) -> Schema:
        return dict(self._shown[id(kind)])


def _path_parameters(path: str) -> Iterator[dict[str, Any]]:
    for name in _PARAMETER.findall(path):
        schema = {"type": "integer", "minimum": 0, "maximum": MAX_ID, "examples": [headers.EXAMPLE_IDS[name]]}
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _block(name: str, data: object) -> str:
    identity = "" if name == "read.moved" else "id: 5f2c81d0.1204\n"
    return f"{identity}event: {name}\ndata: {msgspec.json.encode(data).decode()}\n\n"
