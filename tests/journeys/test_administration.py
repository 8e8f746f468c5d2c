"""Administration commands beside a running server: the server applies their effect within seconds."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import orjson
import pytest

from tests.journeys.client import PASSWORD, Client, UnexpectedAnswer, colleague, owner, signed_in
from tests.journeys.server import ROOT, ServerProcess
from tests.journeys.stream import Event, Refused, Stream
from tests.servers.process import PATIENCE_SECONDS


@pytest.fixture
def server(own_server: ServerProcess) -> ServerProcess:
    own_server.start()
    return own_server


async def command(server: ServerProcess, *arguments: str, text: str = "") -> Any:
    """Run `fechatter` and return its JSON output."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "fechatter", *arguments, "--json"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env=server.environment(),
    )
    output, errors = await process.communicate(text.encode())
    assert process.returncode == 0, errors.decode()
    return orjson.loads(output)


async def read_to_end(stream: Stream) -> list[Event]:
    """Return the events of a stream that is about to end."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await stream.rest()


async def test_commands_take_effect_on_streams_and_sessions(server: ServerProcess) -> None:
    host = await owner(server, setup_token=server.setup_token)
    member = await colleague(host)
    watching, listening = await host.listen(), await member.listen()

    renamed = await command(server, "workspaces", "rename", "Renamed")
    for stream in (watching, listening):
        event = await stream.next(PATIENCE_SECONDS)
        assert (event.name, event.data["data"]["workspace"]) == ("workspace.updated", renamed)

    await command(server, "users", "disable", str(member.id))
    assert (await read_to_end(listening))[-1].data == {"reason": "revoked"}
    assert (await watching.next(PATIENCE_SECONDS)).name == "user.disabled"
    assert (await member.ask("GET", "/api/users/me")).status == 401
    with pytest.raises(Refused):
        await member.listen()

    await command(server, "users", "reset-password", host.session["user"]["email"], text="another horse battery\n")
    assert [event.name for event in await read_to_end(watching)][-1] == "closing"
    with pytest.raises(UnexpectedAnswer):
        await signed_in(host, PASSWORD)
    again = await signed_in(host, "another horse battery")
    log = (await again.get("/api/audit"))["items"]
    assert [entry["action"] for entry in log if entry["source"] == "command_line"] == [
        "workspace.renamed",
        "user.disabled",
        "user.password_reset",
    ]


async def test_a_session_revoked_by_command_can_send_nothing_more(server: ServerProcess) -> None:
    host = await owner(server, setup_token=server.setup_token)
    chat = await host.chat("public_channel")
    await host.send(chat["id"], "before")
    other = await signed_in(host)
    session = (await host.get("/api/sessions"))["items"]
    own = next(each["id"] for each in session if each["current"])
    assert [each["id"] for each in (await command(server, "sessions", "list", str(host.id)))["items"]] == [
        each["id"] for each in session
    ]
    assert await command(server, "sessions", "revoke", str(host.id), "--session", str(own)) == {"ended": [own]}
    with pytest.raises(UnexpectedAnswer, match="401"):
        await host.send(chat["id"], "after")
    assert [message["content"] for message in await other.history(chat["id"])] == ["before"]


async def test_deleting_a_workspace_signs_its_people_out_and_leaves_other_workspaces_running(
    server: ServerProcess,
) -> None:
    gone = await owner(server, setup_token=server.setup_token)
    made = await command(
        server,
        "workspaces",
        "create",
        "Kept",
        "--email",
        "kept@example.org",
        "--fullname",
        "Kept",
        text=f"{PASSWORD}\n",
    )
    kept = Client(server, await Client(server).post("/api/signin", {"email": "kept@example.org", "password": PASSWORD}))
    assert kept.session["workspace"] == made
    lost, channel = await gone.chat("public_channel"), await kept.chat("public_channel")
    cursor, listening, watching = await gone.cursor(), await gone.listen(), await kept.listen()
    sending = asyncio.create_task(_send_until_refused(gone, lost["id"]))
    await command(
        server,
        "workspaces",
        "delete",
        "--workspace",
        gone.session["workspace"]["slug"],
        "--yes",
        gone.session["workspace"]["name"],
    )
    assert await sending == 401
    assert (await read_to_end(listening))[-1].data == {"reason": "revoked"}
    with pytest.raises(Refused):
        await gone.listen(cursor)
    with pytest.raises(UnexpectedAnswer, match="401"):
        await gone.send(lost["id"], "once more")
    assert (await gone.ask("GET", "/api/sync")).status == 401
    await kept.send(channel["id"], "still here")
    assert (await watching.next(PATIENCE_SECONDS)).data["data"]["message"]["content"] == "still here"
    assert "Traceback" not in server.output


async def _send_until_refused(sender: Client, chat_id: int) -> int:
    """Send without pause and return the status of the refusal."""
    while True:
        try:
            await sender.send(chat_id, "hello")
        except UnexpectedAnswer as refused:
            return refused.status
