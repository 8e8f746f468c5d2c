"""The server's reports about itself: `/api/server`, `/health` and `/metrics`."""

from __future__ import annotations

import shutil
import time
from types import SimpleNamespace

import pytest

from fechatter.api.endpoints.health import FAILING_SECONDS
from tests.accounts.conftest import Api


async def test_the_server_describes_itself(api: Api) -> None:
    answer = (await api.ask(None, "GET", "/api/server")).json()
    assert {"version", "api_level", "features", "limits", "signup", "name"} <= set(answer)
    assert answer["limits"]["message_characters"] == 4000


async def test_the_server_reports_whether_its_set_up_link_was_used(api: Api) -> None:
    assert (await api.ask(None, "GET", "/api/server")).json()["set_up"] is False
    await api.owner(setup_token=api.secrets.setup_token)
    assert (await api.ask(None, "GET", "/api/server")).json()["set_up"] is True


async def test_health_details_are_for_admins_only(api: Api) -> None:
    owner = await api.owner()
    member = await api.colleague(owner)
    assert (await api.ask(None, "GET", "/health/simple")).json() == {"status": "ok"}
    for who in (None, member, {"access_token": "bad"}):
        parts = {name: {"state": "ok"} for name in ("database", "writer", "disk", "bus", "event_loop")}
        assert (await api.ask(who, "GET", "/health")).json() == {"status": "ok", "parts": parts}
    parts = (await api.ask(owner, "GET", "/health")).json()["parts"]
    assert {"latency_seconds", "since", "state"} <= set(parts["database"])
    assert all("since" in part for part in parts.values())


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
async def test_a_slow_or_failing_writer_is_degraded_and_a_stuck_one_is_down(
    api: Api, seconds: float, waiting: int, failing: str, state: str
) -> None:
    api.writer = SimpleNamespace(
        busy_since=time.monotonic() - seconds, waiting=waiting, failing=failing, failed_at=time.monotonic()
    )
    answer = await api.ask(None, "GET", "/health")
    assert (answer.json()["parts"]["writer"]["state"], answer.status_code) == (state, 503 if state == "down" else 200)


async def test_a_writers_failure_is_reported_and_expires_without_further_sends(api: Api) -> None:
    owner = await api.owner()
    api.writer = SimpleNamespace(busy_since=None, waiting=0, failing="no disk", failed_at=time.monotonic())
    api.use(api.settings)
    writer = (await api.ask(owner, "GET", "/health")).json()["parts"]["writer"]
    assert (writer["state"], writer["detail"]) == ("degraded", "no disk")
    api.writer.failed_at -= FAILING_SECONDS
    assert (await api.ask(owner, "GET", "/health")).json()["status"] == "ok"


async def test_since_is_the_time_when_a_part_entered_its_state(api: Api) -> None:
    owner = await api.owner()

    async def writer() -> dict[str, str]:
        return (await api.ask(owner, "GET", "/health")).json()["parts"]["writer"]

    first, second = await writer(), await writer()
    assert first["since"] == second["since"]
    api.writer = SimpleNamespace(busy_since=time.monotonic() - 5, waiting=0, failing="", failed_at=0.0)
    api.use(api.settings)
    changed = await writer()
    assert (changed["state"], changed["since"] >= first["since"]) == ("degraded", True)


async def test_an_unreachable_bus_degrades_the_server_without_taking_it_down(api: Api) -> None:
    api.bus = SimpleNamespace(state="degraded")
    api.use(api.settings)
    answer = await api.ask(None, "GET", "/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")


async def test_a_full_disk_degrades_the_server(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=4096))
    answer = await api.ask(None, "GET", "/health")
    assert (answer.status_code, answer.json()["status"], answer.json()["parts"]["disk"]) == (
        200,
        "degraded",
        {"state": "degraded"},
    )


async def test_head_requests_work_and_get_requests_cannot_change_anything(api: Api) -> None:
    assert (await api.ask(None, "HEAD", "/health/simple")).status_code == 200
    for path in ("/api/signup", "/api/signin", "/api/logout", "/api/refresh", "/api/password"):
        assert (await api.ask(await api.owner(), "GET", path)).status_code == 405


async def test_with_open_sign_up_workspace_owners_cannot_read_the_servers_metrics(api: Api) -> None:
    owner = await api.owner()
    assert api.settings.signup == "open"
    assert (await api.ask(owner, "GET", "/metrics")).status_code == 403
    assert (await api.ask(None, "GET", "/metrics")).status_code == 401
