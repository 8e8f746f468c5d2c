"""Sessions over HTTP: refresh tokens, cookies, lists and log-outs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fechatter.accounts import sessions
from fechatter.auth.secrets import open_secrets
from fechatter.settings import Settings, load_settings
from fechatter.storage.engines.base import Transaction
from tests.accounts.conftest import Api, refusal


async def test_a_refreshed_session_continues(api: Api) -> None:
    owner = await api.owner()
    second = (await api.refresh(owner["refresh_token"])).json()
    third = (await api.refresh(second["refresh_token"])).json()
    assert len({owner["refresh_token"], second["refresh_token"], third["refresh_token"]}) == 3
    assert await api.is_signed_in(third)
    assert len((await api.ask(third, "GET", "/api/sessions")).json()["items"]) == 1


async def test_a_repeated_refresh_returns_the_same_token(api: Api) -> None:
    owner = await api.owner()
    lost = (await api.refresh(owner["refresh_token"])).json()
    again = (await api.refresh(owner["refresh_token"])).json()
    assert again["refresh_token"] == lost["refresh_token"]
    assert (await api.refresh(lost["refresh_token"])).status_code == 200


async def test_two_tabs_that_refresh_at_once_both_stay_signed_in(api: Api) -> None:
    owner = await api.owner()
    answers = await asyncio.gather(*(api.refresh(owner["refresh_token"]) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1


async def test_reusing_an_old_refresh_token_ends_the_session(api: Api) -> None:
    owner = await api.owner()
    second = (await api.refresh(owner["refresh_token"])).json()
    third = (await api.refresh(second["refresh_token"])).json()
    api.events()
    assert refusal(await api.refresh(owner["refresh_token"])) == (401, "token_reused")
    assert [event["type"] for event in api.events()] == ["session.revoked"]
    assert refusal(await api.refresh(third["refresh_token"])) == (401, "unauthorized")
    assert not await api.is_signed_in(third)


async def test_a_forged_refresh_token_is_refused_and_ends_nothing(api: Api) -> None:
    owner = await api.owner()
    session_id, generation, proof = owner["refresh_token"].split(".")
    other = await api.owner()
    for token in (
        f"{session_id}.{generation}.{'A' * len(proof)}",
        f"{session_id}.0.{proof}",
        f"{session_id}.9.{proof}",
        f"{int(session_id) + 10**6}.{generation}.{proof}",
        f"{other['refresh_token'].split('.')[0]}.{generation}.{proof}",
        owner["access_token"],
        "",
    ):
        assert refusal(await api.refresh(token)) == (401, "unauthorized")
    assert refusal(await api.ask({"access_token": owner["refresh_token"]}, "GET", "/api/users/me"))[0] == 401
    assert (await api.refresh(owner["refresh_token"])).status_code == 200


async def test_an_unused_session_expires(api: Api) -> None:
    owner = await api.owner()

    async def age(tx: Transaction) -> None:
        await tx.execute("UPDATE sessions SET expires_at = $1", tx.now)

    await api.database.write_unlocked(age)
    assert not await api.is_signed_in(owner)
    assert refusal(await api.refresh(owner["refresh_token"])) == (401, "unauthorized")


async def test_above_the_limit_the_longest_unused_session_ends(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MAX_SESSIONS", 3)
    owner = await api.owner()
    others = [(await api.sign_in(owner)).json() for _ in range(2)]
    await api.database.write_unlocked(lambda tx: tx.execute("UPDATE sessions SET last_used_at = last_used_at - 5000"))
    owner = (await api.refresh(owner["refresh_token"])).json()
    newest = (await api.sign_in(owner)).json()
    assert [await api.is_signed_in(session) for session in (owner, *others, newest)] == [True, False, True, True]


async def count_sessions(api: Api, who: dict[str, Any]) -> int:
    """Count the rows of a person's sessions."""
    sql = "SELECT id FROM sessions WHERE user_id = $1"
    return len(await api.database.read(lambda tx: tx.fetch(sql, int(who["user"]["id"]))))


async def test_ended_sessions_leave_no_rows(api: Api, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(sessions, "MAX_SESSIONS", 2)
    owner = await api.owner()
    for _ in range(4):
        newest = (await api.sign_in(owner)).json()
    assert (await api.ask(newest, "POST", "/api/logout")).status_code == 204
    assert await count_sessions(api, owner) == 1


@pytest.mark.parametrize(("days", "kept"), [(1, 2), (8, 1)])
async def test_a_sign_in_deletes_sessions_that_expired_long_ago(api: Api, days: int, kept: int) -> None:
    owner = await api.owner()
    age_ms = days * sessions.DAY_MS
    expire = "UPDATE sessions SET expires_at = $1 WHERE user_id = $2"
    await api.database.write_unlocked(lambda tx: tx.execute(expire, tx.now - age_ms, int(owner["user"]["id"])))
    api.events()
    await api.sign_in(owner)
    assert (await count_sessions(api, owner), api.events()) == (kept, [])


async def test_only_their_own_person_can_list_and_end_sessions(api: Api) -> None:
    owner = await api.owner()
    phone = (await api.sign_in(owner)).json()
    stranger = await api.colleague(owner)
    listed = (await api.ask(owner, "GET", "/api/sessions", user_agent="x")).json()
    assert listed["next"] is None
    assert [item["current"] for item in listed["items"]] == [True, False]
    assert listed["items"][0]["address"] == "192.0.2.7"
    phone_id = listed["items"][1]["id"]
    paged = (await api.ask(owner, "GET", "/api/sessions?limit=1")).json()
    after = (await api.ask(owner, "GET", f"/api/sessions?limit=1&cursor={paged['next']}")).json()
    assert [after["items"][0]["id"], after["next"]] == [phone_id, None]
    assert refusal(await api.ask(stranger, "DELETE", f"/api/sessions/{phone_id}")) == (404, "not_found")
    api.events()
    assert (await api.ask(owner, "DELETE", f"/api/sessions/{phone_id}")).status_code == 204
    frames = [event["type"] for event in api.events()]
    assert frames == ["session.revoked"]
    assert not await api.is_signed_in(phone)
    assert refusal(await api.ask(owner, "DELETE", f"/api/sessions/{phone_id}")) == (404, "not_found")


async def test_logging_out_ends_only_the_current_session(api: Api) -> None:
    owner = await api.owner()
    phone = (await api.sign_in(owner)).json()
    answer = await api.ask(phone, "POST", "/api/logout")
    assert answer.status_code == 204
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert [await api.is_signed_in(owner), await api.is_signed_in(phone)] == [True, False]
    assert refusal(await api.ask(phone, "POST", "/api/logout")) == (401, "unauthorized")
    assert refusal(await api.refresh(phone["refresh_token"])) == (401, "unauthorized")


async def test_a_browser_keeps_its_refresh_token_in_a_cookie(api: Api) -> None:
    owner = await api.owner()
    body = {"email": owner["user"]["email"], "password": "correct horse battery"}
    answer = await api.ask(None, "POST", "/api/signin", body, x_requested_with="fechatter")
    assert "refresh_token" not in answer.json()
    cookie, _, rest = answer.headers["set-cookie"].partition(";")
    assert cookie.startswith(f"fechatter_refresh_{api.secrets.server_id}_{owner['workspace']['id']}=")
    assert rest == " Path=/api/refresh; Max-Age=2592000; HttpOnly; SameSite=Strict"
    slug = {"workspace": owner["workspace"]["slug"]}
    kept = await api.ask(
        None, "POST", "/api/refresh", slug, x_requested_with="fechatter", cookie=cookie, origin="http://chat.example"
    )
    assert kept.status_code == 200
    assert "refresh_token" not in kept.json()
    assert await api.is_signed_in(kept.json())


def _cookie_value(headers: list[str], name: str) -> str | None:
    """Return the value that these Set-Cookie headers store under the name, or None."""
    pairs = [header.partition(";")[0].partition("=") for header in headers]
    return next((value for key, _, value in pairs if key == name), None)


async def test_two_servers_on_one_host_use_separate_cookies(api: Api, tmp_path: Path) -> None:
    other = open_secrets(Settings(data_dir=tmp_path / "other"))
    assert other.server_id != api.secrets.server_id
    owner = await api.owner()
    ours = f"fechatter_refresh_{api.secrets.server_id}_{owner['workspace']['id']}={owner['refresh_token']}"
    theirs = f"fechatter_refresh_{other.server_id}_{owner['workspace']['id']}=77.1.theirs"
    body = {"workspace": owner["workspace"]["slug"]}
    kept = await api.ask(None, "POST", "/api/refresh", body, x_requested_with="fechatter", cookie=f"{theirs}; {ours}")
    assert kept.status_code == 200
    assert not any(other.server_id in header for header in kept.headers.get_list("set-cookie"))


async def test_the_cookie_of_an_older_version_is_accepted_once_and_replaced(api: Api) -> None:
    owner = await api.owner()
    old = f"fechatter_refresh_{owner['workspace']['id']}"
    new = f"fechatter_refresh_{api.secrets.server_id}_{owner['workspace']['id']}"
    body = {"workspace": owner["workspace"]["slug"]}
    first = await api.ask(
        None, "POST", "/api/refresh", body, x_requested_with="fechatter", cookie=f"{old}={owner['refresh_token']}"
    )
    assert first.status_code == 200
    assert _cookie_value(first.headers.get_list("set-cookie"), old) == ""
    token = _cookie_value(first.headers.get_list("set-cookie"), new)
    # Another server on this host may have stored its own cookie under the old name.
    second = await api.ask(
        None, "POST", "/api/refresh", body, x_requested_with="fechatter", cookie=f"{old}=77.1.theirs; {new}={token}"
    )
    assert second.status_code == 200
    assert _cookie_value(second.headers.get_list("set-cookie"), old) is None
    foreign = await api.ask(
        None, "POST", "/api/refresh", body, x_requested_with="fechatter", cookie=f"{old}=77.1.theirs"
    )
    assert refusal(foreign) == (401, "unauthorized")
    assert "set-cookie" not in foreign.headers


async def test_the_origin_check_compares_origins_instead_of_text(api: Api) -> None:
    owner = await api.owner()
    name = f"fechatter_refresh_{api.secrets.server_id}_{owner['workspace']['id']}"
    cases = [
        ("https://chat.example.org:443", "https://chat.example.org", 200),
        ("https://chat.example.org", "https://chat.example.org:443", 200),
        ("HTTPS://Chat.Example.org/", "https://chat.example.org", 200),
        ("https://bücher.example", "https://xn--bcher-kva.example", 200),
        ("http://[2001:DB8:0::1]:80", "http://[2001:db8::1]", 200),
        ("https://chat.example.org:8443", "https://chat.example.org", 403),
        ("https://chat.example.org", "http://chat.example.org", 403),
        ("https://chat.example.org", "https://chat.example.org.evil.example", 403),
        ("https://chat.example.org", "null", 403),
        (None, "https://chat.example", 200),
        (None, "http://chat.example:8080", 403),
    ]
    for public_url, origin, status in cases:
        environ = {} if public_url is None else {"FECHATTER_PUBLIC_URL": public_url}
        settings = load_settings(None, environ)
        api.use(msgspec.structs.replace(api.settings, public_url=settings.public_url))
        cookie, body = f"{name}={owner['refresh_token']}", {"workspace": owner["workspace"]["slug"]}
        answer = await api.ask(
            None, "POST", "/api/refresh", body, x_requested_with="fechatter", origin=origin, cookie=cookie
        )
        assert answer.status_code == status, (public_url, origin)
        owner["refresh_token"] = _cookie_value(answer.headers.get_list("set-cookie"), name) or owner["refresh_token"]


async def test_a_cookie_is_refused_from_another_site_and_for_another_workspace(api: Api) -> None:
    owner, other = await api.owner(), await api.owner()
    cookie = f"fechatter_refresh_{owner['workspace']['id']}={owner['refresh_token']}"
    slug = {"workspace": owner["workspace"]["slug"]}
    refused = await api.ask(None, "POST", "/api/refresh", slug, cookie=cookie)
    assert refusal(refused) == (403, "cross_site")
    for origin in ("http://evil.example", "null", "http://chat.example.evil.example", "http://["):
        refused = await api.ask(
            None, "POST", "/api/refresh", slug, cookie=cookie, origin=origin, x_requested_with="fechatter"
        )
        assert refusal(refused) == (403, "cross_site")
    moved = f"fechatter_refresh_{other['workspace']['id']}={owner['refresh_token']}"
    for workspace, sent in (
        (other["workspace"]["slug"], moved),
        ("nowhere", cookie),
        (other["workspace"]["slug"], cookie),
    ):
        refused = await api.ask(
            None, "POST", "/api/refresh", {"workspace": workspace}, cookie=sent, x_requested_with="fechatter"
        )
        assert refusal(refused) == (401, "unauthorized")
    assert refusal(await api.ask(None, "POST", "/api/refresh", {})) == (422, "invalid")


async def test_cookies_are_secure_when_the_client_uses_https(api: Api) -> None:
    owner = await api.owner()
    body = {"email": owner["user"]["email"], "password": "correct horse battery"}
    asked = {"x_requested_with": "fechatter", "x_forwarded_proto": "https", "x_forwarded_for": "203.0.113.9, 192.0.2.1"}
    forged = await api.ask(None, "POST", "/api/signin", body, **asked)
    assert "Secure" not in forged.headers["set-cookie"]
    api.use(msgspec.structs.replace(api.settings, trusted_proxies=("192.0.2.0/24",)))
    believed = await api.ask(None, "POST", "/api/signin", body, **asked)
    assert "; Secure" in believed.headers["set-cookie"]
    chain = await api.ask(
        None, "POST", "/api/signin", body, x_requested_with="fechatter", x_forwarded_proto="https, http"
    )
    assert "; Secure" in chain.headers["set-cookie"]
    addresses = [item["address"] for item in (await api.ask(owner, "GET", "/api/sessions")).json()["items"]]
    assert addresses == ["192.0.2.7", "192.0.2.7", "203.0.113.9", "192.0.2.7"]
    api.use(msgspec.structs.replace(api.settings, public_url="https://chat.example"))
    assert (
        "; Secure"
        in (await api.ask(None, "POST", "/api/signin", body, x_requested_with="fechatter")).headers["set-cookie"]
    )
