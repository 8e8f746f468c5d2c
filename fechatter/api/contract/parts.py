"""Makes the parts of the document that describe one operation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from fechatter.api.contract import headers, refusals
from fechatter.api.contract.frames import CONTROL, EVENTS
from fechatter.api.contract.schemas import PREFIX, Examples, Schema, without_null
from fechatter.api.operations import Answer, Operation
from fechatter.api.problems import BODIES, ProblemBody
from fechatter.codes import PROBLEMS
from fechatter.model import MAX_ID

PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")
SECURITY: dict[str, list[dict[str, list[str]]]] = {
    "required": [{"bearer": []}],
    "optional": [{}, {"bearer": []}],
    "none": [],
}


class Place(msgspec.Struct, frozen=True):
    """An operation and its place in the table of routes.

    Attributes:
        signed_in: whether it requires a valid token.
        counted: whether requests are counted against a limit.
    """

    path: str
    method: str
    operation: Operation
    signed_in: bool
    counted: bool

    @property
    def with_id(self) -> bool:
        return ":id}" in self.path

    @property
    def template(self) -> str:
        """The path in the form of the document."""
        return PARAMETER.sub(r"{\1}", self.path)


class Parts:
    """Makes the parts of the document that one operation has.

    Args:
        shown: the schema of each type, by the type's identity.
        named: the schemas that these schemas refer to.

    Attributes:
        queries: the names of the schemas of queries; the document shows their fields as parameters instead.
        refusals: the response objects of refusals, which operations refer to by name.
    """

    def __init__(self, shown: dict[int, Schema], named: dict[str, Schema]) -> None:
        self._shown = shown
        self._named = named
        self._examples = Examples(named)
        self.queries: set[str] = set()
        self.refusals: dict[str, Any] = {}

    def operation(self, place: Place) -> dict[str, Any]:
        """Return the operation object of OpenAPI."""
        declared = place.operation
        summary, _, description = declared.description.partition("\n\n")
        made: dict[str, Any] = {
            "operationId": declared.id,
            "tags": [declared.tag],
            "summary": summary,
            "description": description,
            "parameters": [*_path_parameters(place.path), *self._query_parameters(declared), *headers.sent(declared)],
            "responses": self._answers(place) | self._refusals(place),
            "security": SECURITY["required" if place.signed_in else declared.token],
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
            made = {
                "name": name,
                "in": "query",
                "required": name in named.get("required", ()),
                "description": plain.pop("description", ""),
            }
            yield (
                made | {"schema": plain} | ({"style": "form", "explode": False} if plain.get("type") == "array" else {})
            )

    def _body(self, declared: Operation) -> dict[str, Any]:
        schema = self._schema(declared.body)
        return {
            "required": True,
            "description": f"At most {declared.body_bytes // 1024} KiB.",
            "content": {"application/json": {"schema": schema, "example": self._examples.of(schema)}},
        }

    def _answers(self, place: Place) -> dict[str, Any]:
        return {str(answer.status): self._answer(answer, counted=place.counted) for answer in place.operation.answers}

    def _answer(self, answer: Answer, *, counted: bool) -> dict[str, Any]:
        made: dict[str, Any] = {
            "description": answer.means or "Success.",
            "headers": headers.answered(answer, counted=counted),
        }
        if answer.media_type == "text/event-stream":
            made["content"] = {answer.media_type: self._stream()}
        elif answer.kind is not None:
            schema = self._schema(answer.kind)
            shown = {"schema": schema, "example": self._examples.of(schema)}
            made["content"] = {answer.media_type.partition(";")[0]: shown}
        return made

    def _stream(self) -> dict[str, Any]:
        """Return the schema of the stream; `x-frames` has the schema of the `data:` by the name in `event:`."""
        schemas = {name: self._schema(kind) for name, kind in (EVENTS | CONTROL).items()}
        shown = [_block(name, self._examples.of(schemas[name])) for name in ("hello", "message.created", "read.moved")]
        return {"schema": {"type": "string"}, "x-frames": schemas, "example": "".join(shown)}

    def _refusals(self, place: Place) -> dict[str, Any]:
        codes = refusals.codes(place.operation, with_id=place.with_id, signed_in=place.signed_in, counted=place.counted)
        made = {str(status): self._refusal(status, names) for status, names in refusals.by_status(codes).items()}
        for answer in place.operation.answers:
            if str(answer.status) in made:  # health has two kinds of 503
                made[str(answer.status)] = self._either(answer, made[str(answer.status)])
        return made

    def _refusal(self, status: int, names: list[str]) -> dict[str, Any]:
        """Return a reference, because many operations have the same refusals."""
        name = ".".join(names)
        self.refusals[name] = refusals.answer(status, names, self._schema(BODIES.get(status, ProblemBody)))
        return {"$ref": f"#/components/responses/{name}"}

    def _either(self, answer: Answer, refusal: dict[str, str]) -> dict[str, Any]:
        refused: dict[str, Any] = self.refusals[refusal["$ref"].rpartition("/")[2]]
        own = self._answer(answer, counted=False)
        return refused | {
            "content": own["content"] | refused["content"],
            "description": f"{own['description']} {refused['description']}",
        }

    def problem_examples(self) -> dict[str, Any]:
        """Return an example of each public code."""
        public = {name: code.status for name, code in PROBLEMS.items() if code.public}
        bodies = {name: self._schema(BODIES.get(status, ProblemBody)) for name, status in public.items()}
        return {name: refusals.example(name, body, self._examples) for name, body in bodies.items()}

    def _schema(self, kind: Any) -> Schema:
        return dict(self._shown[id(kind)])


def _path_parameters(path: str) -> Iterator[dict[str, Any]]:
    for name in PARAMETER.findall(path):
        schema = {"type": "integer", "minimum": 0, "maximum": MAX_ID, "examples": [headers.EXAMPLE_IDS[name]]}
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _block(name: str, data: object) -> str:
    identity = "" if name == "read.moved" else "id: 5f2c81d0.1204\n"
    return f"{identity}event: {name}\ndata: {msgspec.json.encode(data).decode()}\n\n"
