"""Parsing and checking typical bodies: the extension against plain Python."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from fechatter import native
from tests.native import reference

KEY = "0192f0c1-2345-7abc-8def-0123456789ab"
CONTENTS = {
    "200 bytes": "Shall we meet at noon, then? " * 7,
    "200 bytes, escapes": 'Reply: "no".\n\tAnd left. ' * 8,
    "emoji": "我们中午见面吧 😀 " * 12,
    "4000 characters": "Shall we meet at noon? " * 173,
}
BODIES = {name: orjson.dumps({"content": text, "idempotency_key": KEY}) for name, text in CONTENTS.items()}
PARSERS = {"native": native.parse_message, "python": lambda body: reference.parse_message(body)[:2]}


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("body", BODIES)
def test_parse_and_check(benchmark: BenchmarkFixture, body: str, parser: str) -> None:
    benchmark.group = f"parse {body}"
    parse: Callable[..., Any] = PARSERS[parser]
    assert benchmark(parse, BODIES[body]) == (CONTENTS[body], KEY)


@pytest.mark.parametrize("body", BODIES)
def test_push_with_fingerprint(benchmark: BenchmarkFixture, body: str) -> None:
    """Push 1,000 messages per round into the waiting batch."""
    benchmark.group = "push 1,000 messages"
    intake, found = native.Intake(max_bytes=1 << 30), BODIES[body]

    def push() -> None:
        for number in range(1000):
            intake.push(found, None, 1, 2, 3, number)

    def drain() -> None:
        while intake.take() is not None:
            pass

    benchmark.pedantic(push, setup=drain, rounds=50, warmup_rounds=2)  # type: ignore[no-untyped-call]
    assert len(intake) == 1000


def test_gather_in_python_lists(benchmark: BenchmarkFixture) -> None:
    """Do the same in plain Python: parse, check and hash messages, and gather rows."""
    benchmark.group = "push 1,000 messages"
    body = BODIES["200 bytes"]

    def push() -> list[tuple[Any, ...]]:
        rows = []
        for number in range(1000):
            content, key, _ = reference.parse_message(body)
            stored = None if key is None else reference.stored_key(key)
            rows.append((1, 2, 3, content, stored, reference.fingerprint(content), number))
        return rows

    assert len(benchmark(push)) == 1000
