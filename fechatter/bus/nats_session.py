"""One connection to NATS, until it is lost. `bus.nats` makes the next one.

The client does not reconnect by itself. Each connection creates its own consumer and starts with nothing to send, so
every outage ends in the same known state.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, DiscardPolicy, StorageType, StreamConfig
from nats.js.errors import BadRequestError

log = logging.getLogger(__name__)

STREAM = "FECHATTER_EVENTS"
EVENTS = "events"
SIGNALS = "signals"
MESSAGE_ID = "Nats-Msg-Id"
STATUS = "Status"

MAX_AGE_SECONDS = 3600
MAX_BYTES = 256 << 20
DUPLICATE_SECONDS = 10
NAME_TAKEN = 10058
"""JetStream's error code for a stream that exists with another configuration."""

OPEN_SECONDS = 5.0
CLOSE_SECONDS = 1.0
HEARTBEAT_SECONDS = 1.0
SILENCE_SECONDS = 5.0
MAX_RECEIVED_BYTES = 16 << 20
MAX_RECEIVED = 16_384

STREAM_CONFIG = StreamConfig(
    name=STREAM,
    subjects=[f"{EVENTS}.*"],
    max_age=MAX_AGE_SECONDS,
    max_bytes=MAX_BYTES,
    discard=DiscardPolicy.OLD,
    storage=StorageType.FILE,
    duplicate_window=DUPLICATE_SECONDS,
)

Receive = Callable[[str, bytes], None]
"""Called with the subject and the bytes of a message."""


class Lost(nats.errors.Error):
    """The connection cannot be used any more; the text is the reason."""


class Acknowledgement(msgspec.Struct):
    """JetStream's answer to a message."""

    error: dict[str, Any] | None = None


class NatsSession:
    """A node's connection.

    Args:
        node: names this process, so that it skips its own events.
        frames: called for each message of events.
        signals: called for each message of signals.
        ended: called when the connection closes.
    """

    def __init__(self, node: str, frames: Receive, signals: Receive, ended: Callable[[], None]) -> None:
        self._client = Client()
        self._node = node
        # The numbers start at 1 in each session. JetStream remembers the last session's numbers, even after a restart.
        self._prefix = f"{node}-{secrets.token_hex(4)}"
        self._frames = frames
        self._signals = signals
        self._ended = ended
        self._acknowledgements = ""
        self._subscriptions: list[Subscription] = []
        self._sent = 0
        self._heard_at = time.monotonic()
        self._asked_at: float | None = None
        self._refused: str | None = None

    @property
    def message_bytes(self) -> int:
        """Maximum size of one message. The rest of the server's limit is for headers and the envelope."""
        return self._client.max_payload * 7 // 8

    @property
    def waiting(self) -> int:
        """Messages that wait on the fullest subscription."""
        return max((one.pending_msgs for one in self._subscriptions), default=0)

    async def open(self, url: str) -> None:
        """Connect, create the stream if it is missing, and begin to receive.

        Raises nats.errors.Error, OSError, TimeoutError.
        """
        async with asyncio.timeout(OPEN_SECONDS):
            await self._client.connect(
                [url],
                name=f"fechatter {self._node}",
                allow_reconnect=False,
                # If the server refuses, the client tries once more; by default it would wait two seconds before.
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                no_echo=True,
                error_cb=self._on_error,
                closed_cb=self._on_closed,
            )
            await self._make_stream()
            await self._subscribe(f"{SIGNALS}.*", self._on_signals)
            self._acknowledgements = self._client.new_inbox()
            await self._subscribe(self._acknowledgements, self._on_acknowledgement)
            await self._consume()
        self._heard_at = time.monotonic()

    async def _subscribe(self, subject: str, callback: Callable[[Msg], Awaitable[None]]) -> None:
        self._subscriptions.append(
            await self._client.subscribe(
                subject, cb=callback, pending_msgs_limit=MAX_RECEIVED, pending_bytes_limit=MAX_RECEIVED_BYTES
            )
        )

    async def send_frames(self, subject: str, data: bytes) -> None:
        """Send a message of events to JetStream, without waiting for its acknowledgement."""
        self._sent += 1
        await self._client.publish(
            subject,
            data,
            reply=self._ask(),
            headers={MESSAGE_ID: f"{self._prefix}-{self._sent}"},
        )

    async def send_signals(self, subject: str, data: bytes) -> None:
        await self._client.publish(subject, data)

    def check(self) -> None:
        """Check that the connection, the consumer and the stream answer. Raises Lost."""
        now = time.monotonic()
        if not self._client.is_connected:
            raise Lost("the connection was closed")
        if self._refused is not None:
            raise Lost(f"the stream refused a message: {self._refused}")
        if now - self._heard_at > SILENCE_SECONDS:
            raise Lost("the consumer is silent")
        if self._asked_at is not None and now - self._asked_at > SILENCE_SECONDS:
            raise Lost("the stream does not acknowledge")

    async def close(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._client.close()
        except (nats.errors.Error, OSError, TimeoutError) as error:
            log.debug("closing a connection to NATS failed: %r", error)

    def _ask(self) -> str:
        """Return the subject for the acknowledgement, or "" for none. One at a time is enough to notice a fault."""
        if self._asked_at is not None:
            return ""
        self._asked_at = time.monotonic()
        return self._acknowledgements

    async def _make_stream(self) -> None:
        try:
            await self._client.jsm(timeout=OPEN_SECONDS).add_stream(STREAM_CONFIG)
        except BadRequestError as error:
            # An operator may have created it with other replicas or limits.
            if error.err_code != NAME_TAKEN:
                raise

    async def _consume(self) -> None:
        """Create this process's consumer for messages from now on. Earlier events are in the log."""
        inbox = self._client.new_inbox()
        await self._subscribe(inbox, self._on_frames)
        config = ConsumerConfig(
            deliver_subject=inbox,
            deliver_policy=DeliverPolicy.NEW,
            ack_policy=AckPolicy.NONE,
            max_deliver=1,
            idle_heartbeat=HEARTBEAT_SECONDS,
            mem_storage=True,
            num_replicas=1,
        )
        await self._client.jsm(timeout=OPEN_SECONDS).add_consumer(STREAM, config)

    async def _on_frames(self, message: Msg) -> None:
        self._heard_at = time.monotonic()
        headers = message.headers or {}
        if STATUS in headers or headers.get(MESSAGE_ID, "").startswith(f"{self._node}-"):
            return
        self._frames(message.subject, message.data)

    async def _on_signals(self, message: Msg) -> None:
        self._signals(message.subject, message.data)

    async def _on_acknowledgement(self, message: Msg) -> None:
        self._asked_at = None
        if STATUS in (message.headers or {}):
            self._refused = "there is no such stream"
            return
        try:
            answer = msgspec.json.decode(message.data, type=Acknowledgement)
        except msgspec.DecodeError as error:
            self._refused = str(error)
            return
        if answer.error is not None:
            self._refused = str(answer.error.get("description"))

    async def _on_error(self, error: Exception) -> None:
        """Log an error that the client cannot raise. `check` notices if the connection has ended."""
        if isinstance(error, nats.errors.Error | OSError | TimeoutError):
            log.debug("NATS: %r", error)
        else:
            log.error("a message from NATS could not be handled", exc_info=error)

    async def _on_closed(self) -> None:
        self._ended()
