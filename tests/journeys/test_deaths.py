"""If a part of the server fails, the server logs which one and exits with a failure."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.journeys.client import owner
from tests.journeys.server import ServerProcess
from tests.journeys.stream import Stream
from tests.servers.process import PATIENCE_SECONDS


def _failing_server(folder: Path, place: str, **settings: str) -> ServerProcess:
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
async def test_a_failed_task_stops_the_server_with_a_failure_and_its_name(
    tmp_path: Path, task: str, place: str
) -> None:
    server = _failing_server(tmp_path, place, **({"nats_url": "nats://127.0.0.1:9"} if task == "nats" else {}))
    try:
        server.launch()
        assert await asyncio.to_thread(server.wait) == 1
        assert f"Fechatter stops: its task '{task}' died: RuntimeError: made to fail" in server.output
    finally:
        server.kill()


async def test_a_failed_writer_ends_the_streams_and_acknowledges_nothing(tmp_path: Path) -> None:
    server = _failing_server(tmp_path, "fechatter.messages.writer:Writer._write")
    try:
        server.start()
        ada = await owner(server, setup_token=server.setup_token)
        chat = await ada.chat("private_channel")
        stream: Stream = await ada.listen()
        async with asyncio.timeout(PATIENCE_SECONDS):
            # Connections must be open beforehand, because the server accepts none after the first failed send.
            await asyncio.gather(*[ada.get("/api/workspace") for _ in range(5)])
            sending = [ada.ask("POST", f"/api/chat/{chat['id']}/messages", {"content": "Hello?"}) for _ in range(5)]
            answers = await asyncio.gather(*sending, return_exceptions=True)
            # Later sends may find their connection closed, as during every stop.
            refused = [answer for answer in answers if not isinstance(answer, ConnectionError)]
            assert refused
            for answer in refused:
                assert not isinstance(answer, BaseException), answer
                assert (answer.status, answer.json["code"]) == (503, "not_stored")
                assert answer.headers["retry-after"]
            assert (await stream.rest())[-1].data == {"reason": "shutdown"}
        assert await asyncio.to_thread(server.wait) == 1
        assert "Fechatter stops: its task 'message writer' died: RuntimeError: made to fail" in server.output
    finally:
        server.kill()
