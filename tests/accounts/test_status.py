"""Statuses over HTTP: what is allowed, who sees them, and how they end."""

from __future__ import annotations

from typing import Any

import pytest

from fechatter.model import now_ms, timestamp
from fechatter.storage import statuses
from fechatter.storage.engines.base import Database
from fechatter.workers import statuses as worker
from fechatter.workers.statuses import clear_statuses
from tests.accounts.conftest import Api, Session, refusal

LATER = "2999-01-02T03:04:05.678Z"
PALM = {"emoji": "🌴", "text": "Back on Monday", "until": LATER}


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "PAUSE_SECONDS", 0.0)


async def put(api: Api, who: Session, body: Any) -> Any:
    answer = await api.ask(who, "PUT", "/api/users/me/status", body)
    assert answer.status_code == 200, answer.text
    return answer.json()["status"]


async def seen(api: Api, who: Session, whom: Session) -> list[Any]:
    """Return the status of `whom` in each place that shows it."""
    user_id = whom["user"]["id"]
    one = (await api.ask(who, "GET", f"/api/users/{user_id}")).json()
    [listed] = (await api.ask(who, "GET", f"/api/users?ids={user_id}")).json()["items"]
    return [one["status"], listed["status"]]


async def end(database: Database, whom: Session) -> None:
    """Let the status end a moment ago."""
    sql = "UPDATE users SET status_until = $2 WHERE id = $1"
    await database.write_unlocked(lambda tx: tx.execute(sql, whom["user"]["id"], now_ms() - 1))


async def test_everybody_in_the_workspace_sees_a_status_and_its_event(api: Api) -> None:
    owner = await api.owner()
    other = await api.colleague(owner)
    assert owner["user"]["status"] is None
    api.events()
    assert await put(api, owner, PALM) == PALM
    [event] = api.events()
    assert (event["type"], event["data"]["user"]["status"]) == ("user.updated", PALM)
    assert "shows_presence" not in event["data"]["user"]
    assert await seen(api, other, owner) == [PALM, PALM]
    assert (await api.ask(owner, "GET", "/api/users/me")).json()["status"] == PALM
    assert await put(api, owner, PALM) == PALM
    assert api.events() == []
    assert await put(api, owner, {"text": "Here"}) == {"emoji": "", "text": "Here", "until": None}
    assert await put(api, owner, {"emoji": "👍🏽"}) == {"emoji": "👍🏽", "text": "", "until": None}
    assert (await api.ask(owner, "DELETE", "/api/users/me/status")).json()["status"] is None
    assert [event["data"]["user"]["status"] for event in api.events()][-1] is None
    assert (await api.ask(owner, "DELETE", "/api/users/me/status")).status_code == 200
    assert api.events() == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "empty"),
        ({"emoji": "", "text": "", "until": LATER}, "empty"),
        ({"emoji": "🌴🌴"}, "invalid_emoji"),
        ({"emoji": " "}, "invalid_emoji"),
        ({"text": "x" * 81}, "too_long"),
        ({"text": "\u3164"}, "blank"),
        ({"text": "a\nb"}, "control_character"),
        ({"text": "a\u202eb"}, "control_character"),
        ({"text": "x", "until": "2001-01-02T03:04:05Z"}, "not_in_future"),
        ({"text": "x", "until": "9999-12-31T23:59:59-20:00"}, "not_in_future"),
        ({"text": "x", "until": "2999-01-02T03:04:05"}, "invalid_time"),
        ({"text": "x", "until": "tomorrow"}, "invalid_time"),
        ({"text": "x", "until": 4}, "invalid_type"),
        ({"text": "x", "colour": "red"}, "unknown_field"),
        ({"text": None}, "invalid_type"),
    ],
)
async def test_a_status_that_is_not_allowed_changes_nothing(api: Api, body: dict[str, Any], code: str) -> None:
    owner = await api.owner()
    await put(api, owner, PALM)
    refused = await api.ask(owner, "PUT", "/api/users/me/status", body)
    assert (refused.status_code, [error["code"] for error in refused.json()["errors"]]) == (422, [code])
    assert await seen(api, owner, owner) == [PALM, PALM]


async def test_eighty_characters_and_other_offsets_are_allowed(api: Api) -> None:
    owner = await api.owner()
    shown = await put(api, owner, {"text": "字" * 80, "until": "2999-01-02T05:04:05+02:00"})
    assert shown == {"emoji": "", "text": "字" * 80, "until": "2999-01-02T03:04:05.000Z"}


async def test_an_expired_status_is_not_shown_and_upkeep_clears_it_with_an_event(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statuses, "STEP_PEOPLE", 2)
    owner, stranger = await api.owner(), await api.owner()
    people = [owner, stranger, *[await api.colleague(owner) for _ in range(3)]]
    for person in people:
        await put(api, person, PALM)
    lasting = people.pop()
    for person in people:
        await end(database, person)
    assert await seen(api, owner, owner) == [None, None]
    assert (await api.ask(owner, "GET", "/api/users/me")).json()["status"] is None
    api.events()
    assert await clear_statuses(database) == 4
    cleared = [event["data"]["user"] for event in api.events()]
    assert {user["id"]: user["status"] for user in cleared} == {person["user"]["id"]: None for person in people}
    assert await clear_statuses(database) == 0
    assert api.events() == []
    assert await seen(api, owner, lasting) == [PALM, PALM]


async def test_a_status_that_was_renewed_in_time_is_not_cleared(api: Api, database: Database) -> None:
    owner = await api.owner()
    await put(api, owner, PALM | {"until": timestamp(now_ms() + 60_000)})
    assert await clear_statuses(database) == 0
    await end(database, owner)
    await put(api, owner, PALM)
    assert await clear_statuses(database) == 0
    assert await seen(api, owner, owner) == [PALM, PALM]


async def test_disabling_a_person_clears_the_status(api: Api) -> None:
    owner = await api.owner()
    other = await api.colleague(owner)
    await put(api, other, PALM)
    path = f"/api/users/{other['user']['id']}"
    api.events()
    assert (await api.ask(owner, "PATCH", path, {"disabled": True})).json()["status"] is None
    [event] = [event for event in api.events() if event["type"] == "user.disabled"]
    assert event["data"]["user"]["status"] is None
    assert (await api.ask(owner, "PATCH", path, {"disabled": False})).json()["status"] is None
    assert refusal(await api.ask(other, "PUT", "/api/users/me/status", PALM))[0] == 401


async def test_a_guest_sees_only_the_statuses_of_people_they_have_met(api: Api) -> None:
    owner = await api.owner()
    guest = await api.colleague(owner, "guest")
    await put(api, owner, PALM)
    assert (await api.ask(guest, "GET", f"/api/users/{owner['user']['id']}")).status_code == 404
    single = {"chat_type": "single", "members": [guest["user"]["id"]]}
    api.created(await api.ask(owner, "POST", "/api/chat", single))
    assert await seen(api, guest, owner) == [PALM, PALM]


async def test_preferences_of_a_person_are_private(api: Api) -> None:
    owner = await api.owner()
    other = await api.colleague(owner)
    me = (await api.ask(owner, "GET", "/api/users/me")).json()
    assert (me["shows_presence"], me["sends_receipts"]) == (True, True)
    api.events()
    wanted = {"shows_presence": False, "sends_receipts": False}
    changed = (await api.ask(owner, "PATCH", "/api/users/me", wanted)).json()
    assert {name: changed[name] for name in wanted} == wanted
    assert (await api.ask(owner, "GET", "/api/users/me")).json() == changed
    assert (await api.ask(owner, "PATCH", "/api/users/me", {"fullname": "Ada"})).json() == changed | {"fullname": "Ada"}
    for event in api.events():
        assert not wanted.keys() & event["data"]["user"].keys()
    shown = (await api.ask(other, "GET", f"/api/users/{owner['user']['id']}")).json()
    assert not wanted.keys() & shown.keys()
    refused = await api.ask(owner, "PATCH", "/api/users/me", {"shows_presence": None})
    assert refusal(refused) == (422, "invalid")
