"""Generates requests from the OpenAPI contract, sends them over real sockets and checks the responses against it."""

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
"""Operations that remove the objects under test. They run last."""

load_all_checks()
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
BY_ITEM = ("sendMessages",)
"""A batch reports an invalid message inside a successful response, so an invalid request may still get 200."""


def generate_cases(examples: int, *, derandomize: bool) -> list[Case]:
    """Generate `examples` valid and `examples` invalid requests for each operation."""
    contract = schemathesis.openapi.from_path(str(CONTRACT))
    operations = [found.ok() for found in contract.get_all_operations()]
    operations.sort(
        key=lambda operation: LAST.index(operation_id(operation)) if operation_id(operation) in LAST else -1
    )
    found: list[Case] = []
    for operation in operations:
        for mode in GenerationMode:
            found += _generate(operation, mode, examples, derandomize=derandomize)
    return found


def operation_id(operation: Any) -> str:
    """Return the operationId."""
    return str(operation.definition.raw["operationId"])


def _generate(operation: Any, mode: GenerationMode, examples: int, *, derandomize: bool) -> list[Case]:
    generated: list[Case] = []
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
        # Null and empty lists in a query are not sent, and the remaining request may be valid.
        assume(all(value not in (None, []) for value in case.query.values()))
        generated.append(case)

    try:
        gather()
    except Unsatisfiable:
        # Some operations have no input that could be invalid.
        if mode is GenerationMode.POSITIVE:
            raise
    return generated


class FirstBlockAdapter(HTTPAdapter):
    """Reads only the first block of a live stream, because the stream never ends."""

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


UPGRADE_REQUIRED = 426


class ContractTester:
    """Sends cases, with existing ids in most of them.

    Attributes:
        sent: the number of responses per operation and status.
        wrong: the violations of the contract.
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
        self._session.mount("http://", FirstBlockAdapter())

    def send_all(self, generated: list[Case]) -> None:
        for case in generated:
            self.send(case)
        self._session.close()

    def send(self, case: Case) -> None:
        if case.meta is None or case.meta.generation.mode is GenerationMode.POSITIVE:
            case.path_parameters.update(self._existing_ids(case.path_parameters))
        headers = {"Authorization": f"Bearer {self._token}"}
        answer = case.call(base_url=self._base, session=self._session, headers=headers, timeout=ANSWER_SECONDS)
        key = operation_id(case.operation), answer.status_code
        self.sent[key] = self.sent.get(key, 0) + 1
        try:
            # A request that is not a handshake gets 426 before its values are read.
            is_strict = operation_id(case.operation) not in BY_ITEM and answer.status_code != UPGRADE_REQUIRED
            strict = [checks.negative_data_rejection] if is_strict else []
            case.validate_response(answer, checks=[*CHECKS, *strict], headers=headers)
        except FailureGroup as failures:
            self.wrong += [f"{case.operation.label}: {failure}" for failure in failures.exceptions]
        if answer.status_code == 401 or (operation_id(case.operation) in LAST and answer.status_code == 204):
            self._sign_in()

    def _existing_ids(self, given: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
        for kind in given:
            known = next(self._ids[kind])
            if known is not None:
                yield kind, known

    def _sign_in(self) -> None:
        """Sign in again if the session has ended."""
        probe = self._session.get(
            f"{self._base}/api/users/me", headers={"Authorization": f"Bearer {self._token}"}, timeout=ANSWER_SECONDS
        )
        if probe.status_code == 401:
            wanted = {"email": self._email, "password": PASSWORD, "workspace": self._slug}
            answer = self._session.post(f"{self._base}/api/signin", json=wanted, timeout=ANSWER_SECONDS)
            self._token = answer.json()["access_token"]
