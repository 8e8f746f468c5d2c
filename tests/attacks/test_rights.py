"""Rights and tenants, attacked over the real socket. Each test bears its number in the list of attacks."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from tests.attacks.refusals import check_hidden, heard, nowhere, numbers, polled, told
from tests.journeys.client import PASSWORD, Client, colleague, owner
from tests.journeys.foreign import ATTEMPTS, Place
from tests.journeys.server import ServerProcess
from tests.journeys.stream import Refused, Stream

SECRET = "Popocatepetl"
"""What must not reach whom it is kept from."""


async def test_15_an_invitation_opens_its_own_workspace_with_its_own_role(server: ServerProcess) -> None:
    ours, theirs = await owner(server), await owner(server)
    invitation = await ours.post("/api/invitations", {"role": "guest"})
    person = {"email": "eve@example.org", "password": PASSWORD, "fullname": "Eve", "invitation": invitation["token"]}
    for more in ({"role": "owner"}, {"workspace": theirs.session["workspace"]["slug"]}, {"workspace_id": theirs.workspace_id}):
        assert (await Client(server).ask("POST", "/api/signup", {**person, **more})).status in (403, 422)
    session = await Client(server).post("/api/signup", person)
    assert (session["workspace"]["id"], session["user"]["role"]) == (ours.workspace_id, "guest")
    assert (await Client(server).ask("POST", "/api/signup", {**person, "email": "eve2@example.org"})).status == 403
    admin = await colleague(ours, "admin")
    as_admin = await admin.post("/api/invitations", {"role": "admin"})
    await ours.call("PATCH", f"/api/users/{admin.id}", {"role": "member"})
    late = await Client(server).ask("POST", "/api/signup", {**person, "email": "eve3@example.org", "invitation": as_admin["token"]})
    assert (late.status, late.code) == (403, "invitation_revoked")
    assert len(await theirs.pages("/api/users")) == 1


async def test_16_nobody_invites_without_the_right(server: ServerProcess) -> None:
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
        assert (there.status, told(there)) == (403, told(gone))
    assert (await admin.ask("POST", "/api/invitations", {"role": "owner"})).status == 403
    assert invitation["id"] in [each["id"] for each in await ada.pages("/api/invitations")]


async def test_17_a_private_chat_is_not_found_by_name_or_by_how_it_is_refused(server: ServerProcess) -> None:
    ada = await owner(server)
    bob, guest = await colleague(ada), await colleague(ada, "guest")
    private = await ada.chat("private_channel", name=SECRET, description=SECRET)
    message = await ada.send(private["id"], SECRET)
    await ada.chat("public_channel", name=f"{SECRET} for all", description="")
    for person in (bob, guest):
        await check_hidden(person, private["id"], message["id"])
        for path in (f"/api/channels?q={SECRET}", "/api/chat", "/api/sync", f"/api/users?q={SECRET}"):
            assert private["id"] not in numbers((await person.ask("GET", path)).json)
    made = await bob.ask("POST", "/api/chat", {"chat_type": "public_channel", "name": SECRET})
    assert made.status == 201, "a taken private name must not show"
    assert (await bob.ask("POST", "/api/chat", {"chat_type": "private_channel", "name": SECRET})).status == 201
    keyed = {"chat_type": "private_channel", "name": SECRET, "idempotency_key": "k"}
    mine = await ada.post("/api/chat", keyed)
    assert (await bob.post("/api/chat", keyed))["id"] != mine["id"]


async def test_18_an_archived_chat_is_members_only_and_a_deleted_one_nobodys(server: ServerProcess) -> None:
    ada = await owner(server)
    bob, carol, guest = await colleague(ada), await colleague(ada), await colleague(ada, "guest")
    for kind in ("public_channel", "private_channel"):
        chat = await ada.chat(kind)
        path, cursor = f"/api/chat/{chat['id']}", await ada.cursor()
        await ada.post(f"{path}/members", {"members": [bob.id]})
        message = await ada.send(chat["id"], SECRET)
        await ada.call("PATCH", path, {"archived": True})
        assert [each["content"] for each in await bob.history(chat["id"])] == [SECRET]
        assert (await bob.ask("POST", f"{path}/messages", {"content": "more"})).code == "chat_archived"
        assert (await bob.ask("PATCH", f"{path}/messages/{message['id']}", {"content": "other"})).status == 403
        refused = await carol.ask("POST", f"{path}/join")
        assert refused.status == (403 if kind == "public_channel" else 404)
        for stranger in (carol, guest):
            assert (await stranger.ask("GET", f"{path}/messages")).status == 404
            assert chat["id"] not in [each["id"] for each in await stranger.pages("/api/channels")]
        await ada.call("DELETE", path)
        for person in (ada, bob, carol, guest):
            await check_hidden(person, chat["id"], message["id"])
            assert SECRET.encode() not in (await polled(person, cursor))
            assert SECRET.encode() not in (await person.ask("GET", "/api/sync")).body


async def test_19_live_events_reach_only_who_may_read_them(server: ServerProcess) -> None:
    ada = await owner(server, default_channel=False)
    bob, carol = await colleague(ada), await colleague(ada)
    guest, admin = await colleague(ada, "guest"), await colleague(ada, "admin")
    stranger = await owner(server)
    chat = await ada.chat("private_channel", bob)
    public = await ada.chat("public_channel")
    inside, outside = [ada, bob], [carol, guest, admin, stranger]
    cursors = {person.id: await person.cursor() for person in (*inside, *outside)}
    streams = {person.id: await person.listen() for person in (*inside, *outside)}
    message = await ada.send(chat["id"], SECRET)
    await ada.call("PATCH", f"/api/chat/{chat['id']}/messages/{message['id']}", {"content": f"{SECRET}!"})
    await ada.call("PATCH", f"/api/chat/{chat['id']}", {"description": SECRET})
    await ada.send(public["id"], SECRET)
    await bob.call("PUT", f"/api/chat/{chat['id']}/read", {"number": 1})
    await ada.call("DELETE", f"/api/chat/{chat['id']}/messages/{message['id']}")
    await ada.call("DELETE", f"/api/chat/{chat['id']}")
    # Everybody but guests and strangers hears of this one, so that nothing else can be on its way behind it.
    newcomer = await colleague(ada)
    told_inside = ["message.created", "message.edited", "chat.updated", "message.deleted", "chat.deleted"]
    for person in inside:
        names = [event.name for event in await streams[person.id].until("user.joined") if (event.name or "") != "read.moved"]
        assert [name for name in names if name != "message.created"] == [*told_inside[1:], "user.joined"]
    for person in (carol, admin):
        [event] = await streams[person.id].until("user.joined")
        assert event.data["data"]["user"]["id"] == newcomer.id
    await asyncio.gather(streams[guest.id].quiet(0.3), streams[stranger.id].quiet(0.3))
    for person in outside:
        replay = await heard(await person.listen(cursors[person.id]))
        assert [event.name for event in replay] == (["user.joined"] if person in (carol, admin) else [])
        assert SECRET.encode() not in await polled(person, cursors[person.id])


async def test_19_a_guest_sees_its_chats_and_the_people_in_them_and_no_others(server: ServerProcess) -> None:
    ada = await owner(server)
    bob, carol, guest = await colleague(ada), await colleague(ada), await colleague(ada, "guest")
    shared = await bob.chat("group", guest, ada)
    hidden = await ada.chat("private_channel", carol, name=SECRET)
    public = await ada.chat("public_channel", name=f"{SECRET} {ada.id}")
    stream = await guest.listen()
    cursor = stream.cursor
    assert cursor is not None
    await carol.call("PATCH", "/api/users/me", {"fullname": SECRET, "handle": f"carol{carol.id}"})
    await ada.call("PATCH", f"/api/users/{carol.id}", {"role": "admin"})
    newcomer = await colleague(ada)
    for person in (ada, carol):
        await person.send(hidden["id"], SECRET)
    await ada.send(shared["id"], "for the guest")
    assert [event.name for event in await stream.until("message.created")] == ["message.created"]
    assert [event.name for event in await heard(await guest.listen(cursor))] == ["message.created"]
    met = {ada.id, bob.id, guest.id}
    everybody = [*met, carol.id, newcomer.id]
    assert {user["id"] for user in await guest.pages("/api/users")} == met
    named = await guest.get(f"/api/users?ids={','.join(map(str, everybody))}")
    assert {user["id"] for user in named["items"]} == met
    assert not [user for user in named["items"] if "email" in user and user["id"] != guest.id]
    for query in (SECRET, SECRET[:3], f"carol{carol.id}", "%", "_"):
        assert (await guest.get(f"/api/users?q={query.replace('%', '%25')}"))["items"] == []
    assert (await guest.get(f"/api/channels?q={SECRET}"))["items"] == []
    assert [chat["id"] for chat in await guest.pages("/api/chat")] == [shared["id"]]
    nobody = await guest.ask("GET", f"/api/users/{nowhere().user}")
    for person in (carol, newcomer):
        unmet = await guest.ask("GET", f"/api/users/{person.id}")
        assert (unmet.status, told(unmet)) == (404, told(nobody))
        for wanted in ({"chat_type": "single", "members": [person.id]}, {"chat_type": "group", "members": [bob.id, person.id]}):
            assert (await guest.ask("POST", "/api/chat", wanted)).json["errors"][0]["code"] == "unknown_user"
    for chat in (hidden, public):
        await check_hidden(guest, chat["id"], 1)
    assert SECRET.encode() not in (await guest.ask("GET", "/api/sync")).body
    await bob.post(f"/api/chat/{shared['id']}/leave")
    assert (await guest.ask("GET", f"/api/users/{bob.id}")).status == 404


async def test_20_a_removed_member_has_nothing_but_the_end(server: ServerProcess) -> None:
    ada = await owner(server)
    for role in ("member", "admin", "guest"):
        bob = await colleague(ada, role)
        chat = await ada.chat("private_channel", bob)
        stream = await bob.listen()
        cursor = stream.cursor
        assert cursor is not None
        saved = await ada.send(chat["id"], SECRET)
        await stream.until("message.created")
        await ada.call("DELETE", f"/api/chat/{chat['id']}/members/{bob.id}")
        await ada.send(chat["id"], SECRET)
        assert (await stream.next()).name == "member.left"
        await stream.quiet(0.3)
        await check_hidden(bob, chat["id"], saved["id"])
        assert [event.name for event in await heard(await bob.listen(cursor))] == ["member.left"]
        assert SECRET.encode() not in await polled(bob, cursor)
        assert SECRET.encode() not in (await bob.ask("GET", "/api/sync")).body
        batch = await bob.post(f"/api/chat/{chat['id']}/messages/batch", {"messages": [{"content": "still here"}]})
        assert [result["status"] for result in batch["results"]] == [404]


async def test_23_nobody_raises_a_bot_and_no_answer_holds_a_key(server: ServerProcess) -> None:
    ada = await owner(server)
    bob, carol = await colleague(ada), await colleague(ada)
    for body in ({"role": "admin"}, {"role": "owner"}, {"disabled": False}):
        assert (await bob.ask("PATCH", f"/api/users/{carol.id}", body)).status == 403
    for key, text in (("kind", "bot"), ("owner_id", bob.id), ("api_key", "x"), ("password_hash", "x"), ("email", "x@example.org")):
        for path in (f"/api/users/{carol.id}", "/api/users/me"):
            assert (await ada.ask("PATCH", path, {key: text})).status == 422
    await ada.post("/api/invitations", {})
    for path in ("/api/users", "/api/users/me", "/api/sync", "/api/sessions", "/api/invitations", "/api/workspace"):
        body = (await ada.ask("GET", path)).body
        for word in (b"hash", b"argon2", b"password", b"salt", b"secret", b"api_key", b'"token"'):
            assert word not in body, f"{word!r} in {path}"


async def test_24_no_patch_makes_more_of_anybody_than_it_may(server: ServerProcess) -> None:
    ada = await owner(server)
    admin, member, guest = [await colleague(ada, role) for role in ("admin", "member", "guest")]
    public = await ada.chat("public_channel", name=f"{SECRET} {ada.id}")
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


async def test_24_two_owners_who_demote_each_other_leave_one(server: ServerProcess) -> None:
    ada = await owner(server)
    for change in ({"role": "member"}, {"disabled": True}, {"role": "guest"}, {"disabled": True}):
        other = await colleague(ada, "owner")
        answers = await asyncio.gather(
            ada.ask("PATCH", f"/api/users/{other.id}", change), other.ask("PATCH", f"/api/users/{ada.id}", change)
        )
        # The second one is no owner any more, or shut out, when its turn comes.
        assert sorted(answer.status for answer in answers) in ([200, 401], [200, 403], [200, 404]), [a.body for a in answers]
        ada = ada if answers[0].status == 200 else other
        owners = [user for user in await ada.pages("/api/users") if user["role"] == "owner" and not user["disabled"]]
        assert [user["id"] for user in owners] == [ada.id]
    assert (await ada.ask("PATCH", f"/api/users/{ada.id}", {"role": "admin"})).code == "last_owner"


async def test_24_who_is_disabled_is_out_with_all_they_left_behind(server: ServerProcess) -> None:
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


async def test_27_read_marks_are_ones_own_and_of_what_there_is(server: ServerProcess) -> None:
    ada = await owner(server)
    bob, carol = await colleague(ada), await colleague(ada)
    chat, other = await ada.chat("private_channel", bob), await ada.chat("private_channel", carol)
    for place in (chat, other):
        await ada.send(place["id"], "one")
    stream = await ada.listen()
    mark = f"/api/chat/{chat['id']}/read"
    for body in ({"number": 2}, {"number": 2**53 - 1}, {"number": -1}, {"number": "1"}, {"number": 1, "user_id": ada.id}, {}):
        assert (await bob.ask("PUT", mark, body)).status == 422, body
    assert (await bob.ask("PUT", f"/api/chat/{other['id']}/read", {"number": 1})).status == 404
    await bob.call("PUT", mark, {"number": 1})
    await bob.call("PUT", mark, {"number": 0})
    marks = {person.id: (await person.get(f"/api/chat/{chat['id']}"))["last_read_number"] for person in (ada, bob)}
    assert marks == {ada.id: 1, bob.id: 1}
    assert (await carol.get(f"/api/chat/{other['id']}"))["last_read_number"] == 0
    await stream.quiet(0.3)


async def test_28_what_operators_look_at_tells_strangers_nothing(server: ServerProcess) -> None:
    ada = await owner(server)
    bob = await colleague(ada)
    await ada.chat("private_channel", bob, name=SECRET)
    for who in (Client(server), bob, await colleague(ada, "guest")):
        health = await who.get("/health")
        assert all(set(part) == {"state"} for part in health["parts"].values())
        assert await who.get("/health/simple") == {"status": "ok"}
        for path in ("/metrics", "/debug", "/debug/pprof", "/debug/vars", "/admin", "/server-status", "/.env", "/api/debug"):
            assert (await who.ask("GET", path)).status in (401, 403, 404), path
    shown = await Client(server).ask("GET", "/api/server")
    assert SECRET.encode() not in shown.body
    assert str(ada.session["workspace"]["slug"]).encode() not in shown.body
    assert "latency_seconds" in (await ada.get("/health"))["parts"]["database"]


async def test_29_no_name_makes_a_channel_of_a_direct_chat(server: ServerProcess) -> None:
    ada = await owner(server)
    bob, eve = await colleague(ada), await colleague(ada)
    single = await ada.chat("single", bob)
    await ada.send(single["id"], SECRET)
    pair = sorted((ada.id, bob.id))
    for name in (str(single["id"]), f"{pair[0]}-{pair[1]}", f"{pair[0]}{pair[1]}", f"@{bob.session['user']['handle']}", "single", "null"):
        for kind in ("public_channel", "private_channel"):
            made: dict[str, Any] = await eve.post("/api/chat", {"chat_type": kind, "name": name})
            assert made["id"] != single["id"]
            assert (made["chat_type"], made["member_count"]) == (kind, 1)
    assert (await ada.chat("single", bob))["id"] == single["id"]
    assert (await bob.chat("single", ada))["id"] == single["id"]
    await check_hidden(eve, single["id"], single["id"])
    assert (await eve.ask("POST", f"/api/chat/{single['id']}/members", {"members": [eve.id]})).status == 404
    assert [message["content"] for message in await bob.history(single["id"])] == [SECRET]


async def test_30_ids_of_another_workspace_are_ids_of_nothing(server: ServerProcess) -> None:
    ours, theirs = await tenant(server), await tenant(server)
    before = await theirs[0].get("/api/sync")
    for route, attempts in ATTEMPTS.items():
        for attempt in attempts:
            asked = attempt.path.format(own=ours[1], other=theirs[1]), attempt.path.format(own=ours[1], other=nowhere())
            bodies = attempt.body(ours[1], theirs[1]), attempt.body(ours[1], nowhere())
            answers = [await ours[0].ask(route.split(" ")[0], path, body) for path, body in zip(asked, bodies, strict=True)]
            assert [answer.status for answer in answers] == [attempt.status] * 2, route
            assert told(answers[0]) == told(answers[1]), route
            assert SECRET.encode() not in answers[0].body
    cursor = (await theirs[0].cursor()).rpartition(".")[0] + ".0"
    shown = orjson.loads(await polled(ours[0], cursor))
    events = [event["data"] for event in shown.get("events", ())]
    assert theirs[1].message not in [data["message"]["id"] for data in events if "message" in data]
    assert await theirs[0].get("/api/sync") == before


async def tenant(server: ServerProcess) -> tuple[Client, Place]:
    """A workspace's owner, and ids of all kinds in it."""
    host = await owner(server)
    member = await colleague(host)
    chat, channel = await host.chat("private_channel", member), await host.chat("public_channel", description=SECRET)
    message = await host.send(chat["id"], SECRET)
    session = (await host.get("/api/sessions"))["items"][0]
    invitation = await host.post("/api/invitations", {})
    return host, Place(chat["id"], channel["id"], message["id"], member.id, session["id"], invitation["id"])
