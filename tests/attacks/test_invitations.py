"""Attacks on invitations: too many uses, races, attempts to gain more rights or to reach another workspace."""

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


async def join(server: ServerProcess, token: str, email: str | None = None, **more: Any) -> Answer:
    """Sign up with an invitation's token."""
    body = {
        "email": email or f"invited{next(_names)}@example.org",
        "password": PASSWORD,
        "fullname": "Somebody",
        "invitation": token,
    }
    return await Client(server).ask("POST", "/api/signup", body | more)


async def look_up(server: ServerProcess, token: str) -> int:
    """Look up the token and return the status."""
    return (await Client(server).ask("POST", "/api/invitations/lookup", {"token": token})).status


def outcome(answer: Answer) -> tuple[int, str | None]:
    return answer.status, None if answer.status == 201 else answer.code


async def test_an_invitation_with_three_uses_admits_exactly_three_of_seven_concurrent_sign_ups(
    server: ServerProcess,
) -> None:
    ada = await owner(server)
    token = (await ada.post("/api/invitations", {"max_uses": 3}))["token"]
    answers = await asyncio.gather(*(join(server, token) for _ in range(7)))
    assert Counter(map(outcome, answers)) == {(201, None): 3, USED: 4}
    assert len(await ada.pages("/api/users")) == 1 + 3
    [kept] = await ada.pages("/api/invitations")
    assert (kept["uses"], kept["max_uses"]) == (3, 3)
    assert (await look_up(server, token), outcome(await join(server, token))) == (403, USED)


async def test_an_invitation_bound_to_an_address_creates_one_account_for_that_address_only(
    server: ServerProcess,
) -> None:
    ada = await owner(server)
    token = (await ada.post("/api/invitations", {"email": "bob@example.org"}))["token"]
    strangers = ["eve@example.org", "bob@example.org.evil.example", "bob+1@example.org", "ｂob@example.com"]
    assert {outcome(await join(server, token, email)) for email in strangers} <= {REFUSED, (422, "invalid")}
    answers = await asyncio.gather(
        *(join(server, token, email) for email in ("bob@example.org", "BOB@example.org") * 2)
    )
    assert Counter(map(outcome, answers)) == {(201, None): 1, USED: 3}
    assert len(await ada.pages("/api/users")) == 2


async def test_a_revoked_invitation_admits_nobody_afterwards(server: ServerProcess) -> None:
    ada = await owner(server)
    invitation = await ada.post("/api/invitations", {"max_uses": 100})
    revoked, *answers = await asyncio.gather(
        ada.ask("DELETE", f"/api/invitations/{invitation['id']}"),
        *(join(server, invitation["token"]) for _ in range(4)),
    )
    assert revoked.status == 204
    assert set(map(outcome, answers)) <= {(201, None), REVOKED}
    assert len(await ada.pages("/api/users")) == 1 + sum(answer.status == 201 for answer in answers)
    assert (await look_up(server, invitation["token"]), outcome(await join(server, invitation["token"]))) == (
        403,
        REVOKED,
    )


async def test_an_expired_invitation_is_refused(server: ServerProcess) -> None:
    ada = await owner(server)
    invitation = await ada.post("/api/invitations", {})
    await execute(server, f"UPDATE invitations SET expires_at = 1 WHERE id = {invitation['id']}")
    assert (await look_up(server, invitation["token"]), outcome(await join(server, invitation["token"]))) == (
        403,
        EXPIRED,
    )


async def test_invitations_are_revoked_when_their_author_loses_the_right_to_invite(server: ServerProcess) -> None:
    for change, event in (({"role": "member"}, "user.updated"), ({"disabled": True}, "user.disabled")):
        ada = await owner(server)
        bob = await colleague(ada, "admin")
        tokens = {
            role: (await bob.post("/api/invitations", {"role": role, "max_uses": 50}))["token"]
            for role in ("guest", "admin")
        }
        cursor = await ada.cursor()
        changed, *answers = await asyncio.gather(
            ada.ask("PATCH", f"/api/users/{bob.id}", change),
            *(join(server, token) for token in tokens.values() for _ in range(2)),
        )
        assert changed.status == 200
        events = [each["type"] for each in await ada.events(cursor)]
        assert events.count("user.joined") == sum(answer.status == 201 for answer in answers)
        assert "user.joined" not in events[events.index(event) :]
        for token in tokens.values():
            assert (await look_up(server, token), outcome(await join(server, token))) == (403, REVOKED)


async def test_invitations_of_a_demoted_owner_grant_only_roles_that_the_author_may_still_grant(
    server: ServerProcess,
) -> None:
    ada = await owner(server)
    bob = await colleague(ada, "owner")
    tokens = {
        role: (await bob.post("/api/invitations", {"role": role, "max_uses": 2}))["token"]
        for role in ("owner", "admin", "member")
    }
    await ada.call("PATCH", f"/api/users/{bob.id}", {"role": "admin"})
    answers = {role: await join(server, token) for role, token in tokens.items()}
    assert {role: outcome(answer) for role, answer in answers.items()} == {
        "owner": REVOKED,
        "admin": (201, None),
        "member": (201, None),
    }
    assert answers["admin"].json["user"]["role"] == "admin"
    await ada.call("PATCH", f"/api/users/{bob.id}", {"role": "member"})
    assert {outcome(await join(server, token)) for token in tokens.values()} == {REVOKED}


async def test_enabling_a_disabled_user_again_does_not_restore_their_invitations(server: ServerProcess) -> None:
    ada = await owner(server)
    bob = await colleague(ada, "admin")
    token = (await bob.post("/api/invitations", {}))["token"]
    for disabled in (True, False):
        await ada.call("PATCH", f"/api/users/{bob.id}", {"disabled": disabled})
    assert outcome(await join(server, token)) == REVOKED


async def test_an_invitation_opens_only_its_own_workspace(server: ServerProcess) -> None:
    ours, theirs = await owner(server), await owner(server)
    invitation = await theirs.post("/api/invitations", {"role": "guest"})
    named = await join(server, invitation["token"], workspace=ours.session["workspace"]["name"])
    assert outcome(named) == (422, "invalid")
    assert (await ours.ask("DELETE", f"/api/invitations/{invitation['id']}")).status == 404
    assert outcome(await join(server, invitation["token"], role="owner")) == (422, "invalid")
    joined = await join(server, invitation["token"])
    assert (joined.json["workspace"]["id"], joined.json["user"]["role"]) == (theirs.workspace_id, "guest")
    assert [user["id"] for user in await ours.pages("/api/users")] == [ours.id]


async def test_malformed_tokens_are_all_refused_with_the_same_detail(server: ServerProcess) -> None:
    ada = await owner(server)
    invitation = await ada.post("/api/invitations", {})
    token = invitation["token"]
    guesses = [
        "",
        token[:-1],
        f"{token} ",
        token.swapcase(),
        str(invitation["id"]),
        "x" * 5000,
        "\u0000",
        "' OR 1=1 --",
    ]
    answers = [await join(server, guess) for guess in guesses]
    assert {outcome(answer) for answer in answers} == {REFUSED}
    assert len({answer.json["detail"] for answer in answers}) == 1
    for wrong in ({"$ne": ""}, [token], 1, None):
        body = {"token": wrong}
        assert (await Client(server).ask("POST", "/api/invitations/lookup", body)).status == 422
    assert outcome(await join(server, token)) == (201, None)


async def test_members_and_guests_cannot_create_list_or_revoke_invitations(server: ServerProcess) -> None:
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
    assert outcome(await join(server, invitation["token"])) == (201, None)
