"""One heavy user does not keep other users out. The tests compare counts and orders, not times."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from fechatter.chats.views import PIECE_CHATS
from tests.journeys.client import Client, colleague, owner
from tests.journeys.server import ServerProcess
from tests.journeys.wire import Answer, Wire, head

ACCOUNTS, BATCHES_OF_ONE = 8, 4
MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def fair_server(
    engine: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    """A server with default rate limits, except for the messages per minute."""
    url = request.getfixturevalue("postgres_server").create_database() if engine == "postgres" else None
    with ServerProcess(
        tmp_path_factory.mktemp("fair"), url, signup="open", rate_limits="on", messages_per_minute="400"
    ) as process:
        yield process


async def begin_batch(person: Client, path: str) -> Wire:
    """Begin a batch request whose body never completes."""
    wire = await Wire.open(person.server.port)
    own = {"authorization": f"Bearer {person.token}", "content-type": "application/json", "content-length": "1000000"}
    wire.writer.write(head("POST", path, own) + b'{"messages":[')
    await wire.writer.drain()
    return wire


async def send_batch(person: Client, path: str, body: bytes) -> Answer:
    wire = await Wire.open(person.server.port)
    own = {"authorization": f"Bearer {person.token}", "content-type": "application/json"}
    answer = await wire.request("POST", path, body, own)
    wire.close()
    return answer


async def test_slow_bodies_from_eight_accounts_do_not_block_other_users(fair_server: ServerProcess) -> None:
    ada = await owner(fair_server)
    path = f"/api/chat/{(await ada.chat('public_channel'))['id']}/messages/batch"
    slow = [await owner(fair_server) for _ in range(ACCOUNTS)]
    wires = [await begin_batch(person, path) for person in slow for _ in range(BATCHES_OF_ONE)]
    body = {"messages": [{"content": "a"}]}
    # Each account holds as many batches as it may. The server refuses the next one. It is as large as the others, so
    # that it does not overtake them in the gateway.
    while (answer := await send_batch(slow[-1], path, b'{"messages":[{"content":"a"}]}'.ljust(MEBIBYTE))).status != 429:
        pass
    assert answer.code == "too_many_at_once"
    assert (await ada.ask("POST", path, body)).status == 200
    for wire in wires:
        wire.close()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"messages":[' + b'{"content":"a"},' * 300_000 + b'{"content":"a"}]}', id="too many messages"),
        pytest.param(b'{"messages":[{"content":"' + b"a" * 5 * MEBIBYTE + b'"}]}', id="a message too long"),
        pytest.param(b'{"messages":' + b" " * 5 * MEBIBYTE, id="not JSON"),
    ],
)
async def test_a_refused_batch_is_charged_for_its_size(fair_server: ServerProcess, body: bytes) -> None:
    ada = await owner(fair_server)
    path = f"/api/chat/{(await ada.chat('public_channel'))['id']}/messages"
    before = (await ada.ask("POST", path, {"content": "a"})).remaining
    wire = await Wire.open(fair_server.port)
    own = {"authorization": f"Bearer {ada.token}", "content-type": "application/json", "content-length": str(len(body))}
    wire.writer.write(head("POST", f"{path}/batch", own) + body)
    answer = await wire.answer()
    assert answer.status in (200, 400, 422)
    wire.close()
    after = await ada.ask("POST", path, {"content": "a"})
    # The quota refills at 400 messages per minute, so a few may have been returned.
    assert after.status == 429 or before - after.remaining > len(body) // MEBIBYTE * 8


async def test_a_large_sync_returns_the_same_chats_as_the_list_of_chats(fair_server: ServerProcess) -> None:
    ada = await owner(fair_server)
    bob = await colleague(ada)
    chats = [
        await ada.chat("group" if number % 2 else "private_channel", bob, await colleague(ada)) for number in range(4)
    ]
    for number in range(60):
        await ada.call(
            "POST", "/api/chat", {"chat_type": "private_channel", "name": f"Channel {number}", "members": [bob.id]}
        )
    for chat in chats:
        await ada.send(chat["id"], 'héllo \u2028 "quoted"')
    listed = (await bob.get("/api/chat?limit=100"))["items"]
    assert len(listed) > PIECE_CHATS
    assert (await bob.get("/api/sync"))["chats"] == listed


async def test_concurrent_requests_from_one_person_are_queued_and_all_answered(fair_server: ServerProcess) -> None:
    ada, bob = await owner(fair_server), await owner(fair_server)
    answers = await asyncio.gather(*(ada.ask("GET", "/api/sync") for _ in range(100)), bob.ask("GET", "/api/users/me"))
    assert {answer.status for answer in answers} == {200}
