"""Attacks on signing in, over real sockets."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Any

import pytest

from tests.journeys.client import PASSWORD, Client, colleague, owner
from tests.journeys.server import ServerProcess
from tests.journeys.sharing import SharedServers
from tests.journeys.wire import Answer, Wire, head

MEBIBYTE = 1024 * 1024
SIGN_INS = 200
HASH_BYTES = 19 * MEBIBYTE
"""The memory of one Argon2 hash. A server that hashed all sign-ins at once would need SIGN_INS times as much."""
PAIR_TRIES = 10


def credentials(person: Client, password: str = PASSWORD) -> dict[str, Any]:
    return {
        "email": person.session["user"]["email"],
        "password": password,
        "workspace": person.session["workspace"]["slug"],
    }


@pytest.fixture(scope="module")
def server(engine: str, shared_servers: SharedServers) -> ServerProcess:
    """A server that hashes passwords at full cost."""
    return shared_servers(engine, signup="open", heartbeat_seconds="1")


async def sign_in(server: ServerProcess, body: Any, **headers: str) -> Answer:
    return await Client(server).ask(
        "POST", "/api/signin", body, {name.replace("_", "-"): text for name, text in headers.items()}
    )


def comparable(answer: Answer) -> dict[str, Any]:
    """Return the parts of a refusal that must not differ."""
    return {**answer.json, "request_id": None, "headers": {name for name in answer.headers if name != "date"}}


async def test_a_password_of_megabytes_is_refused_without_the_cost_of_a_hash(server: ServerProcess) -> None:
    ada = await owner(server)
    computed = server.cpu_seconds()
    for _ in range(10):
        await sign_in(server, credentials(ada))
    hashing, computed = server.cpu_seconds() - computed, server.cpu_seconds()
    for _ in range(10):
        announced = await Wire.open(server.port)
        announced.writer.write(head("POST", "/api/signin", {"content-length": str(5 * MEBIBYTE)}))
        assert (await announced.answer()).status == 413
        announced.close()
    assert server.cpu_seconds() - computed < hashing / 2
    for password in ("x" * 60_000, "\U0001f980" * 15_000, "x" * 257):
        assert (await sign_in(server, credentials(ada, password))).code == "wrong_credentials"
        change = {"current_password": password, "new_password": "a better password"}
        assert (await ada.ask("POST", "/api/password", change)).code == "wrong_password"
        change = {"current_password": PASSWORD, "new_password": password}
        assert (await ada.ask("POST", "/api/password", change)).status == 422


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True, scope="module")
async def test_200_concurrent_sign_ins_keep_memory_bounded_and_other_requests_fast(server: ServerProcess) -> None:
    ada = await owner(server)
    before, began, most = server.memory_bytes(), time.monotonic(), 0
    answered = []
    signing_in = [asyncio.ensure_future(sign_in(server, credentials(ada))) for _ in range(SIGN_INS)]
    while not all(one.done() for one in signing_in):
        asked = time.monotonic()
        assert (await ada.ask("GET", "/health/simple")).status == 200
        await Client(server).ask("GET", "/api/users/me")
        answered.append(time.monotonic() - asked)
        most = max(most, server.memory_bytes())
        await asyncio.sleep(0.02)
    answers = await asyncio.gather(*signing_in)
    assert {answer.status for answer in answers} == {200}
    # If requests waited behind the hashes, each would take as long as all hashes together.
    assert statistics.median(answered) < (time.monotonic() - began) / 10
    assert most - before < SIGN_INS * HASH_BYTES / 20


@pytest.mark.parametrize("strange", [{"$gt": ""}, {"$ne": None}, ["ada"], 5, True, None])
async def test_values_that_are_not_strings_are_refused(server: ServerProcess, strange: Any) -> None:
    ada = await owner(server)
    stranger = Client(server)
    for name in ("email", "password"):
        answer = await sign_in(server, {**credentials(ada), name: strange})
        assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, f"/{name}")
    if strange is not None:
        assert (await sign_in(server, {**credentials(ada), "workspace": strange})).status == 422
        assert (
            await stranger.ask("POST", "/api/signup", {**credentials(ada), "fullname": "x", "invitation": strange})
        ).status == 422
        assert (await stranger.ask("POST", "/api/refresh", {"refresh_token": strange})).status == 422
    assert (await stranger.ask("POST", "/api/invitations/lookup", {"token": strange})).status == 422
    assert (
        await ada.ask("POST", "/api/password", {"current_password": PASSWORD, "new_password": strange})
    ).status == 422


async def test_filters_are_neither_patterns_nor_sql(server: ServerProcess) -> None:
    ada = await owner(server)
    for text in ("%25", "_", "'%20OR%201=1--", "!", "%5C", "%00"):
        found = await ada.ask("GET", f"/api/users?q={text}")
        assert found.status == 422 or found.json["items"] == [], text
    for query in ("ids[$gt]=0", "limit[]=1", "q[$regex]=.*", "ids=1%20OR%201=1", "cursor={}", "limit=1e9"):
        answer = await ada.ask("GET", f"/api/users?{query}")
        assert answer.status in (200, 422), query
        if answer.status == 200:
            assert [item["id"] for item in answer.json["items"]] == [ada.id], query
    for email in ("ada' OR '1'='1", '"ada"@example.org', "*@example.org", "ada\u0000@example.org", "%@%"):
        assert (
            await sign_in(server, {"email": email, "password": PASSWORD, "workspace": "%"})
        ).code == "wrong_credentials"


async def test_secrets_appear_neither_in_logs_nor_in_responses(limited_server: ServerProcess) -> None:
    ada = await owner(limited_server)
    invitation = await ada.post("/api/invitations", {})
    bob = await colleague(ada)
    secrets = [
        PASSWORD,
        "a wrong one, typed in haste",
        invitation["token"],
        str(ada.token),
        ada.session["refresh_token"],
        str(bob.token),
    ]
    secrets.append((limited_server.data_dir / "secrets" / "jwt_secret").read_text().strip())
    wrong, stranger = secrets[1], Client(limited_server)
    answers = [
        await sign_in(limited_server, credentials(ada, wrong)),
        await sign_in(limited_server, {**credentials(ada, wrong), "pass": wrong}),
        await sign_in(limited_server, {**credentials(ada, wrong), "email": {"password": wrong}}),
        await stranger.ask("POST", "/api/signin", raw=b'{"password": "' + wrong.encode()),
        await stranger.ask("GET", f"/api/users/me?access_token={ada.token}&password={wrong.replace(' ', '%20')}"),
        await stranger.ask("POST", "/api/refresh", {"refresh_token": ada.session["refresh_token"] + "x"}),
        await stranger.ask("POST", "/api/invitations/lookup", {"token": [invitation["token"]]}),
        await stranger.ask(
            "POST", "/api/signup", {**credentials(ada), "fullname": "x", "invitation": invitation["token"]}
        ),
        await ada.ask("POST", "/api/password", {"current_password": wrong, "new_password": "short"}),
        await ada.ask("GET", "/api/sessions"),
        await ada.ask("GET", "/api/invitations"),
        await ada.ask("GET", "/health"),
    ]
    text = (
        b"".join(answer.body for answer in answers).decode()
        + str([answer.headers for answer in answers])
        + limited_server.output
    )
    assert [secret for secret in secrets if secret in text] == []


async def test_refusals_and_limits_do_not_reveal_whether_an_account_exists(limited_server: ServerProcess) -> None:
    ada = await owner(limited_server)
    gone = await colleague(ada)
    await ada.call("PATCH", f"/api/users/{gone.id}", {"disabled": True})
    known, disabled = credentials(ada, "wrong password"), credentials(gone, "wrong password")
    unknown = {**known, "email": "nobody@example.org"}
    elsewhere = {**known, "email": "nobody@else.example", "workspace": "there-is-none"}
    answers = [
        [await sign_in(limited_server, body) for _ in range(PAIR_TRIES + 1)]
        for body in (known, disabled, unknown, elsewhere)
    ]
    for tries in zip(*answers, strict=True):
        assert [comparable(answer) for answer in tries] == [comparable(tries[0])] * len(tries)
    assert [answer.status for answer in answers[0]] == [401] * PAIR_TRIES + [429]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True, scope="module")
async def test_response_times_do_not_reveal_whether_an_account_exists(server: ServerProcess) -> None:
    ada = await owner(server)
    known = credentials(ada, "wrong password")
    unknown = {**known, "email": "nobody@example.org"}

    async def computed(body: Any) -> float:
        before = server.cpu_seconds()
        for _ in range(12):
            await sign_in(server, body)
        return server.cpu_seconds() - before

    assert 0.5 < await computed(unknown) / await computed(known) < 2.0
    for body in (known, unknown):
        began = time.monotonic()
        await sign_in(server, {**body, "workspace": None})
        assert time.monotonic() - began >= 0.5


async def test_forged_proxy_headers_do_not_evade_limits(limited_server: ServerProcess) -> None:
    ada = await owner(limited_server)
    body = credentials(ada, "wrong password")
    names = ("x_forwarded_for", "forwarded", "x_real_ip", "x_client_ip", "cf_connecting_ip")
    forged = [
        {name: ("for=" if name == "forwarded" else "") + f"198.51.100.{number}" for name in names}
        for number in range(PAIR_TRIES + 1)
    ]
    answers = [await sign_in(limited_server, body, **headers) for headers in forged]
    assert [answer.status for answer in answers] == [401] * PAIR_TRIES + [429]
    last = answers[-1]
    assert (last.code, 1 <= int(last.headers["retry-after"]) <= 60) == ("too_many_attempts", True)
    assert last.headers["ratelimit-policy"] == '"signin";q=10;w=600'
    assert (await sign_in(limited_server, credentials(ada), x_forwarded_for="203.0.113.1")).status == 429
    assert {item["address"] for item in (await ada.get("/api/sessions"))["items"]} == {"127.0.0.1"}


async def test_every_endpoint_that_accepts_guesses_is_limited(limited_server: ServerProcess) -> None:
    ada = await owner(limited_server)
    stranger = Client(limited_server)
    change = {"current_password": "wrong password", "new_password": "a better password"}
    endpoints: list[tuple[Client, str, Any, int, int]] = [
        (ada, "/api/password", change, 10, 403),
        (stranger, "/api/invitations/lookup", {"token": "guess"}, 30, 404),
        (stranger, "/api/refresh", {"refresh_token": "1.1.guess"}, 60, 401),
        (
            stranger,
            "/api/signup",
            {**credentials(ada), "workspace": None, "fullname": "x", "invitation": "guess"},
            30,
            403,
        ),
    ]
    for person, path, body, tries, status in endpoints:
        answers = [await person.ask("POST", path, body) for _ in range(tries + 5)]
        # All tests share one address, so earlier tests may have used a part of the limit.
        counted = [answer.status for answer in answers].count(status)
        assert answers[0].status == status, path
        assert tries // 2 <= counted <= tries + 1, path
        assert answers[-1].code == "too_many_attempts", path
    assert (await ada.ask("GET", "/api/users/me")).status == 200
    assert (await sign_in(limited_server, credentials(ada))).status == 200
