"""Attacks on roles and rights: invitations, promotions, disabled users and read marks."""

from __future__ import annotations

import asyncio

import pytest

from tests.attacks.refusals import comparable
from tests.journeys.client import PASSWORD, Client, colleague, owner
from tests.journeys.server import ServerProcess
from tests.journeys.stream import Refused, Stream


async def test_an_invitation_grants_its_own_role_in_its_own_workspace(server: ServerProcess) -> None:
    ours, theirs = await owner(server), await owner(server)
    invitation = await ours.post("/api/invitations", {"role": "guest"})
    person = {"email": "eve@example.org", "password": PASSWORD, "fullname": "Eve", "invitation": invitation["token"]}
    for more in (
        {"role": "owner"},
        {"workspace": theirs.session["workspace"]["slug"]},
        {"workspace_id": theirs.workspace_id},
    ):
        assert (await Client(server).ask("POST", "/api/signup", {**person, **more})).status in (403, 422)
    session = await Client(server).post("/api/signup", person)
    assert (session["workspace"]["id"], session["user"]["role"]) == (ours.workspace_id, "guest")
    assert (await Client(server).ask("POST", "/api/signup", {**person, "email": "eve2@example.org"})).status == 403
    admin = await colleague(ours, "admin")
    as_admin = await admin.post("/api/invitations", {"role": "admin"})
    await ours.call("PATCH", f"/api/users/{admin.id}", {"role": "member"})
    late = await Client(server).ask(
        "POST", "/api/signup", {**person, "email": "eve3@example.org", "invitation": as_admin["token"]}
    )
    assert (late.status, late.code) == (403, "invitation_revoked")
    assert len(await theirs.pages("/api/users")) == 1


async def test_only_owners_and_admins_can_invite(server: ServerProcess) -> None:
    ada = await owner(server)
    admin = await colleague(ada, "admin")
    invitation = await ada.post("/api/invitations", {"role": "member"})
    for role in ("member", "guest"):
        bob = await colleague(ada, role)
        for wanted in ("owner", "admin", "member", "guest"):
            assert (await bob.ask("POST", "/api/invitations", {"role": wanted})).status == 403
        assert (await bob.ask("GET", "/api/invitations")).status == 403
        gone = await bob.ask("DELETE", f"/api/invitations/{invitation['id'] + 1_000_000}")
        there = await bob.ask("DELETE", f"/api/invitations/{invitation['id']}")
        assert (there.status, comparable(there)) == (403, comparable(gone))
    assert (await admin.ask("POST", "/api/invitations", {"role": "owner"})).status == 403
    assert invitation["id"] in [each["id"] for each in await ada.pages("/api/invitations")]


async def test_nobody_can_turn_a_user_into_a_bot_and_no_response_contains_a_key(server: ServerProcess) -> None:
    ada = await owner(server)
    bob, carol = await colleague(ada), await colleague(ada)
    for body in ({"role": "admin"}, {"role": "owner"}, {"disabled": False}):
        assert (await bob.ask("PATCH", f"/api/users/{carol.id}", body)).status == 403
    for key, text in (
        ("kind", "bot"),
        ("owner_id", bob.id),
        ("api_key", "x"),
        ("password_hash", "x"),
        ("email", "x@example.org"),
    ):
        for path in (f"/api/users/{carol.id}", "/api/users/me"):
            assert (await ada.ask("PATCH", path, {key: text})).status == 422
    await ada.post("/api/invitations", {})
    for path in ("/api/users", "/api/users/me", "/api/sync", "/api/sessions", "/api/invitations", "/api/workspace"):
        body = (await ada.ask("GET", path)).body
        for word in (b"hash", b"argon2", b"password", b"salt", b"secret", b"api_key", b'"token"'):
            assert word not in body, f"{word!r} in {path}"


async def test_no_patch_grants_a_role_above_the_rights_of_its_author(server: ServerProcess) -> None:
    ada = await owner(server)
    admin, member, guest = [await colleague(ada, role) for role in ("admin", "member", "guest")]
    public = await ada.chat("public_channel", name=f"Channel {ada.id}")
    for who in (member, guest):
        for wanted in ("owner", "admin", "member"):
            assert (await who.ask("PATCH", f"/api/users/{who.id}", {"role": wanted})).status == 403
            assert (await who.ask("PATCH", "/api/users/me", {"role": wanted})).status == 422
    for other in (admin, ada):
        for body in ({"role": "guest"}, {"disabled": True}, {"role": "owner"}):
            assert (await admin.ask("PATCH", f"/api/users/{other.id}", body)).status == 403
    assert (await admin.ask("PATCH", f"/api/users/{member.id}", {"role": "owner", "disabled": False})).status == 403
    assert (await guest.ask("POST", f"/api/chat/{public['id']}/join")).status == 404
    assert [each["role"] for each in await ada.pages("/api/users")] == ["owner", "admin", "member", "guest"]


async def test_when_two_owners_demote_each_other_exactly_one_owner_remains(server: ServerProcess) -> None:
    ada = await owner(server)
    for change in ({"role": "member"}, {"disabled": True}, {"role": "guest"}, {"disabled": True}):
        other = await colleague(ada, "owner")
        answers = await asyncio.gather(
            ada.ask("PATCH", f"/api/users/{other.id}", change), other.ask("PATCH", f"/api/users/{ada.id}", change)
        )
        # The slower request fails, because its author is demoted or disabled by then.
        assert sorted(answer.status for answer in answers) in ([200, 401], [200, 403], [200, 404]), [
            a.body for a in answers
        ]
        ada = ada if answers[0].status == 200 else other
        owners = [user for user in await ada.pages("/api/users") if user["role"] == "owner" and not user["disabled"]]
        assert [user["id"] for user in owners] == [ada.id]
    assert (await ada.ask("PATCH", f"/api/users/{ada.id}", {"role": "admin"})).code == "last_owner"


@pytest.mark.usefixtures("transport")
async def test_a_disabled_admin_loses_streams_sessions_and_invitations(server: ServerProcess) -> None:
    ada = await owner(server)
    admin = await colleague(ada, "admin")
    chat = await ada.chat("private_channel", admin)
    invitation = await admin.post("/api/invitations", {"role": "admin"})
    stream = await admin.listen()
    await ada.call("PATCH", f"/api/users/{admin.id}", {"disabled": True})
    last = (await stream.rest())[-1]
    assert (last.name, last.data) == ("closing", {"reason": "revoked"})
    for answer in (
        await admin.ask("GET", "/api/sync"),
        await admin.ask("POST", f"/api/chat/{chat['id']}/messages", {"content": "still here"}),
        await Client(server).ask("POST", "/api/refresh", {"refresh_token": admin.session["refresh_token"]}),
    ):
        assert answer.status == 401
    with pytest.raises(Refused):
        await Stream.open(server.port, admin.token)
    person = {"email": "late@example.org", "password": PASSWORD, "fullname": "Late", "invitation": invitation["token"]}
    for path, body in (("signup", person), ("invitations/lookup", {"token": invitation["token"]})):
        answer = await Client(server).ask("POST", f"/api/{path}", body)
        assert (answer.status, answer.code) == (403, "invitation_revoked")
    assert invitation["id"] not in [each["id"] for each in await ada.pages("/api/invitations")]


@pytest.mark.usefixtures("transport")
async def test_read_marks_are_private_and_point_only_at_existing_messages(server: ServerProcess) -> None:
    ada = await owner(server)
    bob, carol = await colleague(ada), await colleague(ada)
    chat, other = await ada.chat("private_channel", bob), await ada.chat("private_channel", carol)
    for place in (chat, other):
        await ada.send(place["id"], "one")
    stream = await ada.listen()
    mark = f"/api/chat/{chat['id']}/read"
    for body in (
        {"number": 2},
        {"number": 2**53 - 1},
        {"number": -1},
        {"number": "1"},
        {"number": 1, "user_id": ada.id},
        {},
    ):
        assert (await bob.ask("PUT", mark, body)).status == 422, body
    assert (await bob.ask("PUT", f"/api/chat/{other['id']}/read", {"number": 1})).status == 404
    await bob.call("PUT", mark, {"number": 1})
    await bob.call("PUT", mark, {"number": 0})
    marks = {person.id: (await person.get(f"/api/chat/{chat['id']}"))["last_read_number"] for person in (ada, bob)}
    assert marks == {ada.id: 1, bob.id: 1}
    assert (await carol.get(f"/api/chat/{other['id']}"))["last_read_number"] == 0
    await stream.quiet(0.3)
