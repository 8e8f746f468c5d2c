"""Every event reaches exactly the people who may see it, live and in a replay. The tests compare both recordings."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from tests.journeys.client import Client, colleague, owner
from tests.journeys.server import ServerProcess
from tests.journeys.stream import Event, Stream
from tests.servers.process import PATIENCE_SECONDS

Recording = dict[int, Event]
"""Events by number."""
END = "the end"


class Scenario:
    """A sequence of acts, with the people who must see the events of each."""

    def __init__(self, people: dict[str, Client]) -> None:
        self.people = people
        self.shown: dict[str, list[int]] = {name: [] for name in people}
        self._head = 0

    async def begin(self) -> dict[str, Stream]:
        """Open a live stream for everybody."""
        streams = {name: await person.listen() for name, person in self.people.items()}
        self._head = await self._position()
        return streams

    async def _position(self) -> int:
        return int((await self.people["ada"].cursor()).rpartition(".")[2])

    async def act(self, doing: Awaitable[Any], seen: str, **first_or_last: int) -> Any:
        """Perform an act and record who must see its events.

        Args:
            seen: the people who see all events.
            first_or_last: people who see only the first or, if negative, the last few events.
        """
        answer = await doing
        head = await self._position()
        numbers = list(range(self._head + 1, head + 1))
        assert numbers, "nothing happened"
        for name in seen.split():
            self.shown[name] += numbers
        for name, count in first_or_last.items():
            self.shown[name] += numbers[:count] if count > 0 else numbers[count:]
        self._head = head
        return answer


async def everybody(server: ServerProcess) -> dict[str, Client]:
    """Ada owns the workspace. Gina and Hank are guests. Otto (admin) and Colin (member) are in no chat."""
    ada = await owner(server)
    roles = {
        "bob": "member",
        "carl": "member",
        "dora": "member",
        "colin": "member",
        "otto": "admin",
        "gina": "guest",
        "hank": "guest",
    }
    return {"ada": ada, **{name: await colleague(ada, role) for name, role in roles.items()}}


STAFF = "ada bob carl dora colin otto"


async def play(scenario: Scenario) -> None:
    ada, bob, carl, dora, gina = [scenario.people[name] for name in ("ada", "bob", "carl", "dora", "gina")]
    act = scenario.act
    single = await act(bob.chat("single", carl), "bob", carl=-1)
    await act(bob.send(single["id"], "for carl alone"), "bob carl")
    group = await act(bob.chat("group", carl, dora), "bob", carl=-2, dora=-1)
    room = f"/api/chat/{group['id']}"
    await act(bob.call("PATCH", room, {"name": "three"}), "bob carl dora")
    sent = await act(carl.send(group["id"], "one"), "bob carl dora")
    message = f"{room}/messages/{sent['id']}"
    await act(carl.call("PATCH", message, {"content": "two"}), "bob carl dora")
    await act(carl.call("PATCH", f"{room}/preferences", {"starred": True}), "carl")
    await act(dora.call("PATCH", f"{room}/preferences", {"muted": True}), "dora")
    await act(bob.call("DELETE", f"{room}/members/{dora.id}"), "bob carl dora")
    await act(carl.call("PATCH", message, {"content": "three"}), "bob carl")
    await act(bob.post(f"{room}/members", {"members": [gina.id]}), "bob carl gina")
    await act(bob.send(group["id"], "with gina"), "bob carl gina")
    await act(gina.call("PATCH", f"{room}/preferences", {"muted": True}), "gina")
    await act(bob.post(f"{room}/members", {"members": [dora.id]}), "bob carl gina dora")
    await act(bob.call("PATCH", f"{room}/members/{carl.id}", {"role": "owner"}), "bob carl gina dora")
    doomed = await act(gina.send(group["id"], "is deleted"), "bob carl gina dora")
    await act(carl.call("DELETE", f"{room}/messages/{doomed['id']}"), "bob carl gina dora")
    await act(carl.call("PATCH", room, {"archived": True}), "bob carl gina dora")
    await act(carl.call("PATCH", room, {"archived": False}), "bob carl gina dora")
    await act(carl.post(f"{room}/leave"), "bob gina dora", carl=1)
    await act(bob.send(group["id"], "without carl"), "bob gina dora")
    channel = await act(ada.chat("public_channel"), "ada")
    await act(carl.post(f"/api/chat/{channel['id']}/join"), "ada carl")
    await act(ada.send(channel["id"], "news"), "ada carl")
    await act(carl.post(f"/api/chat/{channel['id']}/leave"), "ada carl")
    await act(ada.post(f"/api/chat/{channel['id']}/members", {"members": [gina.id, carl.id]}), "ada gina", carl=-1)
    await act(ada.call("DELETE", f"/api/chat/{channel['id']}"), "ada carl gina")
    private = await act(ada.chat("private_channel", bob), "ada", bob=-1)
    await act(ada.send(private["id"], "inner circle"), "ada bob")
    await act(bob.call("PATCH", "/api/users/me", {"fullname": "Robert"}), STAFF)
    await act(gina.call("PATCH", "/api/users/me", {"fullname": "Regina"}), STAFF + " gina")
    await act(ada.call("PATCH", f"/api/users/{scenario.people['colin'].id}", {"role": "admin"}), STAFF)
    await act(ada.call("PATCH", "/api/workspace", {"name": END}), STAFF + " gina hank")


def numbered_events(events: list[Event]) -> Recording:
    """Return the durable events by number. Each must occur once and in order."""
    numbered = [event for event in events if event.id is not None and event.name not in ("hello", "resumed")]
    assert [event.seq for event in numbered] == sorted({event.seq for event in numbered})
    return {event.seq: event for event in numbered}


def replayed_later(live: Recording, me: int) -> set[int]:
    """Return the numbers of a live recording that a replay from the beginning must show.

    For the person's current chats these are the events since joining; for other chats only the end.
    """
    joined: dict[int, int] = {}
    ended: dict[int, int] = {}
    for seq, event in live.items():
        chat_id, member = event.data["chat_id"], event.data["data"].get("member", {})
        if event.name == "member.joined" and member["user_id"] == me:
            joined[chat_id] = seq
            ended.pop(chat_id, None)
        if event.name == "chat.deleted" or (event.name == "member.left" and member["user_id"] == me):
            ended[chat_id] = seq

    def kept(seq: int, chat_id: int | None) -> bool:
        return chat_id is None or (seq == ended[chat_id] if chat_id in ended else seq >= joined[chat_id])

    return {seq for seq, event in live.items() if kept(seq, event.data["chat_id"])}


def without_deleted_content(value: Any, deleted: set[int]) -> Any:
    """Remove the content of messages that were deleted later."""
    if isinstance(value, dict):
        gone = {"content", "deleted_at"} if value.get("id") in deleted and "content" in value else set()
        return {name: without_deleted_content(each, deleted) for name, each in value.items() if name not in gone}
    return [without_deleted_content(each, deleted) for each in value] if isinstance(value, list) else value


async def record(stream: Stream) -> Recording:
    """Record a stream up to the end of the scenario."""
    events = [await stream.next()]
    while not (events[-1].name == "workspace.updated" and events[-1].data["data"]["workspace"]["name"] == END):
        events.append(await stream.next())
    return numbered_events(events)


async def replayed(person: Client, cursor: str) -> Recording:
    return numbered_events(await (await person.listen(cursor)).until("resumed"))


@pytest.mark.usefixtures("transport")
async def test_every_event_reaches_exactly_the_people_who_may_see_it_live_and_on_replay(server: ServerProcess) -> None:
    people, stranger = await everybody(server), await owner(server)
    scenario = Scenario(people)
    outside = await stranger.listen()
    streams = await scenario.begin()
    start = await people["ada"].cursor()
    await play(scenario)
    async with asyncio.timeout(PATIENCE_SECONDS):
        live = {name: await record(stream) for name, stream in streams.items()}
    assert {name: list(recording) for name, recording in live.items()} == scenario.shown
    deleted = {event.data["data"]["message"]["id"] for event in live["bob"].values() if event.name == "message.deleted"}
    for name, person in people.items():
        again = await replayed(person, start)
        assert set(again) == replayed_later(live[name], person.id), name
        for seq, event in again.items():
            assert without_deleted_content(event.data, deleted) == without_deleted_content(
                live[name][seq].data, deleted
            ), f"{name} {seq}"
            assert (
                not (event.name or "").startswith("message") or event.data["data"]["message"]["content"] != "is deleted"
            )
        assert [event["seq"] for event in await person.events(start)] == list(again)
    await outside.quiet(0.2)


@pytest.mark.usefixtures("transport")
async def test_a_disabled_person_receives_nothing_more(server: ServerProcess) -> None:
    ada = await owner(server)
    bob, carl = await colleague(ada), await colleague(ada)
    chat = await ada.chat("private_channel", bob, carl)
    streams = {person: await person.listen() for person in (bob, carl)}
    await ada.call("PATCH", f"/api/users/{bob.id}", {"disabled": True})
    await ada.send(chat["id"], "without bob")
    ended = await streams[bob].rest()
    assert [event.name for event in ended] == ["user.disabled", "closing"]
    assert [event.name for event in await streams[carl].until("message.created")] == [
        "user.disabled",
        "message.created",
    ]
    assert (await bob.ask("GET", "/api/sync")).status == 401


async def test_earlier_contents_of_a_message_are_listed_for_its_sender_and_admins_only(server: ServerProcess) -> None:
    ada = await owner(server)
    bob, carl = await colleague(ada), await colleague(ada)
    chat = await bob.chat("private_channel", ada, carl)
    sent = await bob.send(chat["id"], "one")
    path = f"/api/chat/{chat['id']}/messages/{sent['id']}"
    for content in ("two", "three"):
        await bob.call("PATCH", path, {"content": content})
    for person in (bob, ada):
        first = await person.get(f"{path}/versions?limit=1")
        rest = await person.get(f"{path}/versions?cursor={first['next']}")
        assert [(each["revision"], each["content"]) for each in first["items"] + rest["items"]] == [
            (1, "one"),
            (2, "two"),
        ]
        assert (set(first["items"][0]), first["items"][0]["edited_at"], rest["next"]) == (
            {"revision", "content", "edited_at"},
            None,
            None,
        )
    refused, hidden = (
        await carl.ask("GET", f"{path}/versions"),
        await (await colleague(ada)).ask("GET", f"{path}/versions"),
    )
    assert (refused.status, refused.code, hidden.status) == (403, "not_the_sender", 404)
    await bob.call("DELETE", path)
    assert await bob.get(f"{path}/versions") == {"items": [], "next": None}
