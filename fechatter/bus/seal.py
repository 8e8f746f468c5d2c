"""Proves that a bus message comes from a node of this server and is not a repeat.

NATS may accept connections from anybody. Each message carries an HMAC over its subject and its payload, which names the
era. The key is derived from the secret that the nodes share. The hub drops a repeated frame by its number and era.
Signals have no number, so each message of signals names its node, its count and its time; a repeated or old message is
dropped.
"""

from __future__ import annotations

import hmac

from fechatter.bus.wire import Signals

MAC_BYTES = 32
MAX_AGE_SECONDS = 30
"""Allows for clock differences between nodes and for the time in transit. An older signal is of no use."""
MAX_NODES = 1024
_LABEL = b"fechatter bus 1"


class Forged(Exception):
    """The message does not come from a node with this server's secret."""


class Seal:
    """Signs and checks messages. The nodes share `secret`."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, _LABEL, "sha256")

    def sign(self, subject: str, payload: bytes) -> bytes:
        """Return the message to send under `subject`."""
        return self._mac(subject, payload) + payload

    def open(self, subject: str, message: bytes) -> bytes:
        """Return the payload. Raises Forged."""
        mac, payload = message[:MAC_BYTES], message[MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(subject, payload)):
            raise Forged
        return payload

    def _mac(self, subject: str, payload: bytes) -> bytes:
        # A subject contains no NUL.
        return hmac.digest(self._key, subject.encode() + b"\0" + payload, "sha256")

    def __repr__(self) -> str:
        return "Seal(********)"


class Repeats:
    """Remembers which messages of signals have arrived."""

    def __init__(self) -> None:
        self._newest: dict[str, Signals] = {}

    def is_news(self, message: Signals, now_ms: int) -> bool:
        """Return whether the message is recent, and neither it nor a later message of its node has arrived.

        Messages of further nodes are refused while MAX_NODES nodes have sent recently.
        """
        if abs(now_ms - message.sent_at) > MAX_AGE_SECONDS * 1000:
            return False
        newest = self._newest.get(message.node)
        if newest is not None and message.count <= newest.count:
            return False
        if newest is None and len(self._newest) >= MAX_NODES:
            self._forget(now_ms)
        self._newest[message.node] = Signals(message.node, message.count, message.sent_at, "", ())
        return len(self._newest) <= MAX_NODES

    def _forget(self, now_ms: int) -> None:
        """Forget nodes whose newest message is old: their earlier messages are old too."""
        since = now_ms - MAX_AGE_SECONDS * 1000
        self._newest = {node: each for node, each in self._newest.items() if each.sent_at >= since}
