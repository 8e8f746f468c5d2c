"""The server keeps its contract: the contract describes every response to valid and invalid requests."""

from __future__ import annotations

import anyio.to_thread
import msgspec
import pytest
from schemathesis import Case

from fechatter.api.contract.frames import CONTROL, EVENTS
from tests.journeys.cases import ContractTester, generate_cases
from tests.journeys.client import Client, colleague, owner, signed_in
from tests.journeys.server import ServerProcess

QUICK_EXAMPLES = 4
LONG_EXAMPLES = 40
MIN_GOOD = {"owner": 24, "guest": 15}
"""The number of operations that must succeed at least once."""


async def contract_tester(server: ServerProcess, role: str) -> ContractTester:
    """Return an owner or a guest of a workspace that contains an object of every kind."""
    host = await owner(server)
    tester = host if role == "owner" else await colleague(host, role)
    others = [await colleague(host) for _ in range(3)]
    chats = [await host.chat("group", tester, *others[:2]), await host.chat("group", *others, tester)]
    chats.append(await host.chat("private_channel", tester))
    if role == "owner":
        chats.append(await others[0].chat("public_channel"))
    messages = [await tester.send(chats[0]["id"], "the first"), await tester.send(chats[0]["id"], "the second")]
    ids = {
        "chat_id": [chat["id"] for chat in chats],
        "message_id": [message["id"] for message in messages],
        "user_id": [others[2].id, others[1].id],
        "session_id": [await spare_session(tester)],
        "invitation_id": [(await host.post("/api/invitations", {}))["id"]],
    }
    return ContractTester(tester, ids)


async def spare_session(who: Client) -> int:
    """Create a second session that a test may end, and return its id."""
    known = {each["id"] for each in await who.pages("/api/sessions")}
    await signed_in(who)
    return next(each["id"] for each in await who.pages("/api/sessions") if each["id"] not in known)


@pytest.fixture(scope="session")
def quick_cases() -> list[Case]:
    """Generated once for both engines, because generating requests takes longer than sending them."""
    return generate_cases(QUICK_EXAMPLES, derandomize=True)


async def check(server: ServerProcess, role: str, made: list[Case]) -> None:
    tester = await contract_tester(server, role)
    await anyio.to_thread.run_sync(tester.send_all, made)
    assert not tester.wrong, "\n".join(tester.wrong)
    good = {operation for operation, status in tester.sent if status < 300}
    assert len(good) >= MIN_GOOD[role], f"most were refused: {tester.sent}"


@pytest.mark.parametrize("role", ["owner", "guest"])
async def test_every_operation_keeps_the_contract(server: ServerProcess, role: str, quick_cases: list[Case]) -> None:
    """Each engine gets different requests."""
    first = 0 if server.database_url is None else 1
    await check(server, role, quick_cases[first :: 2 if role == "owner" else QUICK_EXAMPLES])


@pytest.mark.prove
@pytest.mark.parametrize("role", ["owner", "guest"])
async def test_every_operation_keeps_the_contract_for_many_requests(server: ServerProcess, role: str) -> None:
    await check(server, role, generate_cases(LONG_EXAMPLES, derandomize=False))


async def test_every_event_matches_its_schema(server: ServerProcess) -> None:
    host = await owner(server)
    cursor = await host.cursor()
    one, two = await colleague(host), await colleague(host)
    chat = f"/api/chat/{(await host.chat('group', one, two))['id']}"
    message = f"{chat}/messages/{(await one.send(int(chat.rpartition('/')[2]), 'hello'))['id']}"
    await one.call("PATCH", message, {"content": "hello again"})
    await one.call("DELETE", message)
    await host.call("PATCH", chat, {"name": "us"})
    await host.call("DELETE", f"{chat}/members/{two.id}")
    await host.call("PATCH", f"{chat}/members/{one.id}", {"role": "owner"})
    await host.call("PATCH", f"{chat}/preferences", {"starred": True})
    await host.call("PATCH", "/api/users/me", {"timezone": "Europe/Zurich"})
    await host.call("PATCH", f"/api/users/{two.id}", {"disabled": True})
    await host.call("PATCH", "/api/workspace", {"name": f"Renamed {two.id}"})
    events = await host.events(cursor)
    assert {event["type"] for event in events} == set(EVENTS) - {"chat.deleted"}
    stream = await host.listen(cursor)
    await host.call("PUT", f"{chat}/read", {"number": 1})
    await one.call("DELETE", chat)
    events += [block.data for block in await stream.until("chat.deleted") if block.name in EVENTS]
    for event in events:
        assert msgspec.to_builtins(msgspec.convert(event, EVENTS[event["type"]])) == event


async def test_every_control_frame_matches_its_schema(server: ServerProcess) -> None:
    host = await owner(server)
    chat = (await host.chat("public_channel"))["id"]
    guest = await colleague(host)
    await guest.post(f"/api/chat/{chat}/join")
    cursor = await guest.cursor()
    await host.send(chat, "hello")
    resuming, lost = await guest.listen(cursor), await guest.listen("elsewhere.1")
    blocks = await lost.until("reset")
    blocks += await resuming.until("resumed")
    await guest.call("PUT", f"/api/chat/{chat}/read", {"number": 1})
    blocks += await resuming.until("read.moved")
    await host.post(f"/api/chat/{chat}/typing")
    blocks += await resuming.until("typing.started")
    await guest.send(chat, "hello again")
    await host.call("PUT", f"/api/chat/{chat}/read", {"number": 2})
    blocks += await resuming.until("receipt.moved")
    await guest.post("/api/presence/subscriptions", {"user_ids": [guest.id]})
    await guest.call("PUT", "/api/presence", {"state": "dnd"})
    blocks += await resuming.until("presence.changed")
    await guest.post("/api/logout")
    blocks += await resuming.until("closing")
    frames = {block.name: block.data for block in blocks if block.name in CONTROL}
    assert set(frames) == set(CONTROL)
    for kind, data in frames.items():
        assert msgspec.to_builtins(msgspec.convert(data, CONTROL[kind])) == data
