"""Requests made from the contract, and somebody who sends them over real sockets and holds the answers to it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis.errors import Unsatisfiable
from requests.adapters import HTTPAdapter
from schemathesis import Case, GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks

from tests.journeys.client import PASSWORD, Client
from tests.servers.process import PATIENCE_SECONDS

CONTRACT = Path(__file__).parents[2] / "fechatter" / "api" / "contract" / "openapi.json"
ANSWER_SECONDS = PATIENCE_SECONDS
LAST = ("deleteChat", "leaveChat", "endSession", "logOut")
"""What takes away what others are tried on is tried at the end."""

load_all_checks()
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
BY_ITEM = ("sendMessages",)
"""A bad message of a batch is refused in its place of a good answer, so that a bad request of these is not refused as a whole."""


def cases(examples: int, *, derandomize: bool) -> list[Case]:
    """So many good and so many bad requests of every operation."""
    contract = schemathesis.openapi.from_path(str(CONTRACT))
    operations = [found.ok() for found in contract.get_all_operations()]
    operations.sort(key=lambda operation: LAST.index(name(operation)) if name(operation) in LAST else -1)
    found: list[Case] = []
    for operation in operations:
        for mode in GenerationMode:
            found += _of(operation, mode, examples, derandomize=derandomize)
    return found


def name(operation: Any) -> str:
    """Its operationId."""
    return str(operation.definition.raw["operationId"])


def _of(operation: Any, mode: GenerationMode, examples: int, *, derandomize: bool) -> list[Case]:
    made: list[Case] = []
    checks_of_hypothesis = list(HealthCheck)

    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        suppress_health_check=checks_of_hypothesis,
        phases=[Phase.generate],
        derandomize=derandomize,
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def gather(case: Case) -> None:
        # A null or an empty list in a query is not sent, and what is left may be good.
        assume(all(value not in (None, []) for value in case.query.values()))
        made.append(case)

    try:
        gather()
    except Unsatisfiable:
        # Some operations take nothing that could be wrong.
        if mode is GenerationMode.POSITIVE:
            raise
    return made


class FirstBlock(HTTPAdapter):
    """Of a live stream, which has no end, the first block is the answer."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs["stream"] = True
        answer = super().send(request, *args, **kwargs)
        if answer.headers.get("content-type", "").startswith("text/event-stream"):
            content = b""
            for part in answer.iter_content(None):
                content += part
                if b"\n\n" in content:
                    break
            answer._content = content
            answer.close()
        return answer


class Person:
    """Sends cases, with ids of what is really there in most of them.

    Attributes:
        sent: how often each status of each operation was answered.
        wrong: what broke the contract.
    """

    def __init__(self, who: Client, ids: Mapping[str, list[int]]) -> None:
        self.sent: dict[tuple[str, int], int] = {}
        self.wrong: list[str] = []
        self._token = who.token
        self._email = who.session["user"]["email"]
        self._slug = who.session["workspace"]["slug"]
        self._base = f"http://127.0.0.1:{who.server.port}"
        self._ids = {kind: itertools.cycle([*known, *known, None]) for kind, known in ids.items()}
        self._session = requests.Session()
        self._session.mount("http://", FirstBlock())

    def try_all(self, made: list[Case]) -> None:
        for case in made:
            self.try_one(case)
        self._session.close()

    def try_one(self, case: Case) -> None:
        if case.meta is None or case.meta.generation.mode is GenerationMode.POSITIVE:
            case.path_parameters.update(self._known(case.path_parameters))
        headers = {"Authorization": f"Bearer {self._token}"}
        answer = case.call(base_url=self._base, session=self._session, headers=headers, timeout=ANSWER_SECONDS)
        key = name(case.operation), answer.status_code
        self.sent[key] = self.sent.get(key, 0) + 1
        try:
            strict = [] if name(case.operation) in BY_ITEM else [checks.negative_data_rejection]
            case.validate_response(answer, checks=[*CHECKS, *strict], headers=headers)
        except FailureGroup as failures:
            self.wrong += [f"{case.operation.label}: {failure}" for failure in failures.exceptions]
        if answer.status_code == 401 or (name(case.operation) in LAST and answer.status_code == 204):
            self._sign_in()

    def _known(self, given: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
        for kind in given:
            known = next(self._ids[kind])
            if known is not None:
                yield kind, known

    def _sign_in(self) -> None:
        """Again, when the session ended."""
        probe = self._session.get(f"{self._base}/api/users/me", headers={"Authorization": f"Bearer {self._token}"}, timeout=ANSWER_SECONDS)
        if probe.status_code == 401:
            wanted = {"email": self._email, "password": PASSWORD, "workspace": self._slug}
            answer = self._session.post(f"{self._base}/api/signin", json=wanted, timeout=ANSWER_SECONDS)
            self._token = answer.json()["access_token"]
