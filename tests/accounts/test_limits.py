"""Rate limits over HTTP. `tests/auth/test_limits.py` tests their rules, `tests/attacks/` tries to evade them."""

from __future__ import annotations

import time

import msgspec
import pytest

from fechatter.auth import limits
from fechatter.auth.rates import Limit
from tests.accounts.conftest import PASSWORD, Api, Session, refusal

TOO_MANY = (429, "too_many_attempts")


@pytest.fixture
def limited_api(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """An API with low limits behind a trusted proxy."""
    monkeypatch.setattr(limits, "SIGN_IN", Limit("signin", 2, 60.0))
    monkeypatch.setattr(limits, "SIGN_IN_ACCOUNT", Limit("signin-account", 3, 60.0))
    monkeypatch.setattr(limits, "SLOW_SECONDS", 0.5)
    api.use(msgspec.structs.replace(api.settings, rate_limits=True, trusted_proxies=("192.0.2.0/24",)))
    return api


async def sign_in(api: Api, who: Session, address: str, password: str = "wrong password") -> tuple[int, float]:
    """Sign in and return the status and the elapsed seconds."""
    body = {"email": who["user"]["email"].upper(), "password": password, "workspace": who["workspace"]["slug"]}
    began = time.monotonic()
    answer = await api.ask(None, "POST", "/api/signin", body, x_forwarded_for=f"198.51.100.66, {address}")
    return answer.status_code, time.monotonic() - began


async def test_the_client_address_comes_from_the_nearest_trusted_proxy(limited_api: Api) -> None:
    owner = await limited_api.owner()
    assert [(await sign_in(limited_api, owner, "203.0.113.1"))[0] for _ in range(3)] == [401, 401, 429]
    assert (await sign_in(limited_api, owner, "203.0.113.2"))[0] == 401


@pytest.mark.parametrize("how", ["signed in", "refreshed"])
async def test_a_person_at_a_known_address_is_neither_refused_nor_slowed_by_strangers(
    limited_api: Api, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    owner = await limited_api.owner()
    home = "203.0.113.1"
    if how == "signed in":
        await sign_in(limited_api, owner, home, "correct horse battery")
    else:
        await limited_api.ask(
            None, "POST", "/api/refresh", {"refresh_token": owner["refresh_token"]}, x_forwarded_for=home
        )
    for number in range(2, 5):
        assert (await sign_in(limited_api, owner, f"203.0.113.{number}"))[0] == 401
    status, seconds = await sign_in(limited_api, owner, "203.0.113.9", "correct horse battery")
    assert (status, seconds >= 0.5) == (200, True)
    monkeypatch.setattr(limits, "SLOW_SECONDS", 3600)
    assert (await sign_in(limited_api, owner, home, "correct horse battery"))[0] == 200


async def test_refreshes_of_one_session_are_limited(limited_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fechatter.accounts.sessions.SESSION", Limit("session-refresh", 3, 60.0))
    owner = await limited_api.owner()
    session_id = owner["refresh_token"].partition(".")[0]
    for _ in range(5):
        assert refusal(await limited_api.refresh(f"{session_id}.1.forged")) == (401, "unauthorized")
    token = owner["refresh_token"]
    for _ in range(3):
        token = (await limited_api.refresh(token)).json()["refresh_token"]
    assert refusal(await limited_api.refresh(token)) == TOO_MANY
    assert await limited_api.is_signed_in(owner)


async def test_new_workspaces_are_limited_even_without_failures(
    limited_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fechatter.accounts.signup.NEW_WORKSPACE", Limit("new-workspace", 2, 180.0))
    owner = await limited_api.owner()
    await limited_api.owner()
    body = {"email": "x@example.org", "password": "correct horse battery", "fullname": "X", "workspace": "One too many"}
    assert refusal(await limited_api.ask(None, "POST", "/api/signup", body)) == TOO_MANY
    for _ in range(3):
        await limited_api.colleague(owner)


async def test_an_attackers_own_account_does_not_reveal_whether_a_guess_fits_another_account(limited_api: Api) -> None:
    victim = await limited_api.owner()
    mine = await limited_api.owner(email=victim["user"]["email"])
    statuses, current = [], PASSWORD
    for number in range(4):
        guess = f"guess number {number} of many"
        change = {"current_password": current, "new_password": guess}
        assert (await limited_api.ask(mine, "POST", "/api/password", change)).status_code == 204
        current = guess
        answer = await limited_api.ask(
            None, "POST", "/api/signin", {"email": victim["user"]["email"], "password": guess}
        )
        statuses.append(answer.status_code)
    assert statuses == [200, 200, 429, 429]
