"""Limits of sign-in attempts."""

from __future__ import annotations

import asyncio
import time

import pytest

from fechatter.auth import limits
from fechatter.auth.limits import LOOKUP, SIGN_IN, SIGN_IN_ACCOUNT, SIGN_IN_ADDRESS, AttemptLimits
from fechatter.canonical.networks import client_network
from fechatter.errors import Conflict, NotFound, Problem, TooManyRequests, Unauthorized, Unavailable

HOME = "192.0.2.1"


async def fail_to_sign_in(rates: AttemptLimits, email: str, address: str) -> None:
    """Fail with a wrong password. Raises TooManyRequests."""
    with pytest.raises(Unauthorized):
        async with rates.signing_in(email, "", address):
            raise Unauthorized


async def sign_in(rates: AttemptLimits, email: str, address: str) -> None:
    async with rates.signing_in(email, "", address) as attempt:
        attempt.proved = True
    rates.remember(email, "", address)


async def sign_in_with_problem(rates: AttemptLimits, problem: Problem, *, proved: bool) -> None:
    """Sign in as ada and end with this problem."""
    async with rates.signing_in("ada", "", HOME) as attempt:
        attempt.proved = proved
        raise problem


async def refused_sign_in(rates: AttemptLimits, email: str, address: str) -> TooManyRequests:
    with pytest.raises(TooManyRequests) as caught:
        async with rates.signing_in(email, "", address):
            raise AssertionError("it began")
    return caught.value


async def test_after_ten_wrong_passwords_only_this_address_and_person_wait() -> None:
    rates = AttemptLimits()
    for _ in range(SIGN_IN.burst):
        await fail_to_sign_in(rates, "ada", HOME)
    problem = await refused_sign_in(rates, "ada", HOME)
    assert (problem.code, 0 < problem.retry_after_seconds <= 60) == ("too_many_attempts", True)
    await sign_in(rates, "ada", "192.0.2.2")
    await sign_in(rates, "bob", HOME)


async def test_concurrent_attempts_do_not_evade_the_limit() -> None:
    rates, began = AttemptLimits(), 0

    async def attempt() -> None:
        nonlocal began
        async with rates.signing_in("ada", "", HOME):
            began += 1
            await asyncio.sleep(0)
            raise Unauthorized

    await asyncio.gather(*(attempt() for _ in range(200)), return_exceptions=True)
    assert began == SIGN_IN.burst


async def test_successful_sign_ins_do_not_count() -> None:
    rates = AttemptLimits()
    for number in range(500):
        await sign_in(rates, f"person {number % 7}", HOME)
    for problem, proved in ((Conflict(), True), (Unavailable(), True), (Unavailable(), False)):
        for _ in range(50):
            with pytest.raises(type(problem)):
                await sign_in_with_problem(rates, problem, proved=proved)


async def test_a_successful_sign_in_to_ones_own_account_does_not_reset_guesses_at_another() -> None:
    rates = AttemptLimits()
    for _ in range(SIGN_IN.burst):
        async with rates.signing_in("ada", "", HOME):
            pass  # One account accepted the password, another one with the same e-mail address did not.
    await refused_sign_in(rates, "ada", HOME)
    for _ in range(SIGN_IN.burst - 1):
        with pytest.raises(Unauthorized):
            async with rates.signing_in("ada", "theirs", HOME):
                raise Unauthorized
        async with rates.signing_in("ada", "mine", HOME) as attempt:
            attempt.proved = True
    with pytest.raises(Unauthorized):
        async with rates.signing_in("ada", "theirs", HOME):
            raise Unauthorized
    with pytest.raises(TooManyRequests):
        async with rates.signing_in("ada", "theirs", HOME):
            raise AssertionError("it began")


async def test_one_address_cannot_try_every_account() -> None:
    rates = AttemptLimits()
    for number in range(SIGN_IN_ADDRESS.burst):
        await fail_to_sign_in(rates, f"person {number}", HOME)
    assert (await refused_sign_in(rates, "somebody else", HOME)).retry_after_seconds <= 6
    await fail_to_sign_in(rates, "somebody else", "192.0.2.2")


async def test_failures_elsewhere_slow_a_person_only_at_unknown_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SLOW_SECONDS", 3600)
    rates = AttemptLimits()
    await sign_in(rates, "ada", HOME)
    for number in range(SIGN_IN_ACCOUNT.burst):
        await fail_to_sign_in(rates, "ada", f"198.51.100.{number}")
    await sign_in(rates, "ada", HOME)  # Not slowed: that would take an hour.
    monkeypatch.setattr(limits, "SLOW_SECONDS", 0.2)
    began = time.monotonic()
    await sign_in(rates, "ada", "203.0.113.7")
    assert time.monotonic() - began >= 0.19
    assert not rates._slowed


async def test_few_sign_ins_are_slowed_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SLOW_SECONDS", 0.2)
    rates = AttemptLimits()
    for number in range(SIGN_IN_ACCOUNT.burst):
        await fail_to_sign_in(rates, "ada", f"198.51.100.{number}")
    waiting = [asyncio.ensure_future(fail_to_sign_in(rates, "ada", f"203.0.113.{number}")) for number in range(50)]
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert sum(isinstance(answer, TooManyRequests) for answer in answers) == 50 - limits.MAX_SLOWED_PER_EMAIL


def test_an_attempt_counts_unless_it_succeeds_or_the_server_is_busy() -> None:
    rates = AttemptLimits()
    for problem, times in ((None, 100), (Unavailable(), 100), (NotFound(), LOOKUP.burst)):
        for _ in range(times):
            try:
                with rates.attempt(LOOKUP, HOME):
                    if problem is not None:
                        raise problem
            except (Unavailable, NotFound):
                pass
    with pytest.raises(TooManyRequests), rates.attempt(LOOKUP, HOME):
        pass
    with rates.attempt(LOOKUP, "192.0.2.2"):
        pass


async def test_without_rate_limits_nothing_is_refused() -> None:
    rates = AttemptLimits(enabled=False)
    for _ in range(200):
        await fail_to_sign_in(rates, "ada", HOME)
        with pytest.raises(NotFound), rates.attempt(LOOKUP, HOME):
            raise NotFound


async def test_known_addresses_are_remembered_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_KEYS", 3)
    rates = AttemptLimits()
    for number in range(10):
        rates.remember("ada", "", f"192.0.2.{number}")
    assert len(rates._known_addresses) == 3


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:0DB8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("somewhere", "somewhere"),
    ],
)
def test_addresses_of_one_network_count_as_one(address: str, counted: str) -> None:
    assert client_network(address) == counted
