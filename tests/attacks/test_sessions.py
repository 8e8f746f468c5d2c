"""Attacks on sessions and tokens, over real sockets."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

import jwt
import pytest

from fechatter.api.routes import OPEN, TABLE
from tests.attacks.conftest import execute
from tests.journeys.client import PASSWORD, Client, colleague, owner, signed_in
from tests.journeys.server import ServerProcess
from tests.journeys.stream import Refused, Stream
from tests.servers.process import PATIENCE_SECONDS

CLOSED_SECONDS = PATIENCE_SECONDS
EXPIRY_SECONDS = 4
"""Enough time for two requests, also on a busy machine."""
MAX_SESSIONS = 50
LATE = {"a session that is nobody's", "another person's session"}
"""The server detects these in the database, after it has refused an invalid body or query."""


async def close_reason(stream: Stream) -> str:
    """Wait for the server to close the stream and return the reason."""
    async with asyncio.timeout(CLOSED_SECONDS):
        last = (await stream.rest())[-1]
    assert last.name == "closing"
    return str(last.data["reason"])


async def check_signed_out(person: Client) -> None:
    """Check that no token of the session works any longer."""
    assert (await person.ask("GET", "/api/users/me")).status == 401
    assert (await person.ask("POST", "/api/chat/1/messages", {"content": "still here"})).status == 401
    with pytest.raises(Refused) as refused:
        await Stream.open(person.server.port, person.token)
    assert refused.value.answer.status == 401
    assert (await refresh(person.server, person.session["refresh_token"])).status == 401


async def refresh(server: ServerProcess, token: str) -> Any:
    return await Client(server).ask("POST", "/api/refresh", {"refresh_token": token})


def protected_routes() -> list[tuple[str, str]]:
    """Return the method and path of every route that requires a token."""
    paths = {path: re.sub(r"\{\w+:id\}", "1", path) for path in TABLE if path not in OPEN}
    return [(method, shown) for path, shown in paths.items() for method in TABLE[path]]


def forged_tokens(server: ServerProcess, person: Client, other: Client) -> dict[str, str]:
    """Return tokens with one fault each. Most are signed with the server's own secret, which no attacker has."""
    secret = (server.data_dir / "secrets" / "jwt_secret").read_text().strip()
    good = jwt.decode(str(person.token), options={"verify_signature": False})
    now = int(time.time())

    def forged(
        key: str | None = secret, algorithm: str = "HS256", typ: str = "at+jwt", kid: str | None = None, **changes: Any
    ) -> str:
        return jwt.encode({**good, **changes}, key, algorithm, headers={"typ": typ} | ({"kid": kid} if kid else {}))

    return {
        "nothing": "",
        "unsigned": forged(None, "none"),
        "another algorithm": forged(secret * 2, "HS512"),
        "another key": forged("x" * 32),
        "a key that it names itself": forged("\0" * 32, kid="../../../dev/zero"),
        "of another type": forged(typ="refresh+jwt"),
        "for another audience": forged(aud="another"),
        "of another issuer": forged(iss="another"),
        "expired": forged(exp=now - 1),
        "of the future": forged(nbf=now + 3600),
        "an object for a number": forged(sid={"$gt": 0}),
        "a session that is nobody's": forged(sid=2**53 - 9),
        "another person's session": forged(
            sid=jwt.decode(str(other.token), options={"verify_signature": False})["sid"]
        ),
        "a refresh token": person.session["refresh_token"],
        "cut short": str(person.token)[:-2],
    }


async def test_every_protected_route_refuses_missing_and_forged_tokens(server: ServerProcess) -> None:
    ada = await owner(server)
    bob = await colleague(ada)
    chat = (await ada.chat("private_channel", bob))["id"]
    for method, path in protected_routes():
        assert (await Client(server).ask(method, path)).status == 401, (method, path)
        assert (await Client(server).ask(method, f"{path}?access_token={ada.token}")).status == 401, (method, path)
    for name, token in forged_tokens(server, ada, bob).items():
        forger = Client(server, {"access_token": token})
        for method, path in protected_routes():
            assert (await forger.ask(method, path)).status in ((400, 401, 422, 426) if name in LATE else (401,)), (
                name,
                method,
                path,
            )
        answer = await forger.ask("POST", f"/api/chat/{chat}/messages", {"content": name})
        assert (answer.status, answer.headers.get("www-authenticate")) == (401, 'Bearer realm="fechatter"'), name
    assert await ada.history(chat) == []


@pytest.mark.usefixtures("transport")
async def test_a_forged_token_opens_no_stream_and_no_request(server: ServerProcess) -> None:
    ada = await owner(server)
    bob = await colleague(ada)
    for name, token in forged_tokens(server, ada, bob).items():
        with pytest.raises(Refused) as refused:
            await Stream.open(server.port, token)
        answer = refused.value.answer
        assert (answer.status, answer.code in ("unauthorized", "session_ended")) == (401, True), name
        assert (await Client(server, {"access_token": token}).ask("GET", "/api/sync")).status == 401, name
        assert (await refresh(server, token)).status in (200, 401)
    assert (await refresh(server, str(ada.token))).code == "unauthorized"
    assert await ada.get("/api/users/me")


@pytest.mark.usefixtures("transport")
async def test_disabling_a_user_ends_their_streams_requests_and_refreshes(server: ServerProcess) -> None:
    ada = await owner(server)
    bob = await colleague(ada, "admin")
    invitation = await bob.post("/api/invitations", {})
    phone = await signed_in(bob)
    streams = [await bob.listen(), await phone.listen()]
    await ada.call("PATCH", f"/api/users/{bob.id}", {"disabled": True})
    assert [await close_reason(stream) for stream in streams] == ["revoked", "revoked"]
    await check_signed_out(bob)
    await check_signed_out(phone)
    credentials = {
        "email": bob.session["user"]["email"],
        "password": PASSWORD,
        "workspace": ada.session["workspace"]["slug"],
    }
    assert (await Client(server).ask("POST", "/api/signin", credentials)).code == "account_disabled"
    assert (await Client(server).ask("POST", "/api/invitations/lookup", {"token": invitation["token"]})).status in (
        403,
        404,
    )


@pytest.mark.usefixtures("transport")
async def test_an_expired_session_ends_its_streams(server: ServerProcess) -> None:
    ada = await owner(server)
    phone = await signed_in(ada)
    kept, ended = await ada.listen(), await phone.listen()
    newest = max(item["id"] for item in (await ada.get("/api/sessions"))["items"])
    expires_at = int((time.time() + EXPIRY_SECONDS) * 1000)
    await execute(server, f"UPDATE sessions SET expires_at = {expires_at} WHERE id = {newest}")
    assert (await phone.ask("GET", "/api/users/me")).status == 200
    # The first stream knows only the expiry at the time when it was opened. A new stream reads it again.
    late = await phone.listen()
    async with asyncio.timeout(EXPIRY_SECONDS + CLOSED_SECONDS):
        assert (await late.rest())[-1].data == {"reason": "revoked"}
    await check_signed_out(phone)
    ended.close()
    await ada.chat("public_channel")
    assert (await kept.next()).name == "member.joined"


@pytest.mark.usefixtures("transport")
@pytest.mark.parametrize("how", ["log out", "end it from another device", "change the password"])
async def test_ending_a_session_ends_its_streams(server: ServerProcess, how: str) -> None:
    ada = await owner(server)
    phone = await signed_in(ada)
    kept, ended = await ada.listen(), await phone.listen()
    if how == "log out":
        await phone.call("POST", "/api/logout")
    elif how == "change the password":
        await ada.post("/api/password", {"current_password": PASSWORD, "new_password": "a better password"})
    else:
        [other] = [item for item in (await ada.get("/api/sessions"))["items"] if not item["current"]]
        await ada.call("DELETE", f"/api/sessions/{other['id']}")
    assert await close_reason(ended) == "revoked"
    await check_signed_out(phone)
    await ada.chat("public_channel")
    assert (await kept.next()).name == "member.joined"


@pytest.mark.usefixtures("transport")
async def test_a_reused_refresh_token_ends_the_session_but_a_lost_response_does_not(server: ServerProcess) -> None:
    ada = await owner(server)
    first = ada.session["refresh_token"]
    lost = (await refresh(server, first)).json
    tabs = await asyncio.gather(*(refresh(server, first) for _ in range(8)))
    assert {answer.json["refresh_token"] for answer in tabs} == {lost["refresh_token"]}
    stream = await ada.listen()
    later = (await refresh(server, lost["refresh_token"])).json
    assert (await refresh(server, first)).code == "token_reused"
    assert await close_reason(stream) == "revoked"
    for session in (lost, later):
        await check_signed_out(Client(server, session))


async def test_when_a_thief_and_the_owner_race_only_the_newest_refresh_token_continues(server: ServerProcess) -> None:
    ada = await owner(server)
    tokens = [ada.session["refresh_token"]] * 2
    for _ in range(4):
        answers = await asyncio.gather(*(refresh(server, token) for token in tokens for _ in range(3)))
        assert {answer.status for answer in answers} == {200}
        assert len({answer.json["refresh_token"] for answer in answers}) == 1
        stolen, tokens = tokens[0], [answers[0].json["refresh_token"]] * 2
    await refresh(server, tokens[0])
    assert (await refresh(server, stolen)).code == "token_reused"
    assert (await refresh(server, tokens[0])).status == 401


@pytest.mark.usefixtures("transport")
async def test_a_person_has_at_most_fifty_sessions(server: ServerProcess) -> None:
    ada = await owner(server)
    oldest = await ada.listen()
    newer = await asyncio.gather(*(signed_in(ada) for _ in range(MAX_SESSIONS)))
    assert await close_reason(oldest) == "revoked"
    await check_signed_out(ada)
    listed = await newer[0].pages("/api/sessions")
    assert len(listed) == MAX_SESSIONS
    answers = await asyncio.gather(*(person.ask("GET", "/api/users/me") for person in newer))
    assert {answer.status for answer in answers} == {200}


async def test_get_requests_change_nothing(server: ServerProcess) -> None:
    ada = await owner(server)
    before = await ada.cursor()
    disguises = {"x-http-method-override": "DELETE", "x-method-override": "DELETE", "x-http-method": "DELETE"}
    for path, methods in TABLE.items():
        shown = re.sub(r"\{\w+:id\}", "1", path)
        if "GET" in methods or "{" in shown:
            continue
        for asked in (shown, f"{shown}?_method=DELETE"):
            assert (await ada.ask("GET", asked, headers=disguises)).status == 405, path
    assert await ada.cursor() == before
    assert await ada.get("/api/users/me")


async def test_a_page_of_another_site_cannot_use_the_cookie_or_open_a_web_socket(server: ServerProcess) -> None:
    ada = await owner(server)
    cookie = f"fechatter_refresh_{ada.workspace_id}={ada.session['refresh_token']}"
    slug = {"workspace": ada.session["workspace"]["slug"]}
    evil = {"cookie": cookie, "origin": "http://evil.example"}
    stranger = Client(server)
    for headers in (evil, {**evil, "x-requested-with": "fechatter"}, {"cookie": cookie}):
        assert (await stranger.ask("POST", "/api/refresh", slug, headers)).code == "cross_site"
    for path in ("/api/users/me", "/api/sync", "/events"):
        assert (await stranger.ask("GET", path, headers={**evil, "x-requested-with": "fechatter"})).status == 401
    upgrade = {
        "connection": "upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    for path in ("/ws", "/events"):
        assert (await Client(server).ask("GET", path, headers={**evil, **upgrade})).status in (400, 401, 403, 404, 426)
    form = {"content-type": "text/plain"}
    body = {"email": ada.session["user"]["email"], "password": PASSWORD}
    assert (await stranger.ask("POST", "/api/signin", body, {**form, "origin": "http://evil.example"})).status == 415
    plain = await stranger.ask("POST", "/api/signin", body, {"origin": "http://evil.example"})
    assert (plain.status, "set-cookie" in plain.headers) == (200, False)
