"""Sign-ups over HTTP: with the set-up token, by invitation and with invalid values."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from tests.accounts.conftest import PASSWORD, Api, refusal

pytestmark = pytest.mark.empty_database

ADA: dict[str, Any] = {
    "email": "Ada@example.org",
    "password": PASSWORD,
    "fullname": "Ada Lovelace",
    "workspace": "Acme Łódź!",
}


async def test_the_set_up_token_creates_the_first_owner_once(api: Api) -> None:
    api.use(msgspec.structs.replace(api.settings, signup="invitation"))
    token = api.secrets.setup_token
    assert refusal(await api.ask(None, "POST", "/api/signup", ADA)) == (403, "signup_closed")
    assert refusal(await api.ask(None, "POST", "/api/signup", {**ADA, "setup_token": token[:-1]})) == (
        403,
        "setup_token_refused",
    )
    session = api.created(await api.ask(None, "POST", "/api/signup", {**ADA, "setup_token": token}))
    assert list(session) == ["access_token", "token_type", "expires_in", "refresh_token", "user", "workspace"]
    assert (session["token_type"], session["expires_in"]) == ("Bearer", 900)
    assert (session["user"]["role"], session["user"]["email"], session["user"]["handle"]) == (
        "owner",
        "Ada@example.org",
        "ada.lovelace",
    )
    assert (session["workspace"]["name"], session["workspace"]["slug"]) == ("Acme Łódź!", "acme-łódź")
    again = {**ADA, "workspace": "Other", "setup_token": token}
    assert refusal(await api.ask(None, "POST", "/api/signup", again)) == (403, "setup_token_refused")


async def test_concurrent_requests_use_the_set_up_token_only_once(api: Api) -> None:
    bodies = [{**ADA, "workspace": f"W{n}", "setup_token": api.secrets.setup_token} for n in range(4)]
    answers = await asyncio.gather(*(api.ask(None, "POST", "/api/signup", body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201, 403, 403, 403]


async def test_a_workspace_name_can_be_taken_once(api: Api) -> None:
    answers = await asyncio.gather(
        *(api.ask(None, "POST", "/api/signup", {**ADA, "email": f"{n}@example.org"}) for n in range(3))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert refusal(await api.ask(None, "POST", "/api/signup", {**ADA, "workspace": "ACME łódź"})) == (
        409,
        "workspace_taken",
    )


async def test_joining_by_invitation_is_published_to_the_workspace(api: Api) -> None:
    owner = await api.owner()
    api.events()
    session = await api.colleague(owner, "guest", fullname="Bob")
    [event] = api.events()
    assert (event["type"], event["chat_id"]) == ("user.joined", None)
    private = {"email", "timezone", "language", "shows_presence", "sends_receipts"}
    assert event["data"]["user"] == {key: value for key, value in session["user"].items() if key not in private}
    assert session["workspace"] == owner["workspace"]
    assert session["user"]["role"] == "guest"


async def test_an_address_has_one_account_per_workspace(api: Api) -> None:
    one, other = await api.owner(), await api.owner()
    await api.colleague(one, email="bob@example.org")
    for email in ("bob@example.org", "BOB@EXAMPLE.ORG"):
        invitation = await api.invite(one)
        assert refusal(await api.join(invitation["token"], email=email)) == (409, "email_taken")
        uses = (await api.ask(one, "GET", "/api/invitations")).json()["items"][-1]["uses"]
        assert uses == 0
    await api.colleague(other, email="bob@example.org")


async def test_handles_are_unique(api: Api) -> None:
    owner = await api.owner(fullname="Sam")
    handles = [
        (await api.colleague(owner, fullname=name))["user"]["handle"]
        for name in ["sam", "SAM", "Sam!", "...", "名前", "हिन्दी"]
    ]
    assert handles[:3] == ["sam2", "sam3", "sam4"]
    assert handles[3].startswith("person")
    assert handles[4:] == ["名前", "हिन्दी"]
    many = [(await api.colleague(owner, fullname="sam"))["user"]["handle"] for _ in range(7)]
    assert len(set(many)) == 7


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"email": "nobody"}, "/email", "invalid_email"),
    ({"email": "a@b\u0000c"}, "/email", "invalid_email"),
    ({"email": "a b@c.d"}, "/email", "invalid_email"),
    ({"email": "a\u200b@c.d"}, "/email", "invalid_email"),
    ({"email": "a" * 300 + "@c.d"}, "/email", "too_long"),
    ({"email": "a@" + "\ufdfa" * 200}, "/email", "too_long"),
    ({"email": ["a@b.c"]}, "/email", "invalid_type"),
    ({"password": "short"}, "/password", "too_short"),
    ({"password": "x" * 257}, "/password", "too_long"),
    ({"password": {"$ne": ""}}, "/password", "invalid_type"),
    ({"fullname": " \u00a0\u200b"}, "/fullname", "blank"),
    ({"fullname": ""}, "/fullname", "blank"),
    ({"fullname": "a\nb"}, "/fullname", "control_character"),
    ({"fullname": "a\u0000"}, "/fullname", "control_character"),
    ({"fullname": "Eve \u202enimda"}, "/fullname", "control_character"),
    ({"fullname": "x" * 101}, "/fullname", "too_long"),
    ({"workspace": "!!"}, "/workspace", "invalid_name"),
    ({"workspace": "x" * 65}, "/workspace", "too_long"),
    ({"workspace": None}, "/workspace", "missing"),
    ({"workspaec": "Acme"}, "/workspaec", "unknown_field"),
    ({"invitation": "x"}, "/invitation", "not_together"),
]


async def test_invalid_values_are_refused_with_their_pointer(api: Api) -> None:
    for change, pointer, code in REFUSED:
        answer = await api.ask(None, "POST", "/api/signup", {**ADA, **change})
        assert refusal(answer) == (422, "invalid")
        assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [(pointer, code)]


async def test_texts_of_any_script_and_length_are_stored_as_typed(api: Api) -> None:
    name = "\ufdfa" * 64
    session = await api.owner(name, fullname="Ⅷ İstanbul 🦀", email="Ünï@exämple.org")
    assert session["workspace"]["name"] == name
    shown = (await api.ask(session, "GET", "/api/users/me")).json()
    assert (shown["fullname"], shown["email"]) == ("Ⅷ İstanbul 🦀", "Ünï@xn--exmple-cua.org")
