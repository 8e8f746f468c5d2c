"""Invitations attacked over the socket: used too often, raced, stretched to more rights or to another workspace."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from typing import Any

from tests.attacks.conftest import execute
from tests.journeys.client import PASSWORD, Client, colleague, owner
from tests.journeys.server import ServerProcess
from tests.journeys.wire import Answer

REFUSED = (403, "invitation_refused")
REVOKED, USED, EXPIRED = [(403, f"invitation_{why}") for why in ("revoked", "used", "expired")]
_names = itertools.count(1)


async def joining(server: ServerProcess, token: str, email: str | None = None, **more: Any) -> Answer:
    """Sign up with an invitation's token."""
    body = {"email": email or f"invited{next(_names)}@example.org", "password": PASSWORD, "fullname": "Somebody", "invitation": token}
    return await Client(server).ask("POST", "/api/signup", body | more)


async def opened(server: ServerProcess, token: str) -> int:
    """What a look-up of the token is answered."""
    return (await Client(server).ask("POST", "/api/invitations/lookup", {"token": token})).status


def told(answer: Answer) -> tuple[int, str | None]:
    return answer.status, None if answer.status == 201 else answer.code


async def test_three_uses_let_three_people_in_however_many_come_at_once(server: ServerProcess) -> None:
    ada = await owner(server)
    token = (await ada.post("/api/invitations", {"max_uses": 3}))["token"]
    answers = await asyncio.gather(*(joining(server, token) for _ in range(7)))
    assert Counter(map(told, answers)) == {(201, None): 3, USED: 4}
    assert len(await ada.pages("/api/users")) == 1 + 3
    [kept] = await ada.pages("/api/invitations")
    assert (kept["uses"], kept["max_uses"]) == (3, 3)
    assert (await opened(server, token), told(await joining(server, token))) == (403, USED)


async def test_an_invitation_bound_to_an_address_makes_one_account_however_often_it_is_sent(server: ServerProcess) -> None:
    ada = await owner(server)
    token = (await ada.post("/api/invitations", {"email": "bob@example.org"}))["token"]
    strangers = ["eve@example.org", "bob@example.org.evil.example", "bob+1@example.org", "ｂob@example.com"]
    assert {told(await joining(server, token, email)) for email in strangers} <= {REFUSED, (422, "invalid")}
    answers = await asyncio.gather(*(joining(server, token, email) for email in ("bob@example.org", "BOB@example.org") * 2))
    assert Counter(map(told, answers)) == {(201, None): 1, USED: 3}
    assert len(await ada.pages("/api/users")) == 2


async def test_a_revoked_invitation_lets_nobody_in_who_came_after(server: ServerProcess) -> None:
    ada = await owner(server)
    invitation = await ada.post("/api/invitations", {"max_uses": 100})
    revoked, *answers = await asyncio.gather(
        ada.ask("DELETE", f"/api/invitations/{invitation['id']}"), *(joining(server, invitation["token"]) for _ in range(4))
    )
    assert revoked.status == 204
    assert set(map(told, answers)) <= {(201, None), REVOKED}
    assert len(await ada.pages("/api/users")) == 1 + sum(answer.status == 201 for answer in answers)
    assert (await opened(server, invitation["token"]), told(await joining(server, invitation["token"]))) == (403, REVOKED)


async def test_an_expired_invitation_opens_nothing(server: ServerProcess) -> None:
    ada = await owner(server)
    invitation = await ada.post("/api/invitations", {})
    await execute(server, f"UPDATE invitations SET expires_at = 1 WHERE id = {invitation['id']}")
    assert (await opened(server, invitation["token"]), told(await joining(server, invitation["token"]))) == (403, EXPIRED)


async def test_whoever_loses_the_right_to_invite_has_invited_nobody_any_more(server: ServerProcess) -> None:
    for change, event in (({"role": "member"}, "user.updated"), ({"disabled": True}, "user.disabled")):
        ada = await owner(server)
        bob = await colleague(ada, "admin")
        tokens = {role: (await bob.post("/api/invitations", {"role": role, "max_uses": 50}))["token"] for role in ("guest", "admin")}
        cursor = await ada.cursor()
        changed, *answers = await asyncio.gather(
            ada.ask("PATCH", f"/api/users/{bob.id}", change), *(joining(server, token) for token in tokens.values() for _ in range(2))
        )
        assert changed.status == 200
        events = [each["type"] for each in await ada.events(cursor)]
        assert events.count("user.joined") == sum(answer.status == 201 for answer in answers)
        assert "user.joined" not in events[events.index(event) :]
        for token in tokens.values():
            assert (await opened(server, token), told(await joining(server, token))) == (403, REVOKED)


async def test_a_demoted_owners_invitations_give_no_more_than_they_may_give_now(server: ServerProcess) -> None:
    ada = await owner(server)
    bob = await colleague(ada, "owner")
    tokens = {role: (await bob.post("/api/invitations", {"role": role, "max_uses": 2}))["token"] for role in ("owner", "admin", "member")}
    await ada.call("PATCH", f"/api/users/{bob.id}", {"role": "admin"})
    answers = {role: await joining(server, token) for role, token in tokens.items()}
    assert {role: told(answer) for role, answer in answers.items()} == {"owner": REVOKED, "admin": (201, None), "member": (201, None)}
    assert answers["admin"].json["user"]["role"] == "admin"
    await ada.call("PATCH", f"/api/users/{bob.id}", {"role": "member"})
    assert {told(await joining(server, token)) for token in tokens.values()} == {REVOKED}


async def test_the_disabled_stay_without_invitations_when_they_are_enabled_again(server: ServerProcess) -> None:
    ada = await owner(server)
    bob = await colleague(ada, "admin")
    token = (await bob.post("/api/invitations", {}))["token"]
    for disabled in (True, False):
        await ada.call("PATCH", f"/api/users/{bob.id}", {"disabled": disabled})
    assert told(await joining(server, token)) == REVOKED


async def test_a_link_of_one_workspace_opens_no_other(server: ServerProcess) -> None:
    ours, theirs = await owner(server), await owner(server)
    invitation = await theirs.post("/api/invitations", {"role": "guest"})
    named = await joining(server, invitation["token"], workspace=ours.session["workspace"]["name"])
    assert told(named) == (422, "invalid")
    assert (await ours.ask("DELETE", f"/api/invitations/{invitation['id']}")).status == 404
    assert told(await joining(server, invitation["token"], role="owner")) == (422, "invalid")
    joined = await joining(server, invitation["token"])
    assert (joined.json["workspace"]["id"], joined.json["user"]["role"]) == (theirs.workspace_id, "guest")
    assert [user["id"] for user in await ours.pages("/api/users")] == [ours.id]


async def test_what_is_not_a_token_is_refused_in_the_same_words(server: ServerProcess) -> None:
    ada = await owner(server)
    invitation = await ada.post("/api/invitations", {})
    token = invitation["token"]
    guesses = ["", token[:-1], f"{token} ", token.swapcase(), str(invitation["id"]), "x" * 5000, "\u0000", "' OR 1=1 --"]
    answers = [await joining(server, guess) for guess in guesses]
    assert {told(answer) for answer in answers} == {REFUSED}
    assert len({answer.json["detail"] for answer in answers}) == 1
    for wrong in ({"$ne": ""}, [token], 1, None):
        body = {"token": wrong}
        assert (await Client(server).ask("POST", "/api/invitations/lookup", body)).status == 422
    assert told(await joining(server, token)) == (201, None)


async def test_members_and_guests_neither_make_nor_see_nor_revoke_invitations(server: ServerProcess) -> None:
    ada = await owner(server)
    invitation = await ada.post("/api/invitations", {})
    for role in ("member", "guest"):
        person = await colleague(ada, role)
        for method, path, body in (
            ("POST", "/api/invitations", {"role": "guest"}),
            ("GET", "/api/invitations", None),
            ("DELETE", f"/api/invitations/{invitation['id']}", None),
            ("DELETE", f"/api/invitations/{invitation['id'] + 10**6}", None),
        ):
            answer = await person.ask(method, path, body)
            assert (answer.status, answer.code) == (403, "forbidden"), f"{role} {method}"
    admin = await colleague(ada, "admin")
    assert (await admin.ask("POST", "/api/invitations", {"role": "owner"})).status == 403
    assert told(await joining(server, invitation["token"])) == (201, None)
