from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest

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
        parts = {name: {"state": "ok"} for name in ("database", "disk", "bus")}
        assert (await api.ask(who, "GET", "/health")).json() == {"status": "ok", "parts": parts}
    assert "latency_seconds" in (await api.ask(owner, "GET", "/health")).json()["parts"]["database"]


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
