"""Attacks on what people can see: private chats, live events, guests, removed members and other workspaces."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from tests.attacks.refusals import check_hidden, comparable, integers, polled, replayed
from tests.journeys.client import Client, colleague, owner
from tests.journeys.foreign import ATTEMPTS, NOWHERE, WorkspaceIds
from tests.journeys.server import ServerProcess

SECRET = "Popocatepetl"
"""A word that must never reach people who cannot read the chat."""


async def test_a_private_chat_is_not_revealed_by_searches_names_or_refusals(server: ServerProcess) -> None:
    ada = await owner(server)
    bob, guest = await colleague(ada), await colleague(ada, "guest")
    private = await ada.chat("private_channel", name=SECRET, description=SECRET)
    message = await ada.send(private["id"], SECRET)
    await ada.chat("public_channel", name=f"{SECRET} for all", description="")
    for person in (bob, guest):
        await check_hidden(person, private["id"], message["id"])
        for path in (f"/api/channels?q={SECRET}", "/api/chat", "/api/sync", f"/api/users?q={SECRET}"):
            assert private["id"] not in integers((await person.ask("GET", path)).json)
    made = await bob.ask("POST", "/api/chat", {"chat_type": "public_channel", "name": SECRET})
    assert made.status == 201, "a taken private name must not show"
    assert (await bob.ask("POST", "/api/chat", {"chat_type": "private_channel", "name": SECRET})).status == 201
    keyed = {"chat_type": "private_channel", "name": SECRET, "idempotency_key": "k"}
    mine = await ada.post("/api/chat", keyed)
    assert (await bob.post("/api/chat", keyed))["id"] != mine["id"]


async def test_only_members_see_an_archived_chat_and_nobody_sees_a_deleted_one(server: ServerProcess) -> None:
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


@pytest.mark.usefixtures("transport")
async def test_live_events_reach_only_people_who_can_read_the_chat(server: ServerProcess) -> None:
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
    # Everybody except guests and strangers receives this event. No earlier event can follow it.
    newcomer = await colleague(ada)
    shown_inside = ["message.created", "message.edited", "chat.updated", "message.deleted", "chat.deleted"]
    for person in inside:
        names = [
            event.name
            for event in await streams[person.id].until("user.joined")
            if event.name not in ("read.moved", "receipt.moved")
        ]
        assert [name for name in names if name != "message.created"] == [*shown_inside[1:], "user.joined"]
    for person in (carol, admin):
        [event] = await streams[person.id].until("user.joined")
        assert event.data["data"]["user"]["id"] == newcomer.id
    await asyncio.gather(streams[guest.id].quiet(0.3), streams[stranger.id].quiet(0.3))
    for person in outside:
        replay = await replayed(await person.listen(cursors[person.id]))
        assert [event.name for event in replay] == (["user.joined"] if person in (carol, admin) else [])
        assert SECRET.encode() not in await polled(person, cursors[person.id])


@pytest.mark.usefixtures("transport")
async def test_a_guest_sees_only_their_own_chats_and_the_people_in_them(server: ServerProcess) -> None:
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
    assert [event.name for event in await replayed(await guest.listen(cursor))] == ["message.created"]
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
    nobody = await guest.ask("GET", f"/api/users/{NOWHERE.user}")
    for person in (carol, newcomer):
        unmet = await guest.ask("GET", f"/api/users/{person.id}")
        assert (unmet.status, comparable(unmet)) == (404, comparable(nobody))
        for wanted in (
            {"chat_type": "single", "members": [person.id]},
            {"chat_type": "group", "members": [bob.id, person.id]},
        ):
            assert (await guest.ask("POST", "/api/chat", wanted)).json["errors"][0]["code"] == "unknown_user"
    for chat in (hidden, public):
        await check_hidden(guest, chat["id"], 1)
    assert SECRET.encode() not in (await guest.ask("GET", "/api/sync")).body
    await bob.post(f"/api/chat/{shared['id']}/leave")
    assert (await guest.ask("GET", f"/api/users/{bob.id}")).status == 404


@pytest.mark.usefixtures("transport")
async def test_a_removed_member_receives_only_their_own_removal(server: ServerProcess) -> None:
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
        assert [event.name for event in await replayed(await bob.listen(cursor))] == ["member.left"]
        assert SECRET.encode() not in await polled(bob, cursor)
        assert SECRET.encode() not in (await bob.ask("GET", "/api/sync")).body
        batch = await bob.post(f"/api/chat/{chat['id']}/messages/batch", {"messages": [{"content": "still here"}]})
        assert [result["status"] for result in batch["results"]] == [404]


async def test_health_metrics_and_debug_urls_reveal_nothing_to_strangers(server: ServerProcess) -> None:
    ada = await owner(server)
    bob = await colleague(ada)
    await ada.chat("private_channel", bob, name=SECRET)
    for who in (Client(server), bob, await colleague(ada, "guest")):
        health = await who.get("/health")
        assert all(set(part) == {"state"} for part in health["parts"].values())
        assert await who.get("/health/simple") == {"status": "ok"}
        for path in (
            "/metrics",
            "/debug",
            "/debug/pprof",
            "/debug/vars",
            "/admin",
            "/server-status",
            "/.env",
            "/api/debug",
        ):
            assert (await who.ask("GET", path)).status in (401, 403, 404), path
    shown = await Client(server).ask("GET", "/api/server")
    assert SECRET.encode() not in shown.body
    assert str(ada.session["workspace"]["slug"]).encode() not in shown.body
    assert "latency_seconds" in (await ada.get("/health"))["parts"]["database"]


async def test_no_channel_name_opens_a_direct_chat(server: ServerProcess) -> None:
    ada = await owner(server)
    bob, eve = await colleague(ada), await colleague(ada)
    single = await ada.chat("single", bob)
    await ada.send(single["id"], SECRET)
    pair = sorted((ada.id, bob.id))
    for name in (
        str(single["id"]),
        f"{pair[0]}-{pair[1]}",
        f"{pair[0]}{pair[1]}",
        f"@{bob.session['user']['handle']}",
        "single",
        "null",
    ):
        for kind in ("public_channel", "private_channel"):
            made: dict[str, Any] = await eve.post("/api/chat", {"chat_type": kind, "name": name})
            assert made["id"] != single["id"]
            assert (made["chat_type"], made["member_count"]) == (kind, 1)
    assert (await ada.chat("single", bob))["id"] == single["id"]
    assert (await bob.chat("single", ada))["id"] == single["id"]
    await check_hidden(eve, single["id"], single["id"])
    assert (await eve.ask("POST", f"/api/chat/{single['id']}/members", {"members": [eve.id]})).status == 404
    assert [message["content"] for message in await bob.history(single["id"])] == [SECRET]


async def test_ids_of_another_workspace_get_the_same_response_as_unknown_ids(server: ServerProcess) -> None:
    ours, theirs = await tenant(server), await tenant(server)
    before = await theirs[0].get("/api/sync")
    for route, attempts in ATTEMPTS.items():
        for attempt in attempts:
            asked = attempt.path.format(own=ours[1], other=theirs[1]), attempt.path.format(own=ours[1], other=NOWHERE)
            bodies = attempt.body(ours[1], theirs[1]), attempt.body(ours[1], NOWHERE)
            answers = [
                await ours[0].ask(route.split(" ")[0], path, body) for path, body in zip(asked, bodies, strict=True)
            ]
            assert [answer.status for answer in answers] == [attempt.status] * 2, route
            assert comparable(answers[0]) == comparable(answers[1]), route
            assert SECRET.encode() not in answers[0].body
    cursor = (await theirs[0].cursor()).rpartition(".")[0] + ".0"
    shown = orjson.loads(await polled(ours[0], cursor))
    events = [event["data"] for event in shown.get("events", ())]
    assert theirs[1].message not in [data["message"]["id"] for data in events if "message" in data]
    assert await theirs[0].get("/api/sync") == before


async def tenant(server: ServerProcess) -> tuple[Client, WorkspaceIds]:
    """Create a workspace and return its owner and one id of each kind in it."""
    host = await owner(server)
    member = await colleague(host)
    chat, channel = await host.chat("private_channel", member), await host.chat("public_channel", description=SECRET)
    message = await host.send(chat["id"], SECRET)
    session = (await host.get("/api/sessions"))["items"][0]
    invitation = await host.post("/api/invitations", {})
    return host, WorkspaceIds(chat["id"], channel["id"], message["id"], member.id, session["id"], invitation["id"])
