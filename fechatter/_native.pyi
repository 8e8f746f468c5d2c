"""Parses, checks, batches and encodes messages (source: native/src; tests/native proves this file against it)."""

from collections.abc import Callable
from typing import Any, Final, TypeVar, final

from typing_extensions import Buffer

__all__ = [
    "BUILD",
    "MAX_BATCH_MESSAGES",
    "MAX_CONTENT_CHARACTERS",
    "MAX_KEY_CHARACTERS",
    "SOURCE_HASH",
    "Arena",
    "Column",
    "Intake",
    "IntakeFull",
    "InvalidMessage",
    "MalformedBody",
    "MessageBatch",
    "fingerprint",
    "parse_message",
    "skeleton",
    "stored_key",
]

MAX_CONTENT_CHARACTERS: Final[int]
MAX_KEY_CHARACTERS: Final[int]
MAX_BATCH_MESSAGES: Final[int]
SOURCE_HASH: Final[str]
"""SHA-256 of what it was built from; see `fechatter.native.source_hash`."""
BUILD: Final[str]
"""`release` or `debug`."""

_Ticket = TypeVar("_Ticket")

class MalformedBody(ValueError):
    """The body is no JSON text (400); args: (code, detail), code `malformed_json` or `malformed_utf8`."""

class InvalidMessage(ValueError):
    """The body is not this message (422)."""

    errors: list[tuple[str, str, str]]
    """(JSON Pointer, code, detail) of each error, in the order of the body; at most 16."""

class IntakeFull(RuntimeError):
    """The waiting batch has no room (503); nothing was appended."""

def parse_message(body: bytes, header_key: str | None = None) -> tuple[str, str | None]:
    """Parse and check one message's body without queueing it: (content, key).

    Raises:
        MalformedBody: it is no JSON text.
        InvalidMessage: it is not a message.
    """

def skeleton(text: str) -> str:
    """Return the skeleton of UTS #39: two texts look alike if their skeletons are equal."""

def stored_key(key: str) -> bytes:
    """Return the form in which a key is stored and compared.

    That is the 16 bytes of a UUID in its canonical lowercase spelling, else UTF-8 padded with NUL to 17 bytes or more.
    """

def fingerprint(content: str) -> int:
    """Return the first 8 bytes of the SHA-256 of the content's UTF-8, big endian, signed."""

@final
class Intake:
    """The bounded waiting batch, first in, first out; any thread may push and take."""

    def __new__(cls, capacity: int = 4096, arena_bytes: int = 16777216) -> Intake:
        """At most `capacity` rows and `arena_bytes` bytes of content may wait.

        Raises:
            ValueError: one of them is 0.
        """

    def push(self, body: bytes, header_key: str | None, chat_id: int, sender_id: int, session_id: int, ticket: object) -> bool:
        """Parse, check and append one message; True when nothing was waiting before, so the writer is to be woken.

        Raises:
            MalformedBody: the body is no JSON text.
            InvalidMessage: it is not a message.
            IntakeFull: it does not fit.
        """

    def push_many(
        self, body: bytes, chat_id: int, sender_id: int, session_id: int, make_ticket: Callable[[], _Ticket]
    ) -> tuple[list[_Ticket | InvalidMessage], bool]:
        """Parse `{"messages": [...]}` and append the valid ones, all or none.

        Returns one entry a message, in order (its ticket, or what is wrong with it), and whether to wake the writer.

        Raises:
            MalformedBody: the body is no JSON text.
            InvalidMessage: it holds no list of 1 to 100 messages.
            IntakeFull: not all fit.
        """

    def take(self, limit: int = 256) -> MessageBatch | None:
        """Take the oldest rows, at most `limit`; None when nothing waits.

        Raises:
            ValueError: the limit is 0.
        """

    def __len__(self) -> int:
        """How many rows wait."""

    @property
    def capacity(self) -> int:
        """How many rows may wait."""

    @property
    def waiting_bytes(self) -> int:
        """How many bytes of content wait."""

@final
class Column(Buffer):
    """One column of a batch: a read-only buffer of int64, which numpy reads without a copy."""

    def __len__(self) -> int: ...
    def tolist(self) -> list[int]:
        """Return the values as Python integers."""

@final
class Arena(Buffer):
    """All contents of a batch, one after the other, as UTF-8: a read-only buffer of bytes."""

    def __len__(self) -> int: ...

@final
class MessageBatch:
    """A taken batch of n rows; it never changes, and its memory is reused when nothing refers to it any more."""

    def __len__(self) -> int: ...
    @property
    def chat_ids(self) -> Column:
        """The chat of each row; n values."""
    @property
    def sender_ids(self) -> Column:
        """The sender of each row; n values."""
    @property
    def session_ids(self) -> Column:
        """The session of each row; n values."""
    @property
    def fingerprints(self) -> Column:
        """The `fingerprint` of each row's content; n values."""
    @property
    def content_offsets(self) -> Column:
        """Row i's content is `arena[content_offsets[i]:content_offsets[i + 1]]`; n + 1 values, in bytes."""
    @property
    def arena(self) -> Arena:
        """All contents, one after the other."""
    @property
    def tickets(self) -> list[Any]:
        """What each row's sender waits with; n objects, as they were pushed."""
    def contents(self) -> list[str]:
        """Return the content of each row, for the database driver."""
    def keys(self) -> list[bytes | None]:
        """Return the `stored_key` of each row's key, or None."""
    def encode(
        self,
        rows: list[int],
        ids: list[int],
        numbers: list[int],
        sequences: list[int],
        workspace_ids: list[int],
        created_at_ms: int,
        epoch: str,
    ) -> tuple[list[bytes], list[bytes]]:
        """Encode stored rows once: (answers for their senders, frames of `message.created`), in the order of `rows`.

        `created_at_ms` counts milliseconds from 1970-01-01 UTC. An answer is the Message as JSON, with the key in its
        sender's spelling; a frame is the whole SSE block.

        Raises:
            IndexError: a row is not in the batch.
            ValueError: the lists differ in length, or the time or the epoch cannot be spelled.
        """
