"""Rate limits as requests meet them; `tests/auth/test_limits.py` has their rules, `tests/attacks/` tries to get around."""

from __future__ import annotations

import time

import msgspec
import pytest

from fechatter.auth import limits
from fechatter.auth.rates import Limit
from tests.accounts.conftest import PASSWORD, Api, Session, refusal

TOO_MANY = (429, "too_many_attempts")


@pytest.fixture
def limited(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """Clients come by a proxy that is trusted."""
    monkeypatch.setattr(limits, "SIGN_IN", Limit("signin", 2, 60.0))
    monkeypatch.setattr(limits, "SIGN_IN_ACCOUNT", Limit("signin-account", 3, 60.0))
    monkeypatch.setattr(limits, "SLOW_SECONDS", 0.5)
    api.use(msgspec.structs.replace(api.settings, rate_limits=True, trusted_proxies=("192.0.2.0/24",)))
    return api


async def sign_in(api: Api, who: Session, address: str, password: str = "wrong password") -> tuple[int, float]:
    """Status and seconds."""
    body = {"email": who["user"]["email"].upper(), "password": password, "workspace": who["workspace"]["slug"]}
    began = time.monotonic()
    answer = await api.ask(None, "POST", "/api/signin", body, x_forwarded_for=f"198.51.100.66, {address}")
    return answer.status_code, time.monotonic() - began


async def test_what_the_nearest_trusted_proxy_says_is_the_client(limited: Api) -> None:
    owner = await limited.owner()
    assert [(await sign_in(limited, owner, "203.0.113.1"))[0] for _ in range(3)] == [401, 401, 429]
    assert (await sign_in(limited, owner, "203.0.113.2"))[0] == 401


@pytest.mark.parametrize("how", ["signed in", "refreshed"])
async def test_who_was_there_before_is_neither_refused_nor_slowed_by_strangers(
    limited: Api, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    owner = await limited.owner()
    home = "203.0.113.1"
    if how == "signed in":
        await sign_in(limited, owner, home, "correct horse battery")
    else:
        await limited.ask(None, "POST", "/api/refresh", {"refresh_token": owner["refresh_token"]}, x_forwarded_for=home)
    for number in range(2, 5):
        assert (await sign_in(limited, owner, f"203.0.113.{number}"))[0] == 401
    status, seconds = await sign_in(limited, owner, "203.0.113.9", "correct horse battery")
    assert (status, seconds >= 0.5) == (200, True)
    monkeypatch.setattr(limits, "SLOW_SECONDS", 3600)
    assert (await sign_in(limited, owner, home, "correct horse battery"))[0] == 200


async def test_a_session_refreshes_no_more_often_than_anybody_needs(limited: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fechatter.accounts.sessions.SESSION", Limit("session-refresh", 3, 60.0))
    owner = await limited.owner()
    session_id = owner["refresh_token"].partition(".")[0]
    for _ in range(5):
        assert refusal(await limited.refresh(f"{session_id}.1.forged")) == (401, "unauthorized")
    token = owner["refresh_token"]
    for _ in range(3):
        token = (await limited.refresh(token)).json()["refresh_token"]
    assert refusal(await limited.refresh(token)) == TOO_MANY
    assert await limited.alive(owner)


async def test_new_workspaces_are_limited_even_when_all_is_well(limited: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fechatter.accounts.signup.NEW_WORKSPACE", Limit("new-workspace", 2, 180.0))
    owner = await limited.owner()
    await limited.owner()
    body = {"email": "x@example.org", "password": "correct horse battery", "fullname": "X", "workspace": "One too many"}
    assert refusal(await limited.ask(None, "POST", "/api/signup", body)) == TOO_MANY
    for _ in range(3):
        await limited.colleague(owner)


async def test_an_account_of_ones_own_is_no_oracle_for_anothers_password(limited: Api) -> None:
    victim = await limited.owner()
    mine = await limited.owner(email=victim["user"]["email"])
    statuses, current = [], PASSWORD
    for number in range(4):
        guess = f"guess number {number} of many"
        change = {"current_password": current, "new_password": guess}
        assert (await limited.ask(mine, "POST", "/api/password", change)).status_code == 204
        current = guess
        answer = await limited.ask(None, "POST", "/api/signin", {"email": victim["user"]["email"], "password": guess})
        statuses.append(answer.status_code)
    assert statuses == [200, 200, 429, 429]
