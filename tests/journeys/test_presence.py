"""Presence over the socket: who sees whom, and for how long."""

from __future__ import annotations

from typing import Any

from tests.journeys.client import Client, colleague, owner, signed_in
from tests.journeys.server import ServerProcess
from tests.journeys.stream import Stream


async def subscribe(person: Client, *people: Client) -> dict[int, str]:
    """Subscribe to people; return the states of the answer."""
    answer = await person.post("/api/presence/subscriptions", {"user_ids": [each.id for each in people]})
    return {each["user_id"]: each["state"] for each in answer["presences"]}


async def wait_until_shown(
    stream: Stream, person: Client, state: str, known: dict[int, str] | None = None
) -> list[Any]:
    """Return all events until the stream shows the person in this state; none if the state is `known`."""
    events: list[Any] = []
    while known is None or known[person.id] != state:
        events += await stream.until("presence.changed")
        if {"user_id": person.id, "state": state} in events[-1].data["presences"]:
            break
    return events


async def set_state(person: Client, state: str) -> None:
    assert await person.call("PUT", "/api/presence", {"state": state}) == {"state": state}


async def test_a_subscriber_sees_arrivals_states_and_ended_sessions(server: ServerProcess) -> None:
    ada = await owner(server)
    bob, carol = await colleague(ada), await colleague(ada)
    stream, bystander = await ada.listen(), await carol.listen()
    known = await subscribe(ada, bob, ada)
    assert (known.keys(), known[bob.id]) == ({bob.id, ada.id}, "offline")
    listening = await bob.listen()
    await wait_until_shown(stream, bob, "online")
    for state in ("away", "dnd", "online"):
        await set_state(bob, state)
        [*_, changed] = await wait_until_shown(stream, bob, state)
        assert changed.id is None
    laptop = await signed_in(bob)
    second = await laptop.listen()
    await set_state(laptop, "dnd")
    await wait_until_shown(stream, bob, "dnd")
    await laptop.post("/api/logout")
    await second.rest()
    await wait_until_shown(stream, bob, "online")
    await ada.call("PATCH", f"/api/users/{bob.id}", {"disabled": True})
    await listening.rest()
    await wait_until_shown(stream, bob, "offline")
    await ada.call("PATCH", "/api/workspace", {"name": f"House {ada.id}"})
    assert "presence.changed" not in {event.name for event in await bystander.until("workspace.updated")}


async def test_a_person_can_turn_presence_off(server: ServerProcess) -> None:
    ada = await owner(server)
    bob = await colleague(ada)
    stream, _listening = await ada.listen(), await bob.listen()
    await wait_until_shown(stream, bob, "online", await subscribe(ada, bob))
    await bob.call("PATCH", "/api/users/me", {"shows_presence": False})
    await wait_until_shown(stream, bob, "offline")
    assert await subscribe(ada, bob) == {bob.id: "offline"}
    hidden = await signed_in(bob)
    _other = await hidden.listen()
    await bob.call("PATCH", "/api/users/me", {"shows_presence": True})
    await wait_until_shown(stream, bob, "online")


async def test_guests_see_only_people_who_share_a_chat_at_that_moment(server: ServerProcess) -> None:
    ada = await owner(server)
    bob, carol, guest = await colleague(ada), await colleague(ada), await colleague(ada, "guest")
    chat = await ada.chat("private_channel", bob, guest)
    watching, guests = await ada.listen(), await guest.listen()
    _bobs, _carols = await bob.listen(), await carol.listen()
    await wait_until_shown(watching, bob, "online", await subscribe(ada, bob, carol))
    assert (await subscribe(guest, ada, bob, carol, guest)).keys() == {ada.id, bob.id, guest.id}
    await set_state(bob, "dnd")
    await set_state(carol, "dnd")
    await wait_until_shown(guests, bob, "dnd")
    await ada.call("DELETE", f"/api/chat/{chat['id']}/members/{bob.id}")
    await set_state(bob, "away")
    await wait_until_shown(watching, bob, "away")
    await set_state(ada, "dnd")
    events = await wait_until_shown(guests, ada, "dnd")
    shown = [each for event in events if event.name == "presence.changed" for each in event.data["presences"]]
    assert shown == [{"user_id": ada.id, "state": "dnd"}]


async def test_requests_that_are_not_allowed(server: ServerProcess) -> None:
    ada, stranger = await owner(server), await owner(server)
    bob = await colleague(ada)
    assert await subscribe(ada, stranger, bob) == {bob.id: "offline"}
    too_many = await ada.ask("POST", "/api/presence/subscriptions", {"user_ids": list(range(1, 502))})
    assert (too_many.status, too_many.json["errors"][0]["code"]) == (422, "too_long")
    assert (await ada.ask("POST", "/api/presence/subscriptions", {"user_ids": list(range(1, 501))})).status == 200
    for state in ("offline", "", None):
        assert (await ada.ask("PUT", "/api/presence", {"state": state})).status == 422
    ended = await signed_in(ada)
    await ended.post("/api/logout")
    for method, path, body in (
        ("PUT", "/api/presence", {"state": "away"}),
        ("POST", "/api/presence/subscriptions", {"user_ids": [bob.id]}),
    ):
        assert (await ended.ask(method, path, body)).status == 401


async def test_many_streams_that_reconnect_cause_no_signal(server: ServerProcess) -> None:
    ada = await owner(server)
    people = [await colleague(ada) for _ in range(8)]
    stream = await ada.listen()
    streams = [await person.listen() for person in people]
    seen = await subscribe(ada, *people)
    while set(seen.values()) != {"online"}:
        presences = (await stream.until("presence.changed"))[-1].data["presences"]
        seen |= {each["user_id"]: each["state"] for each in presences}
    for _ in range(3):
        for each in streams:
            each.close()
        streams = [await person.listen() for person in people]
        assert set((await subscribe(ada, *people)).values()) == {"online"}
    await set_state(people[0], "dnd")
    events = await wait_until_shown(stream, people[0], "dnd")
    assert [event.data for event in events] == [{"presences": [{"user_id": people[0].id, "state": "dnd"}]}]
