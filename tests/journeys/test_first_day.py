"""The first day with a server, from the set-up link to a power cut."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.client import PASSWORD, Client, colleague, owner
from tests.journeys.server import ServerProcess
from tests.journeys.stream import Stream


async def test_from_the_set_up_link_to_a_power_cut_and_recovery(
    own_server: ServerProcess, record_property: Callable[[str, object], None]
) -> None:
    own_server.start()
    first_start = own_server.cpu_seconds()
    ada = await owner(own_server, "Acme", setup_token=own_server.setup_token)
    assert ada.session["workspace"]["slug"] == "acme"
    bob, cyd = await colleague(ada), await colleague(ada)

    chat_id = await _join_every_kind_of_chat(ada, bob, cyd)
    stream = await bob.listen(await bob.cursor())
    await stream.until("resumed")
    hello = await ada.send(chat_id, "Hello, Bob")
    assert (await stream.until("message.created"))[-1].data["data"]["message"] == hello
    answer = await bob.send(chat_id, "Hello, Ada")
    edited = await ada.call("PATCH", f"/api/chat/{chat_id}/messages/{hello['id']}", {"content": "Hello, dear Bob"})
    await bob.call("DELETE", f"/api/chat/{chat_id}/messages/{answer['id']}")
    seen = await stream.until("message.deleted")
    assert [event.name for event in seen] == ["message.created", "message.edited", "message.deleted"]
    assert seen[1].data["data"]["message"] == edited
    await ada.send(chat_id, "What was that?")
    await bob.call("PUT", f"/api/chat/{chat_id}/read", {"number": 3})
    _, moved = await stream.until("read.moved")
    assert moved.id is None
    read = moved.data["data"]["read"]
    assert (read["chat_id"], read["last_read_number"], read["revision"]) == (chat_id, 3, 0)

    state = await bob.get("/api/sync")
    position = state["cursor"]
    assert position == stream.cursor
    missed = await ada.send(chat_id, "You will read this later")
    assert [event["data"]["message"] for event in await bob.events(position)] == [missed]
    before = await bob.get("/api/sync")
    messages = await bob.history(chat_id)
    own_server.kill()

    seconds = await asyncio.to_thread(own_server.start)
    record_property("seconds_to_the_first_answer_after_a_crash", round(seconds, 3))
    assert own_server.cpu_seconds() < 2 * first_start, f"{seconds:.2f} s by the clock"
    assert await bob.get("/api/sync") == before
    assert await bob.history(chat_id) == messages
    stream = await bob.listen(position)
    replay = await stream.until("resumed")
    assert [event.name for event in replay] == ["hello", "message.created", "resumed"]
    assert replay[1].data["data"]["message"] == missed
    later = await ada.send(chat_id, "And this at once")
    assert (await stream.next()).data["data"]["message"] == later
    assert [message["number"] for message in await bob.history(chat_id)] == [1, 2, 3, 4, 5]


async def _join_every_kind_of_chat(ada: Client, bob: Client, cyd: Client) -> int:
    """Create the chats and check the events on Bob's stream; returns the id of the private channel."""
    stream = await bob.listen()
    chats = [
        await ada.chat("single", bob),
        await ada.chat("group", bob, cyd),
        await ada.chat("private_channel", bob),
        await ada.chat("public_channel"),
    ]
    await bob.post(f"/api/chat/{chats[3]['id']}/join")
    joined: list[str] = []
    while len(joined) < len(chats):
        *_, event = await stream.until("member.joined")
        if event.data["data"]["member"]["user_id"] == bob.id:
            joined.append(event.data["data"]["chat"]["chat_type"])
    assert joined == ["single", "group", "private_channel", "public_channel"]
    stream.close()
    return int(chats[2]["id"])


async def test_the_set_up_link_works_once(own_server: ServerProcess) -> None:
    own_server.start()
    token = own_server.setup_token
    person = {"email": "ada@example.org", "password": PASSWORD, "fullname": "Ada", "workspace": "Acme"}
    strangers = [Client(own_server) for _ in range(5)]
    wanted = [{**person, "workspace": f"Acme {number}", "setup_token": token} for number in range(5)]
    answers = await asyncio.gather(
        *(stranger.ask("POST", "/api/signup", body) for stranger, body in zip(strangers, wanted, strict=True))
    )
    assert sorted(answer.status for answer in answers)[0] == 201
    assert all(400 <= answer.status < 500 for answer in sorted(answers, key=lambda each: each.status)[1:])
    again = await strangers[0].ask("POST", "/api/signup", {**person, "setup_token": token})
    wrong = await strangers[0].ask("POST", "/api/signup", {**person, "setup_token": "x" + token[1:]})
    assert (again.status, again.code) == (wrong.status, wrong.code)
    own_server.stop()
    before = own_server.output
    own_server.start()
    own_server.stop()
    assert "/setup#token=" not in own_server.output[len(before) :]


def check_second_server_is_refused(folder: Path, setting: str, value: str) -> None:
    """Start a second server with this setting of the first one. Its output must name the setting and the value."""
    (folder / "other").mkdir()
    output = ServerProcess(folder / "other", **{setting: value}).expect_failed_start()
    assert value in output
    assert f"FECHATTER_{setting.upper()}" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_port_in_use_is_reported_with_its_setting(own_server: ServerProcess, tmp_path: Path) -> None:
    own_server.start()
    check_second_server_is_refused(tmp_path, "port", str(own_server.port))


async def test_a_second_server_on_the_same_data_folder_is_refused(own_server: ServerProcess, tmp_path: Path) -> None:
    own_server.start()
    check_second_server_is_refused(tmp_path, "data_dir", str(own_server.data_dir))


async def test_a_foreign_database_is_refused_and_left_unchanged(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path)
    server.data_dir.mkdir()
    path = server.data_dir / "fechatter.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE recipes (id INTEGER)")
    connection.close()
    before = path.read_bytes()
    output = server.expect_failed_start()
    assert "of another program" in output
    assert "recipes" in output
    assert "Traceback" not in output
    assert path.read_bytes() == before


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_only_the_servers_user_can_read_the_data_folder(own_server: ServerProcess) -> None:
    own_server.start()
    for path in [own_server.data_dir, *own_server.data_dir.rglob("*")]:
        others = stat.S_IMODE(path.stat().st_mode) & 0o077
        assert others == 0, f"{path} has mode {path.stat().st_mode:o}"


async def test_an_orderly_stop_ends_streams_with_a_reason(own_server: ServerProcess) -> None:
    own_server.start()
    ada = await owner(own_server, "Acme", setup_token=own_server.setup_token)
    streams: list[Stream] = [await ada.listen() for _ in range(20)]
    code, _ = await asyncio.to_thread(own_server.stop)
    assert code == 0
    for stream in streams:
        [last] = await stream.rest()
        assert (last.name, last.data["reason"]) == ("closing", "shutdown")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_the_start_names_all_settings_without_effect_in_one_line(own_server: ServerProcess) -> None:
    own_server.variables = {"REDIS_URL": "redis://cache", "CACHE_TTL_SECONDS": "5"}
    own_server.start()
    own_server.stop()
    lines = [line for line in own_server.output.splitlines() if "have no effect" in line]
    assert len(lines) == 1
    assert "these settings have no effect in this version: redis_url, cache_ttl_seconds" in lines[0]
