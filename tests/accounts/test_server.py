from __future__ import annotations

import shutil
import time
from types import SimpleNamespace

import pytest

from fechatter.api.endpoints.health import FAILING_SECONDS
from tests.accounts.conftest import Api


async def test_the_server_says_what_it_is(api: Api) -> None:
    answer = (await api.ask(None, "GET", "/api/server")).json()
    assert {"version", "api_level", "features", "limits", "signup", "name"} <= set(answer)
    assert answer["limits"]["message_characters"] == 4000


async def test_the_server_says_whether_its_set_up_link_was_used(api: Api) -> None:
    assert (await api.ask(None, "GET", "/api/server")).json()["set_up"] is False
    await api.owner(setup_token=api.secrets.setup_token)
    assert (await api.ask(None, "GET", "/api/server")).json()["set_up"] is True


async def test_health_tells_details_to_admins_only(api: Api) -> None:
    owner = await api.owner()
    member = await api.colleague(owner)
    assert (await api.ask(None, "GET", "/health/simple")).json() == {"status": "ok"}
    for who in (None, member, {"access_token": "bad"}):
        parts = {name: {"state": "ok"} for name in ("database", "writer", "disk", "bus", "event_loop")}
        assert (await api.ask(who, "GET", "/health")).json() == {"status": "ok", "parts": parts}
    told = (await api.ask(owner, "GET", "/health")).json()["parts"]
    assert {"latency_seconds", "since", "state"} <= set(told["database"])
    assert all("since" in part for part in told.values())


@pytest.mark.parametrize(
    ("seconds", "waiting", "failing", "state"),
    [
        (0.1, 10, "", "ok"),
        (5.0, 10, "", "degraded"),
        (0.1, 4000, "", "degraded"),
        (0.1, 10, "no disk", "degraded"),
        (60.0, 10, "", "down"),
    ],
)
async def test_a_writer_that_is_slow_or_fails_degrades_and_one_that_is_stuck_is_down(
    api: Api, seconds: float, waiting: int, failing: str, state: str
) -> None:
    api.writer = SimpleNamespace(busy_since=time.monotonic() - seconds, waiting=waiting, failing=failing, failed_at=time.monotonic())
    answer = await api.ask(None, "GET", "/health")
    assert (answer.json()["parts"]["writer"]["state"], answer.status_code) == (state, 503 if state == "down" else 200)


async def test_a_failure_of_the_writer_is_told_and_is_forgotten_when_nobody_sends_any_more(api: Api) -> None:
    owner = await api.owner()
    api.writer = SimpleNamespace(busy_since=None, waiting=0, failing="no disk", failed_at=time.monotonic())
    api.use(api.settings)
    writer = (await api.ask(owner, "GET", "/health")).json()["parts"]["writer"]
    assert (writer["state"], writer["detail"]) == ("degraded", "no disk")
    api.writer.failed_at -= FAILING_SECONDS
    assert (await api.ask(owner, "GET", "/health")).json()["status"] == "ok"


async def test_since_is_when_a_part_was_first_seen_in_its_state(api: Api) -> None:
    owner = await api.owner()

    async def writer() -> dict[str, str]:
        return (await api.ask(owner, "GET", "/health")).json()["parts"]["writer"]

    first, second = await writer(), await writer()
    assert first["since"] == second["since"]
    api.writer = SimpleNamespace(busy_since=time.monotonic() - 5, waiting=0, failing="", failed_at=0.0)
    api.use(api.settings)
    changed = await writer()
    assert (changed["state"], changed["since"] >= first["since"]) == ("degraded", True)


async def test_a_bus_that_is_cut_off_degrades_and_the_database_decides_whether_the_server_is_down(api: Api) -> None:
    api.bus = SimpleNamespace(state="degraded")
    api.use(api.settings)
    answer = await api.ask(None, "GET", "/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")


async def test_a_full_disk_degrades(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=4096))
    answer = await api.ask(None, "GET", "/health")
    assert (answer.status_code, answer.json()["status"], answer.json()["parts"]["disk"]) == (200, "degraded", {"state": "degraded"})


async def test_head_is_answered_like_get_without_changes(api: Api) -> None:
    assert (await api.ask(None, "HEAD", "/health/simple")).status_code == 200
    for path in ("/api/signup", "/api/signin", "/api/logout", "/api/refresh", "/api/password"):
        assert (await api.ask(await api.owner(), "GET", path)).status_code == 405


async def test_where_anybody_makes_a_workspace_its_owner_reads_no_metrics_of_the_server(api: Api) -> None:
    owner = await api.owner()
    assert api.settings.signup == "open"
    assert (await api.ask(owner, "GET", "/metrics")).status_code == 403
    assert (await api.ask(None, "GET", "/metrics")).status_code == 401
