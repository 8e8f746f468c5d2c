"""Hashing of passwords in threads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from fechatter.auth.pace import BURST_ROWS, Pace
from fechatter.auth.passwords import Passwords, check_password
from fechatter.errors import Invalid, Unavailable
from tests.auth.clock import Clock


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords(max_waiting=4)
    yield made
    made.close()


async def test_only_the_right_password_is_accepted(passwords: Passwords) -> None:
    hashed = await passwords.hash("correct horse")
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.verify("correct horse", hashed)
    assert not await passwords.verify("Correct horse", hashed)
    assert not await passwords.verify("correct horse", None)
    assert not await passwords.verify("correct horse", "damaged")
    assert not await passwords.verify("x" * 5_000_000, hashed)


async def test_equivalent_unicode_forms_of_a_password_are_accepted(passwords: Passwords) -> None:
    assert await passwords.verify("cafe\u0301 au lait", await passwords.hash("café au lait"))


async def test_calls_beyond_the_queue_are_refused_with_retry_after(passwords: Passwords) -> None:
    answers = await asyncio.gather(*(passwords.hash("correct horse") for _ in range(20)), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, Unavailable)]
    assert len(refused) == 14
    assert refused[0].retry_after_seconds > 0
    assert await passwords.hash("correct horse")


async def test_cancelled_calls_free_their_places(passwords: Passwords) -> None:
    waiting = [asyncio.ensure_future(passwords.hash("correct horse")) for _ in range(6)]
    await asyncio.sleep(0)
    for hashing in waiting:
        hashing.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert await passwords.hash("correct horse")


async def test_hashes_of_a_heavy_client_wait_for_lighter_ones() -> None:
    pace = Pace(clock=Clock())
    passwords = Passwords(pace=pace)
    await passwords.hash("correct horse", "light")
    assert len(pace) == 1
    pace.charge("heavy", 10 * BURST_ROWS)
    heavy = asyncio.ensure_future(passwords.hash("correct horse", "heavy"))
    for _ in range(3):
        await passwords.hash("correct horse", "light")
    assert not heavy.done()
    heavy.cancel()
    passwords.close()


async def test_an_unknown_person_costs_the_same_cpu_time_as_a_known_one(passwords: Passwords) -> None:
    hashed = await passwords.hash("correct horse")
    pairs = [(await _seconds(passwords, hashed), await _seconds(passwords, None)) for _ in range(8)]
    known, unknown = (min(column) for column in zip(*pairs, strict=True))
    assert 0.6 < unknown / known < 1.7


async def _seconds(passwords: Passwords, hashed: str | None) -> float:
    # CPU time of all threads, which does not depend on other processes.
    started = time.process_time()
    await passwords.verify("wrong horse", hashed)
    return time.process_time() - started


@pytest.mark.parametrize(("password", "code"), [("short", "too_short"), ("x" * 257, "too_long")])
def test_password_lengths_are_checked(password: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_password("/password", password)
    assert refused.value.errors[0].code == code
