"""The promise of `Event-Cursor`: a response includes everything up to the highest position that its client has seen."""

from __future__ import annotations

import asyncio

import pytest

from fechatter.model import Position
from tests.journeys.client import Client, colleague, owner
from tests.journeys.server import ServerProcess

WRITES = 20


def seq(position: str) -> int:
    found = Position.parse(position)
    assert found is not None
    return found.seq


async def test_a_response_is_never_older_than_the_clients_position(server: ServerProcess) -> None:
    ada = await owner(server)
    bob = await colleague(ada)
    chat = (await ada.chat("private_channel", bob))["id"]
    stream = await ada.listen()
    for number in range(1, WRITES + 1):
        await bob.send(chat, f"message {number}")
        seen = (await stream.until("message.created"))[-1].id
        assert seen is not None
        reading = [
            Client(server, ada.session).ask("GET", path, headers={"event-cursor": seen})
            for path in (f"/api/chat/{chat}/messages?limit=1", "/api/sync", f"/api/chat/{chat}")
        ]
        history, state, shown = await asyncio.gather(*reading)
        assert min(seq(answer.headers["event-cursor"]) for answer in (history, state, shown)) >= seq(seen)
        assert (
            history.json["items"][0]["number"]
            == state.json["chats"][-1]["last_number"]
            == shown.json["last_number"]
            == number
        )


@pytest.mark.parametrize(
    "position",
    ["", "5", "a.", ".1", "a.b", "a.-1", f"{'a' * 33}.1", f"a.{'1' * 17}", "a.1 b", "a.1,", ", ".join(["a.1"] * 33)],
)
async def test_invalid_positions_are_refused(server: ServerProcess, position: str) -> None:
    ada = await owner(server)
    for path in ("/api/chat", "/api/sync", "/api/users/me", "/api/workspace"):
        answer = await ada.ask("GET", path, headers={"event-cursor": position})
        assert (answer.status, answer.code) == (422, "invalid")
        assert [(error["pointer"], error["code"]) for error in answer.json["errors"]] == [
            ("Event-Cursor", "invalid_cursor")
        ]


async def test_events_cannot_continue_if_the_log_lost_one_of_several_positions(server: ServerProcess) -> None:
    ada = await owner(server)
    here = await ada.cursor()
    lost = f"another.{seq(here)}"
    for positions, status in ((f"{here}, {here}", 200), (f"{lost}, {here}", 410), (f"{here} ,{lost}", 410)):
        answer = await ada.ask("GET", f"/api/events?after={here}", headers={"event-cursor": positions})
        assert answer.status == status
