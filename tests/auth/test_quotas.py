"""Quotas of messages and requests per minute."""

from __future__ import annotations

import pytest

from fechatter.auth.quotas import AtOnce, Quota, Quotas
from fechatter.errors import TooManyRequests
from fechatter.settings import Settings
from tests.auth.clock import Clock


def take_headers(quota: Quota, key: object = 1) -> tuple[str, ...]:
    return tuple(value.decode() for _, value in quota.take(key))


def test_every_response_states_what_is_left_until_the_quota_is_used_up() -> None:
    clock = Clock()
    quota = Quota("messages", 60, clock=clock)
    assert take_headers(quota) == ('"messages";q=60;w=60', '"messages";r=59;t=2')
    assert [take_headers(quota)[1] for _ in range(59)][-1] == '"messages";r=0;t=61'
    with pytest.raises(TooManyRequests) as refused:
        quota.take(1)
    problem = refused.value
    assert (problem.code, problem.retry_after_seconds, problem.policy) == ("rate_limited", 1, ("messages", 60, 60))
    assert take_headers(quota, key=2)[1] == '"messages";r=59;t=2'
    clock.now += 60.0
    assert take_headers(quota)[1] == '"messages";r=59;t=2'


def test_a_batch_beyond_the_quota_delays_later_requests() -> None:
    clock = Clock()
    quota = Quota("messages", 60, clock=clock)
    quota.take(1)
    assert quota.charge(1, 99)[1] == (b"ratelimit", b'"messages";r=0;t=101')
    with pytest.raises(TooManyRequests) as refused:
        quota.take(1)
    assert refused.value.retry_after_seconds == 41
    clock.now += 41.0
    quota.take(1)


@pytest.mark.parametrize("per_second", [20, 100])
def test_a_client_within_its_pace_is_never_refused(per_second: int) -> None:
    clock = Clock()
    quota = Quota("messages", Settings().messages_per_minute, clock=clock)
    for _ in range(per_second * 300):
        quota.take(1)
        clock.now += 1 / per_second


def test_a_client_can_send_a_whole_minutes_quota_at_once() -> None:
    quota = Quota("messages", Settings().messages_per_minute, clock=Clock())
    for _ in range(Settings().messages_per_minute):
        quota.take(1)


def test_without_rate_limits_nothing_is_counted() -> None:
    quotas = Quotas(Settings(rate_limits=False, messages_per_minute=60))
    assert {quotas.messages.take(1) for _ in range(1000)} == {()}
    assert quotas.messages.charge(1, 1000) == ()
    assert len(quotas.messages) == 0


def test_concurrent_requests_of_one_key_are_limited() -> None:
    some = AtOnce(2)
    with some.one("a"), some.one("a"), some.one("b"):
        with pytest.raises(TooManyRequests) as refused, some.one("a"):
            raise AssertionError("let in")
        assert refused.value.code == "too_many_at_once"
    with some.one("a"), some.one("a"):
        pass
    assert some.counter is not None
    assert not len(some.counter)
