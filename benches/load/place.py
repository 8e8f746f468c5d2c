"""A server of its own for a measurement, with a workspace, people and chats in it."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
import orjson

from benches.load.connection import Connection, get, post

START_SECONDS = 20.0
PASSWORD = "correct horse battery"


class Person(msgspec.Struct, frozen=True):
    id: int
    token: str


class Server:
    """One `fechatter serve` process in a folder of its own."""

    def __init__(self, database_url: str | None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="fechatter-load-"))
        self._environment = {
            **os.environ,
            "FECHATTER_DATA_DIR": str(self.folder),
            "FECHATTER_PORT": "0",
            "FECHATTER_LOG_LEVEL": "error",
            "FECHATTER_STREAMS_PER_PERSON": "10000",
            # Few people send what a load of many would: counted as ever, against more than they can reach.
            "FECHATTER_MESSAGES_PER_MINUTE": "10000000",
            "FECHATTER_REQUESTS_PER_MINUTE": "10000000",
        }
        if database_url is not None:
            self._environment["FECHATTER_DATABASE_URL"] = database_url
        self.command = ["-m", "fechatter", "serve"]
        self.database_address = database_url or f"sqlite://{self.folder / 'fechatter.db'}"
        self.setup_token = ""
        self.port = 0

    def start(self) -> float:
        """Seconds from the start of the process to the first answered request."""
        began = time.perf_counter()
        self._process = subprocess.Popen([sys.executable, *self.command], env=self._environment, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        address = re.search(r":(\d+)\s*$", self._process.stdout.readline())
        assert address is not None, "the server did not say where it is"
        self.port = int(address[1])
        asyncio.run(self._first_answer())
        return time.perf_counter() - began

    async def _first_answer(self) -> None:
        connection = await Connection.open("127.0.0.1", self.port)
        status, _ = await connection.request(get("/health/simple", ""))
        assert status == 200
        connection.close()

    def read_setup_token(self) -> str:
        assert self._process.stdout is not None
        found = re.search(r"#token=(\S+)", self._process.stdout.readline())
        assert found is not None, "the server gave no set-up link"
        return found[1]

    def beside(self, *arguments: str, **settings: str) -> subprocess.Popen[str]:
        """Another command of `fechatter` on this server's settings, changed by these."""
        command = [sys.executable, "-m", "fechatter", *arguments]
        return subprocess.Popen(command, env=self._environment | self._given(settings), stdout=subprocess.DEVNULL, text=True)

    def change(self, **settings: str) -> None:
        """Settings from the next start on."""
        self._environment |= self._given(settings)

    def _given(self, settings: dict[str, str]) -> dict[str, str]:
        return {f"FECHATTER_{key.upper()}": value for key, value in settings.items()}

    @property
    def pid(self) -> int:
        return self._process.pid

    def memory_bytes(self) -> int:
        """Resident memory now."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise LookupError("VmRSS")

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


class Place(msgspec.Struct):
    """A workspace on a server: its people, all of them members of all of its chats."""

    people: list[Person]
    chats: list[int]


async def furnish(server: Server, people: int, chats: int) -> Place:
    """Sign people up and create groups of all of them."""
    connection = await Connection.open("127.0.0.1", server.port)

    async def call(path: str, body: dict[str, Any], token: str | None = None) -> Any:
        status, answer = await connection.request(post(path, token, orjson.dumps(body)))
        assert status in (200, 201), (path, status, answer)
        return orjson.loads(answer)

    async def sign_up(number: int, **more: str) -> Person:
        who = {"email": f"person{number}@example.com", "password": PASSWORD, "fullname": f"Person {number}", **more}
        session = await call("/api/signup", who)
        return Person(session["user"]["id"], session["access_token"])

    owner = await sign_up(0, workspace="Load", setup_token=server.read_setup_token())
    invitation = await call("/api/invitations", {"max_uses": people}, owner.token)
    found = [owner, *[await sign_up(number, invitation=invitation["token"]) for number in range(1, people)]]
    made = []
    for number in range(chats):
        body = {"chat_type": "group", "name": f"Load {number}", "members": [person.id for person in found[1:]]}
        made.append((await call("/api/chat", body, owner.token))["id"])
    connection.close()
    return Place(found, made)
