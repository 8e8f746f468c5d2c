"""ARCHITECTURE.md lists the files of a message's journey in the order in which a real message passes them."""

from __future__ import annotations

import asyncio
import re
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import httpx2
import orjson

from fechatter.api.application import Application
from fechatter.api.routes import ROUTES
from fechatter.app import open_services
from fechatter.settings import Settings
from tests.servers.process import PATIENCE_SECONDS

CHECKOUT = Path(__file__).parents[1]
PACKAGE = f"{CHECKOUT}/fechatter/"
BOUNDARY = "fechatter/api/middleware/boundary.py"
"""It surrounds every request, so the frame leaves through it too."""
NATIVE = {"push": "native/src/python/intake.rs", "publish": "native/src/python/hub.rs"}
HAND_OVERS = {"push", "execute", "publish", "set_result"}
"""Calls of C or Rust that pass a message on: into the intake, the database or the lanes, or to the task that awaits a
future."""


JOURNEY = (CHECKOUT / "ARCHITECTURE.md").read_text("utf-8").split("## A message's journey", 1)[1].split("\n## ", 1)[0]
STEPS = re.findall(r"^\d+\. `([\w/.]+)`", JOURNEY, re.MULTILINE)
NAMED = set(re.findall(r"`(fechatter/[\w/.]+)`", JOURNEY))


class Socket:
    """The server's side of one connection, with a request whose body has arrived."""

    def __init__(self, body: bytes = b"") -> None:
        self.sent: list[dict[str, Any]] = []
        self._body: bytes | None = body
        self._changed = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        if self._body is None:
            await asyncio.Event().wait()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)
        self._changed.set()

    async def until(self, text: bytes) -> None:
        """Return when a block with this text was sent."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not any(text in message.get("body", b"") for message in self.sent):
                self._changed.clear()
                await self._changed.wait()


class Trace:
    """Records the files on the stack, outermost first, each time that a message is handed over, and all files that run.

    Args:
        stream: the connection that receives the message in the end.
        waiting: frames that began before the send, of the stream's task and of the writer's thread. They are not part
            of the journey.
        background: the frames of all other tasks. Their calls are ignored.
    """

    def __init__(self, stream: Socket, waiting: set[FrameType], background: set[FrameType]) -> None:
        self.chains: list[list[str]] = []
        self.files: set[str] = set()
        self._stream = stream
        self._waiting = waiting
        self._background = background

    def __call__(self, frame: FrameType, event: str, function: Any) -> None:
        if event == "c_call" and function.__name__ in HAND_OVERS:
            native = NATIVE.get(function.__name__)
            self._hand_over(self._chain(frame) + [native] * (native is not None))
        elif event == "call" and frame.f_code is Socket.send.__code__ and frame.f_locals["self"] is self._stream:
            self._hand_over(self._chain(frame))
        elif event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            self.files.update(self._chain(frame)[-1:])

    def _hand_over(self, chain: list[str]) -> None:
        if chain:
            self.chains.append(chain)

    def _chain(self, frame: FrameType | None) -> list[str]:
        """The files of our package on the stack; none in a background task."""
        chain: list[str] = []
        while frame is not None:
            if frame in self._background:
                return []
            path = frame.f_code.co_filename
            if path.startswith(PACKAGE) and frame not in self._waiting:
                path = path.removeprefix(f"{CHECKOUT}/")
                chain[:0] = [path] if chain[:1] != [path] else []
            frame = frame.f_back
        return chain

    def journey(self) -> list[str]:
        """Return the files in the order in which the message enters them. A file that it enters again appears again."""
        journey: list[str] = []
        before: list[str] = []
        for chain in self.chains:
            shared = 0
            while shared < min(len(before), len(chain)) and before[shared] == chain[shared]:
                shared += 1
            journey += chain[shared:]
            before = chain
        return journey


@contextmanager
def profiled() -> Iterator[list[Trace]]:
    """Profile the main thread, and a writer's thread that starts meanwhile, with the trace that is in the list."""
    traces: list[Trace] = []
    own = threading.current_thread().name

    def profile(frame: FrameType, event: str, function: Any) -> None:
        if traces and threading.current_thread().name in (own, "writer"):
            traces[0](frame, event, function)

    sys.setprofile(profile)
    threading.setprofile(profile)
    try:
        yield traces
    finally:
        traces.clear()
        sys.setprofile(None)
        threading.setprofile(None)


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Application]:
    app = Application(ROUTES)
    died: list[str] = []
    settings = Settings(data_dir=folder, signup="open")
    async with open_services(settings, lambda name, _: died.append(name)) as services:
        app.services = services
        yield app
    assert died == []


async def enter(app: Application) -> tuple[str, str]:
    """Sign up and make a chat; returns the token and the address of the chat's messages."""
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://server") as client:
        person = {
            "email": "ada@example.org",
            "fullname": "Ada",
            "password": "mellow otter paints",
            "workspace": "Engines",
        }
        token = (await client.post("/api/signup", json=person)).json()["access_token"]
        headers = {"authorization": f"Bearer {token}"}
        wanted = {"chat_type": "private_channel", "name": "notes", "members": []}
        chat = (await client.post("/api/chat", headers=headers, json=wanted)).json()
        messages = f"/api/chat/{chat['id']}/messages"
        # The first message in a chat reads the rights that later ones find in the cache.
        assert (await client.post(messages, headers=headers, json={"content": "first"})).status_code == 201
    return token, messages


async def ask(app: Application, socket: Socket, method: str, path: str, token: str) -> None:
    headers = [(b"host", b"server"), (b"authorization", f"Bearer {token}".encode())]
    scope = {"type": "http", "http_version": "1.1", "scheme": "http", "method": method, "path": path}
    await app({**scope, "query_string": b"", "headers": headers}, socket.receive, socket.send)


def frames_of_writer() -> set[FrameType]:
    """The frames of the writer's thread, below its event loop."""
    (writer,) = [thread for thread in threading.enumerate() if thread.name == "writer"]
    frames, frame = set(), sys._current_frames().get(writer.ident or 0)
    while frame is not None:
        frames.add(frame)
        frame = frame.f_back
    return frames


def frames_of(task: asyncio.Task[Any]) -> set[FrameType]:
    """The frames of a task that waits."""
    frames, coroutine = set(), task.get_coro()
    while frame := getattr(coroutine, "cr_frame", None):
        frames.add(frame)
        coroutine = coroutine.cr_await
    return frames


async def test_the_map_lists_the_files_that_a_real_message_passes_from_socket_to_socket(tmp_path: Path) -> None:
    with profiled() as traces:
        async with serving(tmp_path) as app:
            token, messages = await enter(app)
            stream, sending = Socket(), Socket(orjson.dumps({"content": "traced"}))
            listening = asyncio.create_task(ask(app, stream, "GET", "/events", token))
            await stream.until(b"hello")
            others = asyncio.all_tasks() - {listening, asyncio.current_task()}
            waiting = frames_of(listening) | frames_of_writer()
            trace = Trace(stream, waiting, {frame for task in others for frame in frames_of(task)})
            traces.append(trace)
            await ask(app, sending, "POST", messages, token)
            await stream.until(b"traced")
            traces.clear()
            listening.cancel()
            await asyncio.wait({listening})
    assert sending.sent[0]["status"] == 201
    assert trace.journey() == [*STEPS, BOUNDARY]
    assert len(set(STEPS)) == len(STEPS)
    assert trace.files <= NAMED
