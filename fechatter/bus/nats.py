"""The bus of several nodes: events over NATS JetStream, signals over core NATS.

A bounded outbox and one task send to the other nodes. While NATS cannot be reached, frames and signals for other nodes
are dropped and counted. Their hubs read the events from the log; signals are lost.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import math
import random
import secrets
import time
from collections.abc import Callable

import msgspec
import nats.errors

from fechatter.bus import wire
from fechatter.bus.base import ReceiveFrames, ReceiveSignals, State
from fechatter.bus.nats_session import EVENTS, MAX_RECEIVED, SIGNALS, NatsSession
from fechatter.bus.outbox import Outbox, count
from fechatter.bus.seal import MAX_AGE_SECONDS, Forged, Repeats, Seal
from fechatter.frames import Frame, Signal
from fechatter.loops import LoopState
from fechatter.model import life_of, now_ms
from fechatter.queues import Queue
from fechatter.tasks import Tasks

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.1
MAX_PAUSE_SECONDS = 2.0
CHECK_SECONDS = 1.0
SEND_SECONDS = 5.0
STABLE_SECONDS = 3.0
START_SECONDS = 2.0
WARN_SECONDS = 60.0
FORGED_SECONDS = 60.0
"""Time for which health shows a forged message."""


class NatsBus:
    """A `Bus` (`bus/base.py`) over NATS. Runs on the main loop.

    Args:
        urls: servers of one cluster, separated by commas; the bus tries them in turn.
        seal: proves that messages come from a node of this server.
        era: returns the current era; signals of another era may belong to a copy of the database.

    Attributes:
        dropped: frames and signals not sent to other nodes since the start.
        rejected: messages received since the start that were forged, repeated or too old.
    """

    def __init__(self, urls: str, tasks: Tasks, seal: Seal, era: Callable[[], str]) -> None:
        self.dropped = 0
        self.rejected = 0
        self._urls = [url.strip() for url in urls.split(",")]
        self._tasks = tasks
        self._seal = seal
        self._era = era
        self._repeats = Repeats()
        self._signals_sent = 0
        self._forged_at = -math.inf
        self._node = secrets.token_hex(8)
        self._outbox = Outbox()
        self._session: NatsSession | None = None
        self._tried = asyncio.Event()
        self._connection = LoopState("nats")
        self._away_since: float | None = None
        self._dropped_before = 0
        self._warned_at = -math.inf
        self._rejected_at = -math.inf
        self._frames: ReceiveFrames = lambda _frames: None
        self._signals: ReceiveSignals = lambda _signals: None

    @property
    def state(self) -> State:
        is_away = self._session is None or self._away_since is not None
        is_forged = time.monotonic() - self._forged_at < FORGED_SECONDS
        return "degraded" if is_away or is_forged else "ok"

    def publish(self, frames: list[Frame], signals: list[Signal]) -> None:
        if self._session is None:
            self.dropped += len(frames) + len(signals)
        elif not self._outbox.put(frames, signals):
            self.dropped += len(frames) + len(signals)
            self._warn_full()

    def queues(self) -> list[Queue]:
        received = Queue("nats_received", MAX_RECEIVED, "messages", "dropped, read from the log", self._received)
        return [*self._outbox.queues(), received]

    def _received(self) -> int:
        return 0 if self._session is None else self._session.waiting

    def loops(self) -> list[LoopState]:
        return [self._connection]

    async def start(self, frames: ReceiveFrames, signals: ReceiveSignals) -> None:
        """Begin to receive. If NATS does not answer, the start continues after two seconds."""
        self._frames, self._signals = frames, signals
        self._tasks.start("nats", self._run())
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._tried.wait()
        except TimeoutError:
            log.warning("NATS has not answered yet; the server starts without it")

    async def close(self) -> None:
        """Do nothing: the task that owns the connection closes it when it is cancelled."""

    async def _run(self) -> None:
        """Keep a connection until the task is cancelled."""
        pause = FIRST_PAUSE_SECONDS
        for url in itertools.cycle(self._urls):
            began = time.monotonic()
            try:
                await self._connected(url)
            except (nats.errors.Error, OSError, TimeoutError) as error:
                self._went_away(error)
            except Exception as error:  # an unknown error of the client degrades the bus, but does not stop the server
                log.warning("NATS's client failed", exc_info=error)
                self._went_away(error)
            if time.monotonic() - began > STABLE_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, MAX_PAUSE_SECONDS)

    async def _connected(self, url: str) -> None:
        """Connect, then send and receive until the connection is lost, which raises an error."""
        session = NatsSession(self._node, self._received_frames, self._received_signals, self._outbox.wake)
        try:
            await session.open(url)
            self._session = session
            self._connection.succeeded()
            self._tried.set()
            await self._serve(session)
        finally:
            self._session = None
            self._tried.set()
            await session.close()

    async def _serve(self, session: NatsSession) -> None:
        stable_at = time.monotonic() + STABLE_SECONDS
        while True:
            await self._outbox.wait(CHECK_SECONDS)
            session.check()
            await self._send(session)
            if self._away_since is not None and time.monotonic() > stable_at:
                self._came_back()

    async def _send(self, session: NatsSession) -> None:
        frames, signals = self._outbox.take()
        unsent = count(frames) + count(signals)
        try:
            async with asyncio.timeout(SEND_SECONDS):
                for workspace_id, waiting in signals.items():
                    for some in wire.split(waiting, session.message_bytes):
                        await self._send_signals(session, workspace_id, some)
                        unsent -= len(some)
                for workspace_id, gathered in frames.items():
                    for piece in wire.split(gathered, session.message_bytes):
                        subject = f"{EVENTS}.{workspace_id}"
                        await session.send_frames(subject, self._seal.sign(subject, wire.encode(piece)))
                        unsent -= len(piece)
        finally:
            self.dropped += unsent

    async def _send_signals(self, session: NatsSession, workspace_id: int, signals: list[Signal]) -> None:
        self._signals_sent += 1
        subject = f"{SIGNALS}.{workspace_id}"
        message = wire.Signals(self._node, self._signals_sent, now_ms(), self._era(), signals)
        await session.send_signals(subject, self._seal.sign(subject, wire.encode(message)))

    def _received_frames(self, subject: str, data: bytes) -> None:
        try:
            frames = wire.decode_frames(self._seal.open(subject, data))
        except (Forged, msgspec.DecodeError) as error:
            self._reject(error)
            return
        self._frames(frames)

    def _received_signals(self, subject: str, data: bytes) -> None:
        try:
            message = wire.decode_signals(self._seal.open(subject, data))
        except (Forged, msgspec.DecodeError) as error:
            self._reject(error)
            return
        if not self._repeats.is_news(message, now_ms()):
            self._reject_old()
        elif life_of(message.era) == life_of(self._era()):
            self._signals(list(message.signals))

    def _reject(self, error: Exception) -> None:
        """Count the message, and log at most once a minute."""
        self.rejected += 1
        self._forged_at = time.monotonic()
        if self._may_warn():
            reason = error if isinstance(error, msgspec.DecodeError) else "its signature is wrong"
            hint = "do all nodes have the same FECHATTER_JWT_SECRET?"
            log.warning("dropped a bus message that no node of this server sent (%s); %s", reason, hint)

    def _reject_old(self) -> None:
        self.rejected += 1
        if self._may_warn():
            log.warning(
                "dropped a signal that is a repeat or more than %d s old; do the nodes' clocks agree?",
                MAX_AGE_SECONDS,
            )

    def _may_warn(self) -> bool:
        now = time.monotonic()
        if now - self._rejected_at < WARN_SECONDS:
            return False
        self._rejected_at = now
        return True

    def _went_away(self, error: BaseException) -> None:
        frames, signals = self._outbox.take()
        self.dropped += count(frames) + count(signals)
        self._connection.failed(error)
        if self._away_since is None:
            self._away_since, self._dropped_before = time.monotonic(), self.dropped
            log.warning(
                "NATS cannot be reached (%r); other nodes read events from the log, about a second later", error
            )

    def _came_back(self) -> None:
        if self._away_since is not None:
            seconds = time.monotonic() - self._away_since
            dropped = self.dropped - self._dropped_before
            log.warning(
                "NATS is back after %.1f s; dropped %d frames and signals; other nodes read the events from the log",
                seconds,
                dropped,
            )
            self._away_since = None

    def _warn_full(self) -> None:
        now = time.monotonic()
        if now - self._warned_at > WARN_SECONDS:
            self._warned_at = now
            log.warning("the outbox for NATS is full; other nodes read the events from the log")
