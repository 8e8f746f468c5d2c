"""The bots in examples/, as processes with a real server."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.journeys.client import PASSWORD, Client, colleague, owner
from tests.journeys.server import ROOT, ServerProcess
from tests.journeys.wire import OPENED
from tests.servers.process import PATIENCE_SECONDS, kill_all

ANSWER_SECONDS = PATIENCE_SECONDS


class Bot:
    """An example bot, signed in as this person. A stored cursor survives `end` and `start`."""

    def __init__(self, example: str, person: Client, folder: Path) -> None:
        self._example = ROOT / "examples" / example
        folder.mkdir()
        self.cursor = folder / "cursor"
        self._output = folder / "bot"
        self._variables = {
            "FECHATTER": f"http://127.0.0.1:{person.server.port}",
            "BOT_EMAIL": person.session["user"]["email"],
            "BOT_PASSWORD": PASSWORD,
            "BOT_CURSOR": str(self.cursor),
        }

    @property
    def output(self) -> str:
        return self._output.read_text()

    def start(self, **variables: str) -> None:
        environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        with self._output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, self._example],
                env=environment | self._variables | variables,
                stdout=output,
                stderr=output,
            )

    def end(self) -> None:
        kill_all(self.process)

    async def wait_for_cursor(self) -> str:
        """Return the bot's stored cursor as soon as it exists."""
        async with asyncio.timeout(ANSWER_SECONDS):
            while True:
                if self.cursor.exists():
                    return self.cursor.read_text()
                await asyncio.sleep(0.02)


async def contents(person: Client, chat_id: int, count: int) -> list[str]:
    """Return the contents of all messages of the chat once it has at least `count`."""
    async with asyncio.timeout(ANSWER_SECONDS):
        while True:
            messages = await person.history(chat_id)
            if len(messages) >= count:
                return [message["content"] for message in messages]
            await asyncio.sleep(0.02)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    process = ServerProcess(tmp_path)
    process.start()
    yield process
    for wire in list(OPENED):
        wire.close()
    process.kill()


async def test_the_bots_echo_each_message_once_across_restarts(server: ServerProcess, tmp_path: Path) -> None:
    ada = await owner(server, setup_token=server.setup_token)
    person, other = await colleague(ada), await colleague(ada)
    chat_id = (await ada.chat("private_channel", person))["id"]
    other_chat_id = (await ada.chat("private_channel", other))["id"]
    bot, small = Bot("durable_bot.py", person, tmp_path / "durable"), Bot("echo_bot.py", other, tmp_path / "small")
    bot.start()
    small.start()
    try:
        first_cursor = await bot.wait_for_cursor()
        await wait_until_it_echoes(ada, other_chat_id)
        await ada.send(chat_id, "not for the bot")
        await ada.send(chat_id, "!echo !echo one")
        expected = ["not for the bot", "!echo !echo one", "!echo one"]
        assert await contents(ada, chat_id, 3) == expected

        # Restart the server with another secret, so that all tokens become invalid.
        bot.process.send_signal(signal.SIGSTOP)
        small.process.send_signal(signal.SIGSTOP)
        before = await ada.history(other_chat_id)
        server.kill()
        server.settings["jwt_secret"] = "another secret that is long enough for anybody"
        server.start()
        ada = Client(server, await Client(server).post("/api/signin", credentials(ada)))
        for number in ("two", "three"):
            await ada.send(chat_id, f"!echo {number}")
            await ada.send(other_chat_id, f"!echo {number}")
        bot.process.send_signal(signal.SIGCONT)
        small.process.send_signal(signal.SIGCONT)
        expected += ["!echo two", "!echo three", "two", "three"]
        assert await contents(ada, chat_id, 7) == expected
        everything = await contents(ada, other_chat_id, len(before) + 4)
        assert everything[len(before) :] == ["!echo two", "!echo three", "two", "three"]

        # Restart the bot with an old cursor, so that it sees all messages again.
        bot.end()
        bot.cursor.write_text(first_cursor)
        bot.start()
        await ada.send(chat_id, "!echo four")
        assert await contents(ada, chat_id, 9) == [*expected, "!echo four", "four"]

        bot.end()
        bot.start(BOT_PASSWORD="wrong")
        assert bot.process.wait(ANSWER_SECONDS) == 1
        assert "wrong_credentials" in bot.output
    finally:
        bot.end()
        small.end()


async def wait_until_it_echoes(person: Client, chat_id: int) -> None:
    """The small bot listens from its sign-in on. Send until it answers."""
    async with asyncio.timeout(ANSWER_SECONDS):
        for number in range(100):
            await person.send(chat_id, f"!echo hello {number}")
            await asyncio.sleep(0.1)
            if any(message["content"].startswith("hello") for message in await person.history(chat_id)):
                return


def credentials(person: Client) -> dict[str, str]:
    return {"email": person.session["user"]["email"], "password": PASSWORD}
