"""Sign-ins and changes of the password over HTTP."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from fechatter.auth.passwords import HASHER
from tests.accounts.conftest import PASSWORD, Api, refusal

WRONG = (401, "wrong_credentials")


async def test_each_sign_in_opens_a_new_session(api: Api) -> None:
    owner = await api.owner()
    answer = await api.sign_in(owner)
    session = answer.json()
    assert answer.status_code == 200
    assert session["user"] == owner["user"]
    assert session["refresh_token"] != owner["refresh_token"]
    assert answer.headers["cache-control"] == "no-store"
    assert await api.is_signed_in(session)
    assert await api.is_signed_in(owner)


async def test_a_disabled_account_is_reported_only_after_the_right_password(api: Api) -> None:
    owner = await api.owner()
    gone = await api.colleague(owner)
    await api.ask(owner, "PATCH", f"/api/users/{gone['user']['id']}", {"disabled": True})
    body = {"email": gone["user"]["email"], "password": PASSWORD}
    assert (
        refusal(await api.sign_in(gone))
        == refusal(await api.ask(None, "POST", "/api/signin", body))
        == (403, "account_disabled")
    )
    assert refusal(await api.sign_in(gone, "wrong password")) == WRONG
    # An enabled account with the same address in another workspace still opens.
    other = await api.colleague(await api.owner(), email=gone["user"]["email"])
    assert (await api.ask(None, "POST", "/api/signin", body)).json()["workspace"] == other["workspace"]
    await api.ask(owner, "PATCH", f"/api/users/{gone['user']['id']}", {"disabled": False})
    assert (await api.sign_in(gone)).status_code == 200


async def test_all_failed_sign_ins_get_the_same_response(api: Api) -> None:
    owner = await api.owner()
    gone = await api.colleague(owner)
    await api.ask(owner, "PATCH", f"/api/users/{gone['user']['id']}", {"disabled": True})
    answers = [
        await api.sign_in(owner, "wrong password"),
        await api.sign_in(gone, "wrong password"),
        await api.ask(None, "POST", "/api/signin", {"email": "nobody@example.org", "password": PASSWORD}),
        await api.ask(None, "POST", "/api/signin", {"email": "not an address\u0000", "password": PASSWORD}),
        await api.ask(
            None,
            "POST",
            "/api/signin",
            {"email": owner["user"]["email"], "password": PASSWORD, "workspace": "no\u0000"},
        ),
        await api.ask(None, "POST", "/api/signin", {"email": owner["user"]["email"], "password": "x" * 60_000}),
    ]
    assert [refusal(answer) for answer in answers] == [WRONG] * len(answers)
    assert len({answer.json()["detail"] for answer in answers}) == 1


async def test_unknown_and_known_addresses_cost_the_same_cpu_time(api: Api) -> None:
    owner = await api.owner()

    async def seconds(email: str) -> float:
        # CPU time of all threads, which does not depend on other processes.
        started = time.process_time()
        await api.ask(None, "POST", "/api/signin", {"email": email, "password": "wrong password"})
        return time.process_time() - started

    pairs = [(await seconds(owner["user"]["email"]), await seconds("nobody@example.org")) for _ in range(8)]
    known, unknown = (min(column) for column in zip(*pairs, strict=True))
    assert 0.6 < unknown / known < 1.7


@pytest.mark.empty_database
async def test_a_workspace_is_required_only_if_the_password_fits_several_accounts(api: Api) -> None:
    one, other = await api.owner("First"), await api.owner("Second")
    await api.colleague(one, email="bob@example.org")
    await api.colleague(other, email="bob@example.org")
    await api.colleague(await api.owner("Third"), email="bob@example.org", password="something else")
    body: dict[str, Any] = {"email": "Bob@example.org", "password": PASSWORD}
    answer = await api.ask(None, "POST", "/api/signin", body)
    assert refusal(answer) == (409, "workspace_required")
    assert answer.json()["workspaces"] == [{"slug": "first", "name": "First"}, {"slug": "second", "name": "Second"}]
    assert refusal(await api.ask(None, "POST", "/api/signin", {**body, "password": "wrong password"})) == WRONG
    chosen = await api.ask(None, "POST", "/api/signin", {**body, "workspace": "second"})
    assert chosen.json()["workspace"]["name"] == "Second"
    alone = await api.ask(None, "POST", "/api/signin", {**body, "password": "something else"})
    assert alone.json()["workspace"]["name"] == "Third"


async def test_a_new_password_ends_the_other_sessions(api: Api) -> None:
    owner = await api.owner()
    other = (await api.sign_in(owner)).json()
    api.events()
    body = {"current_password": PASSWORD, "new_password": "a better password"}
    assert refusal(await api.ask(owner, "POST", "/api/password", {**body, "current_password": "wrong"})) == (
        403,
        "wrong_password",
    )
    assert refusal(await api.ask(owner, "POST", "/api/password", {**body, "new_password": "short"})) == (422, "invalid")
    assert (await api.ask(owner, "POST", "/api/password", body)).status_code == 204
    assert [event["type"] for event in api.events()] == ["session.revoked"]
    assert await api.is_signed_in(owner)
    assert not await api.is_signed_in(other)
    assert refusal(await api.refresh(other["refresh_token"]))[0] == 401
    assert refusal(await api.sign_in(owner)) == WRONG
    assert (await api.sign_in(owner, "a better password")).status_code == 200


@pytest.mark.parametrize("hasher", [HASHER], ids=["full"])
async def test_many_concurrent_sign_ins_succeed_and_do_not_delay_other_requests(api: Api) -> None:
    owner = await api.owner()
    signing_in = [asyncio.ensure_future(api.sign_in(owner)) for _ in range(40)]
    await asyncio.sleep(0)
    assert await api.is_signed_in(owner)
    assert sum(one.done() for one in signing_in) < 20
    answers = await asyncio.gather(*signing_in)
    assert {answer.status_code for answer in answers} == {200}
