from __future__ import annotations

import asyncio
import time

import pytest

from fechatter.auth import limits
from fechatter.auth.limits import LOOKUP, SIGN_IN, SIGN_IN_ACCOUNT, SIGN_IN_ADDRESS, AttemptLimits
from fechatter.canonical.networks import client_network
from fechatter.errors import Conflict, NotFound, Problem, TooManyRequests, Unauthorized, Unavailable

HOME = "192.0.2.1"


async def fail(made: AttemptLimits, email: str, address: str) -> None:
    """A sign-in with a wrong password. Raises TooManyRequests."""
    with pytest.raises(Unauthorized):
        async with made.signing_in(email, "", address):
            raise Unauthorized


async def enter(made: AttemptLimits, email: str, address: str) -> None:
    async with made.signing_in(email, "", address) as attempt:
        attempt.proved = True
    made.remember(email, "", address)


async def end(made: AttemptLimits, problem: Problem, *, proved: bool) -> None:
    """A sign-in of ada's that ends with this problem."""
    async with made.signing_in("ada", "", HOME) as attempt:
        attempt.proved = proved
        raise problem


async def refused(made: AttemptLimits, email: str, address: str) -> TooManyRequests:
    with pytest.raises(TooManyRequests) as caught:
        async with made.signing_in(email, "", address):
            raise AssertionError("it began")
    return caught.value


async def test_after_ten_wrong_passwords_a_pair_waits_and_nobody_else_does() -> None:
    made = AttemptLimits()
    for _ in range(SIGN_IN.burst):
        await fail(made, "ada", HOME)
    problem = await refused(made, "ada", HOME)
    assert (problem.code, 0 < problem.retry_after_seconds <= 60) == ("too_many_attempts", True)
    await enter(made, "ada", "192.0.2.2")
    await enter(made, "bob", HOME)


async def test_many_at_once_are_no_way_around() -> None:
    made, began = AttemptLimits(), 0

    async def attempt() -> None:
        nonlocal began
        async with made.signing_in("ada", "", HOME):
            began += 1
            await asyncio.sleep(0.01)
            raise Unauthorized

    await asyncio.gather(*(attempt() for _ in range(200)), return_exceptions=True)
    assert began == SIGN_IN.burst


async def test_signing_in_well_costs_nothing() -> None:
    made = AttemptLimits()
    for number in range(500):
        await enter(made, f"person {number % 7}", HOME)
    for problem, proved in ((Conflict(), True), (Unavailable(), True), (Unavailable(), False)):
        for _ in range(50):
            with pytest.raises(type(problem)):
                await end(made, problem, proved=proved)


async def test_a_password_that_fits_an_account_of_ones_own_pays_for_no_guess_at_anothers() -> None:
    made = AttemptLimits()
    for _ in range(SIGN_IN.burst):
        async with made.signing_in("ada", "", HOME):
            pass  # let in to one account, while the password was wrong for another of the same e-mail address
    await refused(made, "ada", HOME)
    for _ in range(SIGN_IN.burst - 1):
        with pytest.raises(Unauthorized):
            async with made.signing_in("ada", "theirs", HOME):
                raise Unauthorized
        async with made.signing_in("ada", "mine", HOME) as attempt:
            attempt.proved = True
    with pytest.raises(Unauthorized):
        async with made.signing_in("ada", "theirs", HOME):
            raise Unauthorized
    with pytest.raises(TooManyRequests):
        async with made.signing_in("ada", "theirs", HOME):
            raise AssertionError("it began")


async def test_one_address_cannot_try_everybody() -> None:
    made = AttemptLimits()
    for number in range(SIGN_IN_ADDRESS.burst):
        await fail(made, f"person {number}", HOME)
    assert (await refused(made, "somebody else", HOME)).retry_after_seconds <= 6
    await fail(made, "somebody else", "192.0.2.2")


async def test_strangers_everywhere_slow_a_person_only_where_they_never_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SLOW_SECONDS", 3600)
    made = AttemptLimits()
    await enter(made, "ada", HOME)
    for number in range(SIGN_IN_ACCOUNT.burst):
        await fail(made, "ada", f"198.51.100.{number}")
    await enter(made, "ada", HOME)  # is not slowed: that would take an hour
    monkeypatch.setattr(limits, "SLOW_SECONDS", 0.2)
    began = time.monotonic()
    await enter(made, "ada", "203.0.113.7")
    assert time.monotonic() - began >= 0.19
    assert not made._slowed


async def test_those_who_are_slowed_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SLOW_SECONDS", 0.2)
    made = AttemptLimits()
    for number in range(SIGN_IN_ACCOUNT.burst):
        await fail(made, "ada", f"198.51.100.{number}")
    waiting = [asyncio.ensure_future(fail(made, "ada", f"203.0.113.{number}")) for number in range(50)]
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert sum(isinstance(answer, TooManyRequests) for answer in answers) == 50 - limits.MOST_SLOWED_OF_ONE


def test_an_attempt_counts_unless_it_succeeds_or_the_server_was_busy() -> None:
    made = AttemptLimits()
    for problem, times in ((None, 100), (Unavailable(), 100), (NotFound(), LOOKUP.burst)):
        for _ in range(times):
            try:
                with made.attempt(LOOKUP, HOME):
                    if problem is not None:
                        raise problem
            except (Unavailable, NotFound):
                pass
    with pytest.raises(TooManyRequests), made.attempt(LOOKUP, HOME):
        pass
    with made.attempt(LOOKUP, "192.0.2.2"):
        pass


async def test_switched_off_nothing_is_refused() -> None:
    made = AttemptLimits(enabled=False)
    for _ in range(200):
        await fail(made, "ada", HOME)
        with pytest.raises(NotFound), made.attempt(LOOKUP, HOME):
            raise NotFound


async def test_who_is_at_home_where_is_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_KEYS", 3)
    made = AttemptLimits()
    for number in range(10):
        made.remember("ada", "", f"192.0.2.{number}")
    assert len(made._homes) == 3


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
def test_one_customers_network_counts_as_one(address: str, counted: str) -> None:
    assert client_network(address) == counted
