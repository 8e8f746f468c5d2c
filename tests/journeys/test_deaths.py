"""A server does not go on with a part of it dead: it says which, ends in good order and with a failure."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.journeys.client import owner
from tests.journeys.server import ServerProcess
from tests.journeys.stream import Stream
from tests.servers.process import PATIENCE_SECONDS


def _dying(folder: Path, place: str, **settings: str) -> ServerProcess:
    return ServerProcess(folder, program=["-m", "tests.journeys.dying", place], **settings)


@pytest.mark.parametrize(
    ("task", "place"),
    [
        ("upkeep", "fechatter.workers.upkeep:Upkeep.run"),
        ("head poll", "fechatter.hub.hub:Hub._read_heads"),
        ("reload", "fechatter.process.reloading:Reloading.run"),
        ("http server", "fechatter.process.listening:_Granian._serve_loop"),
        ("nats", "fechatter.bus.nats:NatsBus._run"),
    ],
)
async def test_a_task_that_dies_stops_the_server_with_a_failure_and_its_name(tmp_path: Path, task: str, place: str) -> None:
    server = _dying(tmp_path, place, **({"nats_url": "nats://127.0.0.1:9"} if task == "nats" else {}))
    try:
        server.launch()
        assert await asyncio.to_thread(server.wait) == 1
        assert f"Fechatter stops: its task '{task}' died: RuntimeError: sabotage" in server.output
    finally:
        server.kill()


async def test_a_writer_that_dies_ends_the_streams_and_acknowledges_nothing(tmp_path: Path) -> None:
    server = _dying(tmp_path, "fechatter.messages.writer:Writer._write")
    try:
        server.start()
        ada = await owner(server, setup_token=server.setup_token)
        chat = await ada.chat("private_channel")
        stream: Stream = await ada.listen()
        async with asyncio.timeout(PATIENCE_SECONDS):
            # Connections first: the server takes no new ones after the first of these.
            await asyncio.gather(*[ada.get("/api/workspace") for _ in range(5)])
            sending = [ada.ask("POST", f"/api/chat/{chat['id']}/messages", {"content": "Hello?"}) for _ in range(5)]
            answers = await asyncio.gather(*sending, return_exceptions=True)
            # What comes after the first of them may find its connection closed, as at every stop.
            told = [answer for answer in answers if not isinstance(answer, ConnectionError)]
            assert told
            for answer in told:
                assert not isinstance(answer, BaseException), answer
                assert (answer.status, answer.json["code"]) == (503, "not_stored")
                assert answer.headers["retry-after"]
            assert (await stream.rest())[-1].data == {"reason": "shutdown"}
        assert await asyncio.to_thread(server.wait) == 1
        assert "Fechatter stops: its task 'message writer' died: RuntimeError: sabotage" in server.output
    finally:
        server.kill()
