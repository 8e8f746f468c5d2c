"""Names of people and workspaces, e-mail domains and time zones, over HTTP."""

from __future__ import annotations

import zoneinfo
from typing import Any

import pytest

from fechatter.accounts.texts import known_timezones
from tests.accounts.conftest import PASSWORD, Api, refusal


async def test_an_internationalised_address_signs_in_in_every_spelling(api: Api) -> None:
    owner = await api.owner()
    ada = await api.colleague(owner, email="ada@bücher.example")
    assert ada["user"]["email"] == "ada@xn--bcher-kva.example"
    for email in (
        "ada@bücher.example",
        "ada@xn--bcher-kva.example",
        "ADA@XN--BCHER-KVA.EXAMPLE",
        "ada@bücher。example",
    ):
        body = {"email": email, "password": PASSWORD, "workspace": owner["workspace"]["slug"]}
        assert (await api.ask(None, "POST", "/api/signin", body)).json()["user"]["id"] == ada["user"]["id"], email
    token = (await api.invite(owner))["token"]
    assert refusal(await api.join(token, email="ada@xn--bcher-kva.example")) == (409, "email_taken")
    assert (await api.join(token, email="ada@bu\u0308cher.example")).json()["code"] == "email_taken"


async def test_an_invitation_for_an_address_accepts_every_spelling_of_it(api: Api) -> None:
    owner = await api.owner()
    invitation = await api.invite(owner, email="bob@例え.テスト")
    assert invitation["email"] == "bob@xn--r8jz45g.xn--zckzah"
    assert refusal(await api.join(invitation["token"], email="bob@例.テスト")) == (403, "invitation_refused")
    assert (await api.join(invitation["token"], email="bob@xn--r8jz45g.xn--zckzah")).status_code == 201
    refused = await api.ask(owner, "POST", "/api/invitations", {"email": "bob@xn--a.example"})
    assert refused.json()["errors"][0]["code"] == "invalid_email"


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"fullname": "\u3164"}, "blank"),
    ({"fullname": "\u2800\u115f"}, "blank"),
    ({"fullname": "a" + "\u0301" * 90}, "too_many_marks"),
    ({"handle": "\u3164"}, "invalid_handle"),
    ({"handle": "a\u034fb"}, "invalid_handle"),
    ({"handle": "a\u1160"}, "invalid_handle"),
    ({"handle": "a" + "\u0301" * 20}, "too_many_marks"),
    ({"timezone": "Mars/Olympus"}, "invalid_timezone"),
    ({"timezone": "localtime"}, "invalid_timezone"),
    ({"timezone": "Factory"}, "invalid_timezone"),
    ({"timezone": "europe/zurich"}, "invalid_timezone"),
    ({"timezone": ""}, "invalid_timezone"),
]


async def test_invisible_names_and_unknown_time_zones_are_refused(api: Api) -> None:
    owner = await api.owner()
    for body, code in REFUSED:
        answer = await api.ask(owner, "PATCH", "/api/users/me", body)
        assert [error["code"] for error in answer.json()["errors"]] == [code], body
    for name in ("\u3164", "\u2800", "\u200b"):
        assert (await api.ask(owner, "PATCH", "/api/workspace", {"name": name})).json()["errors"][0]["code"] == "blank"


@pytest.mark.parametrize(
    "zone", ["Europe/Zurich", "Asia/Calcutta", "Asia/Kolkata", "UTC", "Etc/GMT+5", "America/Argentina/Ushuaia", None]
)
async def test_time_zones_and_their_older_names_are_accepted(api: Api, zone: str | None) -> None:
    owner = await api.owner()
    assert (await api.ask(owner, "PATCH", "/api/users/me", {"timezone": zone})).json()["timezone"] == zone


@pytest.mark.empty_database
async def test_workspace_names_that_differ_in_a_symbol_get_different_slugs(api: Api) -> None:
    slugs = [
        (await api.owner(name))["workspace"]["slug"]
        for name in ("C++", "C#", "C", "c 2", "日本", "日本#", "x" * 64, "x" * 63 + "+")
    ]
    assert slugs[:6] == ["c", "c-2", "c-3", "c-2-2", "日本", "日本-2"]
    assert len(set(slugs)) == len(slugs)
    body = {"email": "eve@example.org", "password": PASSWORD, "fullname": "Eve", "workspace": "c++"}
    assert refusal(await api.ask(None, "POST", "/api/signup", body)) == (409, "workspace_taken")


async def test_searches_for_people_ignore_invisible_characters(api: Api) -> None:
    owner = await api.owner()
    ada = await api.colleague(owner, fullname="A\u200bda\u00a0 Love\u00adlace")
    found = (await api.ask(owner, "GET", "/api/users?q=ada love")).json()["items"]
    assert [user["id"] for user in found] == [ada["user"]["id"]]
    assert ada["user"]["handle"] == "ada.lovelace"


def test_time_zones_are_known_without_the_machines_own_database() -> None:
    zoneinfo.reset_tzpath(to=())
    try:
        assert {"Europe/Zurich", "Asia/Calcutta"} <= known_timezones.__wrapped__()
    finally:
        zoneinfo.reset_tzpath()
