"""The plain way in Python of each native function. `benches/native` measures the functions with the same messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import orjson
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from fechatter.auth.tokens import AccessTokens, Claims
from fechatter.model import SessionId, UserId, WorkspaceId

ROWS = 256
CONTENT = "Shall we meet at noon, then? " * 7
KEY = "0192f0c1-2345-7abc-8def-{:012x}"
MIXED = ("We meet at noon; 我们中午见面吧; встретимся 😀 " * 120)[:4000].encode()
CONTROL = {chr(number) for number in [*range(0x20), *range(0x7F, 0xA0)]} - set("\t\n\r")


class GatheredMessage(NamedTuple):
    chat_id: int
    sender_id: int
    session_id: int
    fingerprint: int
    content: str
    key: str | None


PARSED = [(CONTENT, KEY.format(number)) for number in range(ROWS)]
BODIES = [orjson.dumps({"content": content, "idempotency_key": key}) for content, key in PARSED]


def gather() -> list[GatheredMessage]:
    """Gather a batch as a list of tuples."""
    return [GatheredMessage(number % 20, 2, 3, 4, content, key) for number, (content, key) in enumerate(PARSED)]


def fill_lists() -> tuple[list[Any], ...]:
    """Gather a batch as new lists, one for each column."""
    columns: tuple[list[Any], ...] = ([], [], [], [], [], [])
    for number, (content, key) in enumerate(PARSED):
        for column, value in zip(columns, (number % 20, 2, 3, 4, content, key), strict=True):
            column.append(value)
    return columns


def parse() -> None:
    """Parse each body into its own texts, and check their length and characters."""
    for body in BODIES:
        found = orjson.loads(body)
        content, key = found["content"], found.get("idempotency_key")
        assert len(found) <= 2
        assert 1 <= len(content) <= 4000
        assert not content.isspace()
        assert CONTROL.isdisjoint(content)
        assert key is None or 1 <= len(key) <= 64


MESSAGES = gather()


def count() -> int:
    """Count the messages of one chat, message by message."""
    return sum(1 for message in MESSAGES if message.chat_id == 7)


def check_utf8() -> str:
    return MIXED.decode()


PLAIN: dict[str, tuple[Callable[[], object], int]] = {
    "arena": (gather, ROWS),
    "pool": (fill_lists, ROWS),
    "zero_copy": (parse, ROWS),
    "columns": (count, ROWS),
    "simd": (check_utf8, 1),
}


@pytest.mark.parametrize("name", PLAIN)
def test_the_plain_way_in_python(benchmark: BenchmarkFixture, name: str) -> None:
    work, items = PLAIN[name]
    benchmark.extra_info.update({"figure": name, "items": items})
    benchmark(work)


def test_checking_a_token(benchmark: BenchmarkFixture) -> None:
    """Verify the same token repeatedly, as requests do."""
    tokens = AccessTokens(b"k" * 32, 900)
    signed = tokens.sign(Claims(UserId(1), WorkspaceId(2), SessionId(3)))
    benchmark.extra_info.update({"figure": "token", "items": 1})
    assert benchmark(tokens.verify, signed).user_id == 1
