"""A person becomes a guest, or stops being one, while a stream is open: the stream shows other events from then on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.client import Client, colleague, owner
from tests.journeys.server import ServerProcess
from tests.journeys.stream import Event, Stream

pytestmark = pytest.mark.usefixtures("transport")


async def change_role(host: Client, person: Client, role: str) -> None:
    await host.call("PATCH", f"/api/users/{person.id}", {"role": role})


def types_and_people(events: list[Event]) -> list[tuple[str | None, Any]]:
    """Return the type and the person of each event."""
    return [(event.name, event.data["data"]["user"]["id"]) for event in events]


async def replayed(person: Client, cursor: str | None) -> list[tuple[str | None, Any]]:
    """Return the events of a replay."""
    stream = await person.listen(cursor)
    return types_and_people((await stream.until("resumed"))[1:-1])


async def shown_next(stream: Stream, count: int) -> list[tuple[str | None, Any]]:
    return types_and_people([await stream.next() for _ in range(count)])


async def test_a_person_who_becomes_a_guest_sees_no_more_events_about_other_people(server: ServerProcess) -> None:
    ada = await owner(server, default_channel=False)
    bob = await colleague(ada)
    stream = await bob.listen()
    begun = stream.cursor
    carol = await colleague(ada)
    await change_role(ada, bob, "guest")
    assert await shown_next(stream, 2) == [("user.joined", carol.id), ("user.updated", bob.id)]
    changed = stream.cursor
    await colleague(ada)
    await change_role(ada, carol, "admin")
    await bob.call("PATCH", "/api/users/me", {"fullname": "Robert"})
    assert await shown_next(stream, 1) == [("user.updated", bob.id)]
    await stream.quiet(0.3)
    assert await replayed(bob, changed) == [("user.updated", bob.id)]
    assert await replayed(bob, begun) == [("user.updated", bob.id)] * 2


@pytest.mark.parametrize("role", ["member", "admin"])
async def test_a_guest_who_is_promoted_sees_events_about_other_people_from_then_on(
    server: ServerProcess, role: str
) -> None:
    ada = await owner(server, default_channel=False)
    bob = await colleague(ada, "guest")
    stream = await bob.listen()
    await colleague(ada)
    await change_role(ada, bob, role)
    assert await shown_next(stream, 1) == [("user.updated", bob.id)]
    changed = stream.cursor
    carol = await colleague(ada)
    assert await shown_next(stream, 1) == [("user.joined", carol.id)]
    assert await replayed(bob, changed) == [("user.joined", carol.id)]


async def test_a_stream_follows_each_change_of_role(server: ServerProcess) -> None:
    ada = await owner(server, default_channel=False)
    bob = await colleague(ada)
    stream = await bob.listen()
    seen = []
    for role in ("guest", "member", "guest", "admin"):
        await change_role(ada, bob, role)
        newcomer = await colleague(ada)
        seen += [("user.updated", bob.id)] + ([("user.joined", newcomer.id)] if role != "guest" else [])
    assert await shown_next(stream, len(seen)) == seen
    await stream.quiet(0.3)
