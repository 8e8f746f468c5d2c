"""Parses, checks, batches and encodes messages. The source is native/src. stubtest and tests/native check this file."""

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, Self, TypeVar, final

from typing_extensions import Buffer, disjoint_base

__all__ = [
    "BUILD",
    "MAX_BATCH_MESSAGES",
    "MAX_CONTENT_CHARACTERS",
    "MAX_KEY_CHARACTERS",
    "MAX_RATE_KEYS",
    "PROBLEM_MEDIA_TYPE",
    "QUOTA_WINDOW_SECONDS",
    "SOURCE_HASH",
    "TOKEN_ISSUER",
    "TOKEN_TYPE",
    "AccessLog",
    "AtOnce",
    "Certificates",
    "Column",
    "Cors",
    "Gateway",
    "Intake",
    "IntakeFull",
    "InvalidMessage",
    "MalformedBody",
    "MessageBatch",
    "Meter",
    "PendingAnswer",
    "Quota",
    "RequestIds",
    "ResponseCache",
    "Stream",
    "Streams",
    "Tokens",
    "TrustedProxies",
    "accepts_coding",
    "encode_page",
    "encode_results",
    "is_request_id",
    "matches_tag",
    "parse_message",
    "problem_body",
    "problem_headers",
    "security_headers",
    "skeleton",
    "text_messages",
    "timestamp",
]

MAX_CONTENT_CHARACTERS: Final[int]
MAX_KEY_CHARACTERS: Final[int]
MAX_BATCH_MESSAGES: Final[int]
"""Maximum number of messages in the body of `Intake.push_many`."""
MAX_RATE_KEYS: Final[int]
"""Maximum number of keys in a `Quota`, and in a `Meter` by default."""
PROBLEM_MEDIA_TYPE: Final[str]
"""The media type of every error response."""
QUOTA_WINDOW_SECONDS: Final[int]
"""The time in which a `Quota` allows its requests."""
TOKEN_ISSUER: Final[str]
"""The issuer and the audience of every access token."""
TOKEN_TYPE: Final[str]
"""The type in the header of every access token."""
SOURCE_HASH: Final[str]
"""SHA-256 of the sources; see `fechatter.native.source_hash`."""
BUILD: Final[str]
"""`release` or `debug`."""

_Ticket = TypeVar("_Ticket")
_Key = int | str | bytes
_Clock = Callable[[], float]
_Header = tuple[bytes, bytes]

class MalformedBody(ValueError):
    """The body is not JSON (400). args: (code, detail); the code is `malformed_json` or `malformed_utf8`."""

class InvalidMessage(ValueError):
    """The body is not a valid message (422)."""

    errors: list[tuple[str, str, str]]
    """(JSON Pointer, code, detail) of each error, in the order of the body; at most 16."""

class IntakeFull(RuntimeError):
    """The message does not fit into the intake (503). Nothing was appended."""

def parse_message(body: bytes, header_key: str | None = None) -> tuple[str, str | None]:
    """Parse and check the body of one message without extras; returns (content, key).

    Raises:
        MalformedBody: The body is not JSON.
        InvalidMessage: The body is not a valid message.
    """

def encode_page(packed: bytes, chat_id: int, split: int, older: int, newer: int) -> tuple[bytes, int]:
    """Encode a page of a chat's history, newest first; returns its JSON and the number of rows that were read.

    The page shows up to `older` messages below the number `split`, and up to `newer` messages from it on. `packed`
    contains them in the format of native/src/message/page.rs, and one more message on each side if there is one.

    Raises:
        ValueError: `packed` has another format.
    """

def encode_results(results: list[tuple[int, bool, bytes]]) -> bytes:
    """Return the answer to a request with several messages: (status, whether it is a problem, JSON) of each."""

def text_messages(blocks: bytes) -> list[str]:
    """Return the text message of a WebSocket for each block of server-sent events: an object with the block's `id`,
    `event` and `data`. The JSON of `data` is copied unchanged."""

def timestamp(milliseconds: int) -> str:
    """Return a time in milliseconds since 1970 as RFC 3339 in UTC: `2026-01-02T03:04:05.678Z`.

    Raises:
        ValueError: The year has more than four digits.
    """

def skeleton(text: str) -> str:
    """Return the skeleton of UTS #39. Two texts look alike if their skeletons are equal."""

@disjoint_base
class Meter:
    """Counts the attempts of each key against one limit. Any thread may call it.

    The time comes from `clock`, which returns monotonic seconds, or from the extension's own clock.
    """

    def __new__(cls, burst: int, every_seconds: float, max_keys: int = 65536, clock: _Clock | None = None) -> Self:
        """Create a meter that allows `burst` attempts at once, and one more every `every_seconds`."""

    def take(self, key: _Key) -> float:
        """Count an attempt and return 0.0, or count nothing and return the seconds until one is allowed."""

    def used(self, key: _Key) -> float:
        """Return the seconds until all counted attempts have expired."""

    def is_half_used(self, key: _Key) -> bool:
        """Whether more than half of the limit is used."""

    def charge(self, key: _Key, count: float) -> float:
        """Count `count` attempts, even beyond the limit, which delays the next attempt.

        Returns the seconds until all counted attempts have expired.
        """

    def give_back(self, key: _Key) -> None:
        """Remove one attempt from the count, because it succeeded."""

    def forget(self, key: _Key) -> None:
        """Remove all attempts of a key from the count."""

    def __len__(self) -> int:
        """Number of keys in the table."""

    @property
    def window(self) -> float:
        """Seconds until an exhausted limit is fully available again."""

@final
class AtOnce:
    """Limits concurrent requests for each key. Any thread may call it."""

    def __new__(cls, most: int) -> AtOnce:
        """Allow each key `most` running requests."""

    def enter(self, key: _Key) -> bool:
        """Begin a request and return True, or return False if too many run; `leave` ends it."""

    def leave(self, key: _Key) -> None:
        """End a request."""

    def __len__(self) -> int:
        """Number of keys with a running request."""

@final
class Quota:
    """A number of requests per minute for each key. Any thread may call it."""

    def __new__(cls, name: str, per_minute: int, clock: _Clock | None = None) -> Quota:
        """Create a quota; `name` is its name in the headers.

        Raises:
            ValueError: `per_minute` is 0.
        """

    def take(self, key: _Key) -> tuple[_Header, _Header] | int:
        """Count one request and return its headers, or count nothing and return the seconds of Retry-After."""

    def charge(self, key: _Key, count: float) -> tuple[_Header, _Header]:
        """Count more for a request that was allowed, and return the changed headers."""

    def __len__(self) -> int:
        """Number of keys in the table."""

@final
class RequestIds:
    """Yields ids of 16 characters without end. Any thread may call it.

    Any billion successive ids differ in their first 8 characters, which people see.
    """

    def __new__(cls) -> RequestIds: ...
    def __iter__(self) -> RequestIds: ...
    def __next__(self) -> str: ...

def accepts_coding(header: str, coding: str) -> bool:
    """Whether an Accept-Encoding header names the coding with a weight above zero."""

def matches_tag(header: str, tag: str) -> bool:
    """Whether an If-None-Match header contains the entity tag, which includes its quotes."""

def is_request_id(id: bytes) -> bool:
    """Whether a client may choose this request id: 1 to 64 ASCII letters, digits and `._:-`."""

def security_headers(https: bool, has_policy: bool) -> list[_Header]:
    """Return the security headers of a response.

    `https`: people reach the server over HTTPS. `has_policy`: the response is a page with a content policy of its own.
    """

def problem_body(status: int, title: str, code: str, detail: str, request_id: str, members: bytes) -> bytes:
    """Return the body of an error response (RFC 9457).

    `members` are further members of the body as JSON: `"name":value`, separated by commas.
    """

def problem_headers(
    status: int,
    retry_after_seconds: int | None = None,
    limit: tuple[str, int, int] | None = None,
    allow: str | None = None,
) -> list[tuple[str, str]]:
    """Return the headers of an error response; `limit` is (name, requests, window in seconds)."""

@final
class Tokens:
    """Verifies access tokens and caches the valid ones. Any thread may call it."""

    def __new__(cls, secret: bytes, max_cached: int = 65536) -> Tokens:
        """Create a verifier for tokens that `secret` signs."""

    def verify(self, token: str, now_seconds: float | None = None) -> tuple[int, int, int] | None:
        """Return (user id, workspace id, session id) of a valid token, otherwise None.

        `now_seconds` is the time since the Unix epoch, by default the system's clock.
        """

    def __len__(self) -> int:
        """Number of tokens in the cache."""

@final
class TrustedProxies:
    """The proxies whose headers name the client. Any thread may call it."""

    def __new__(cls, proxies: list[str], headers: str) -> TrustedProxies:
        """Trust the headers, `x-forwarded` or `forwarded`, of these proxies: networks, or `unix`.

        Raises:
            ValueError: A text is not a network, or there are no such headers.
        """

    def client(self, peer: str, lines: list[tuple[bytes, bytes]]) -> tuple[str, bool | None]:
        """Return the address of the client, and whether it used HTTPS if a proxy states it.

        Args:
            peer: The address of the connection; empty for a Unix socket.
            lines: The header lines of the request, with names in lower case.
        """

@final
class Cors:
    """The origins whose pages may read answers. Any thread may call it."""

    def __new__(cls, origins: list[str]) -> Cors:
        """Allow these origins; `*` allows all."""

    def headers(self, origin: str | None, vary: list[str]) -> list[tuple[str, str]]:
        """Return the headers to set in an answer. Each one replaces all headers of that name in the answer.

        Args:
            origin: The `Origin` header of the request.
            vary: The `Vary` headers of the answer so far.
        """

@final
class AccessLog:
    """The access log of a gateway, on standard error. Any thread may call it."""

    def __new__(cls, readable: bool) -> AccessLog:
        """Write text for people if `readable`, or else JSON."""

    def turn(self, on: bool) -> None:
        """Set whether lines are wanted."""

    @property
    def accepted(self) -> int:
        """Number of lines that were accepted."""

    @property
    def dropped(self) -> int:
        """Number of lines that were dropped because nothing read them."""

    def flush(self, seconds: float) -> None:
        """Wait until every accepted line is written, at most for `seconds`."""

@final
class Certificates:
    """The certificates of a gateway.

    A client receives the first one with the name that it asks for, or else the last one.
    """

    def __new__(cls, pairs: list[tuple[bytes, bytes]]) -> Certificates:
        """Use these pairs for new connections: the PEM of a certificate with its chain, and of its key.

        Raises:
            ValueError: A pair cannot be used. The arguments are its index and the reason.
        """

    def replace(self, pairs: list[tuple[bytes, bytes]]) -> None:
        """Use other pairs for new connections.

        Raises:
            ValueError: A pair cannot be used, and nothing has changed. The arguments are its index and the reason.
        """

@final
class ResponseCache:
    """Keeps answers of the app for the gateway. Any thread may call it."""

    def __new__(cls, bytes: int) -> ResponseCache:
        """Create a cache that uses at most `bytes` of memory."""

    def is_used(self) -> bool:
        """Whether `note_events` would have an effect."""

    def note_events(self, events: list[tuple[int, int, str, int, int, bool]]) -> None:
        """Remove the answers that committed events change, and end the grants that they may concern.

        Each event is (workspace, number, era, chat, person, rights): `rights` is true if the event may change rights,
        and 0 stands for every chat or person. This call must return before anybody sees the events.
        """

    def note_shown(self, workspace_id: int, era: str, seq: int) -> None:
        """Serve no older state of a workspace than this position. This call must return before anybody sees it."""

    def places(self) -> list[tuple[int, str, int]]:
        """Return (workspace, era, number) of each position whose log must be read. `note_heads` receives the heads."""

    def note_heads(self, heads: list[tuple[int, str, int, bool]]) -> None:
        """Record the heads of the logs of `places`, which were read after that call.

        Each head is (workspace, era, number, kept): `kept` is true if the log contains the position of `places`. A
        workspace that is left out was removed.
        """

    def clear(self) -> None:
        """Drop everything."""

    def counts(self) -> tuple[int, int, int, int, int, int]:
        """Return (hits, misses, purged answers, stored answers, bytes, grants)."""

@final
class Gateway:
    """Accepts connections on a thread of its own and forwards requests to the servers behind it."""

    def __new__(
        cls,
        config: bytes,
        tokens: Tokens | None = None,
        quota: Quota | None = None,
        intake: Intake | None = None,
        certificates: Certificates | None = None,
        pages: list[tuple[list[tuple[str, str]], list[tuple[str, str, list[tuple[str, str]], bytes]]]] = ...,
        batch_limits: tuple[Quota, AtOnce, Meter] | None = None,
        streams: Streams | None = None,
        access_log: AccessLog | None = None,
        responses: tuple[ResponseCache, Tokens, Quota | None] | None = None,
    ) -> Gateway:
        """Create a gateway from its configuration, a JSON object (`Config` in native/src/gateway/config.rs).

        With `tokens` and `intake`, it puts messages into the intake itself. `quota` counts them; None counts nothing.
        With `tokens` only, it refuses requests with invalid tokens.
        `batch_limits` count requests, concurrent batches and work. The gateway's own answers have lines in
        `access_log`.
        With `certificates`, it serves HTTPS only. It serves `pages` itself: (path, route) of each way to a file, and
        its variants as (coding, tag, headers, content). A path that ends in `*` matches every path with that beginning.
        If an app in the same process answers with the header `x-fechatter-stream`, the gateway delivers the stream of
        `streams` that has this id.
        With `responses`, it repeats answers of the app from a cache. The quota counts the requests of one person.

        Raises:
            ValueError: The configuration cannot be used.
        """

    def start(self, listening: list[int]) -> None:
        """Serve the connections of these sockets, which listen already.

        The gateway takes the descriptors: nothing else may use or close them.

        Raises:
            ValueError: A number is negative.
            OSError: A descriptor is not a listening socket, or the thread cannot start.
        """

    def reroute(self, config: bytes) -> None:
        """Use the upstreams, routes and filters of another configuration for new requests.

        Raises:
            ValueError: They cannot be used. Nothing has changed.
        """

    def stop_accepting(self) -> None:
        """Accept no new connections, and end each connection after its requests in progress."""

    def wait_idle(self, seconds: float) -> bool:
        """Wait until no connection is open, at most for `seconds`; returns whether that is so."""

    def stop(self) -> None:
        """Close every connection and end the thread."""

    def senders(self) -> list[int]:
        """Return the people who sent messages through this gateway within the last minute."""

    def counters(self) -> bytes:
        """Return the counters as a JSON object (`Counters` in native/src/gateway/counters.rs)."""

@final
class Streams:
    """The live streams of one node. The gateway writes those that were handed over to it."""

    def __new__(cls, max_blocks: int, max_bytes: int) -> Streams:
        """Limit what may wait for one stream.

        While its socket is blocked, the limit is 1 MiB. All blocked sockets together may keep 64 MiB in use.

        Raises:
            OSError: No file descriptor is free.
        """

    def open(self) -> Stream:
        """Open a stream. It is forgotten when nothing refers to it."""

    @property
    def descriptor(self) -> int:
        """A descriptor that is readable while there are notices."""

    def notices(self) -> list[tuple[int, Literal["empty", "left", "full", "ready", "received"]]]:
        """Remove and return the notices: the id of a stream, and the kind of the notice.

        * `empty`: no block waits, and everything is written (`Stream.report_empty`).
        * `left`: its connection has ended.
        * `full`: its limits were exceeded. It accepts no more blocks, and must be ended.
        * `ready`: a block waits (`Stream.await_block`).
        * `received`: a message of its client waits, after none did (`Stream.receive`).
        """

    def enter(self, chat_ids: Sequence[int], stream: Stream, after: int) -> None:
        """Show a stream the events of some chats with a higher number than `after`, if they are published from now
        on. `after` replaces the number of earlier calls."""

    def leave(self, chat_id: int, stream: Stream) -> None:
        """Show a stream no further events of a chat."""

    def leave_all(self, stream: Stream) -> None:
        """Show a stream no further events of any chat."""

    def remove_chat(self, chat_id: int) -> None:
        """Show no stream further events of a chat."""

    def show(self, chat_id: int, seq: int, block: bytes, stream: Stream) -> None:
        """Show one event of a chat to one stream, if the stream sees the chat and has not seen the number. The stream
        does not receive the event again when it is published."""

    def publish(self, messages: list[tuple[int, int, bytes]]) -> None:
        """Show events to the streams of their chats: (chat, number, block), in the order of the numbers.

        The gateway's thread distributes them later, or else this call does. All other calls see their effect.
        """

    def signal(self, chat_id: int, block: bytes, except_streams: Sequence[Stream]) -> None:
        """Show a block that may be lost to the streams of a chat, except some. Distributed like `publish`."""

    @property
    def stalled_bytes(self) -> int:
        """Memory of the blocks that wait for blocked sockets, as of the last `examine`. A shared block counts once."""

    @property
    def dropped_signals(self) -> int:
        """Number of signals that were not sent because their client lagged behind."""

    def examine(self, attach_seconds: float, stuck_seconds: float, quiet_seconds: float) -> tuple[list[int], list[int]]:
        """Return the ids of the gateway's streams that need attention.

        The streams of the first list have blocks that the gateway could not write for `stuck_seconds`. For the streams
        of the second list, it had nothing to write for `quiet_seconds`. If it does not take a stream within
        `attach_seconds`, the connection of the stream counts as ended. If blocked streams keep more than the limit
        in use together, those with the most waiting bytes are reported as `full`.

        Raises:
            ValueError: A time is negative.
        """

    def written(self) -> tuple[int, int, int]:
        """Return the writes of the gateway, and the number and the size of their blocks."""

@final
class Stream:
    """One live stream: the blocks that wait for its socket."""

    @property
    def id(self) -> int: ...
    @property
    def pending(self) -> int:
        """Number of blocks that wait."""

    @property
    def pending_bytes(self) -> int:
        """Size of the blocks that wait."""

    def offer(self, block: bytes) -> bool:
        """Append a block, unless the stream has ended. Returns whether the limits are exceeded for the first time.

        The stream then accepts no more blocks, and must be ended.
        """

    def offer_signal(self, block: bytes) -> None:
        """Append a block that may be lost, unless 128 blocks or 512 KiB wait or the socket is blocked."""

    def take(self, limit: int) -> bytes:
        """Remove the first blocks, up to `limit` bytes but at least one, and return them."""

    def hand_over(self) -> None:
        """Let the gateway take the blocks from now on."""

    def await_block(self) -> bool:
        """Send a notice with the next block. Returns false if a block waits already."""

    def report_empty(self) -> None:
        """Send a notice once no block waits and everything is written."""

    def end(self, last: bytes, discard: bool = False, close_code: int = 1000) -> None:
        """Append a last block and accept no more. With `discard`, the blocks that wait are not sent. A WebSocket ends
        with `close_code`."""

    @property
    def received(self) -> int:
        """Number of messages of the client that wait."""

    def receive(self) -> bytes | None:
        """Remove and return the first message of the client, or None. It is UTF-8."""

@final
class Intake:
    """A bounded first-in, first-out queue of messages. Any thread may push and take."""

    def __new__(cls, capacity: int = 4096, max_bytes: int = 16777216, extras_allowed: bool = False) -> Intake:
        """Create an intake for at most `capacity` messages with `max_bytes` bytes of content and extras.

        Unless `extras_allowed`, a message with the field `extras` is refused with `unknown_field`.

        Raises:
            ValueError: `capacity` or `max_bytes` is 0.
        """

    def push(
        self,
        body: bytes,
        header_key: str | None,
        chat_id: int,
        sender_id: int,
        session_id: int,
        ticket: object,
        thread_id: int = 0,
    ) -> bool:
        """Parse, check and append one message; `thread_id` 0 is the chat itself.

        Returns True if the intake was empty: the caller must then wake the writer.

        Raises:
            MalformedBody: The body is not JSON.
            InvalidMessage: The body is not a valid message.
            IntakeFull: The message does not fit.
        """

    def push_many(
        self,
        body: bytes,
        chat_id: int,
        sender_id: int,
        session_id: int,
        make_ticket: Callable[[], _Ticket],
        thread_id: int = 0,
    ) -> tuple[list[_Ticket | InvalidMessage], bool]:
        """Parse `{"messages": [...]}` and append its valid messages, all or none.

        Returns the ticket or the error of each message in order, and True if the caller must wake the writer.

        Raises:
            MalformedBody: The body is not JSON.
            InvalidMessage: The body has no list of 1 to 100 messages.
            IntakeFull: The messages do not all fit.
        """

    def take(self) -> MessageBatch | None:
        """Take the oldest messages, at most 256; None if none wait."""

    def __len__(self) -> int:
        """Number of waiting messages."""

    @property
    def capacity(self) -> int:
        """Maximum number of waiting messages."""

    @property
    def waiting_bytes(self) -> int:
        """Size of the waiting contents and extras in bytes."""

    def fileno(self) -> int:
        """The descriptor that becomes readable when the gateway appends a message to an empty intake."""

    def clear_wake(self) -> None:
        """Make the descriptor unreadable until the gateway appends to an empty intake again."""

@final
class PendingAnswer:
    """The ticket of a message that came through the gateway."""

    @property
    def request_id(self) -> str:
        """The id of the request."""

    def refuse(self, status: int, code: str, headers: list[tuple[str, str]], body: bytes) -> None:
        """Refuse the message. Does nothing if the request has its answer."""

@final
class Column(Buffer):
    """One column of a batch: a read-only buffer of int64, which numpy reads without a copy."""

    def __len__(self) -> int: ...
    def tolist(self) -> list[int]:
        """Return the values as Python integers."""

@final
class MessageBatch:
    """A read-only batch of messages. Its memory is reused when nothing refers to it."""

    def __len__(self) -> int: ...
    @property
    def chat_ids(self) -> Column:
        """The chat of each row."""
    @property
    def thread_ids(self) -> Column:
        """The thread of each row; 0 = the chat itself."""
    @property
    def sender_ids(self) -> Column:
        """The sender of each row."""
    @property
    def session_ids(self) -> Column:
        """The session of each row."""
    @property
    def fingerprints(self) -> Column:
        """The fingerprint of each row: the first 8 bytes of a SHA-256, big endian, signed.

        The hash covers the content as UTF-8. In a row with extras, it also covers NUL and the extras.
        """
    @property
    def tickets(self) -> list[Any]:
        """The ticket of each row: as it was pushed, or a PendingAnswer of the gateway."""
    def answer_gateway(self, answers: list[Any]) -> None:
        """Answer the requests of the gateway whose answer is a tuple (status, body).

        `answers` has one element per row. Elements of another type, and the tickets of other senders, are ignored.
        """
    def contents(self) -> list[str]:
        """Return the content of each row."""
    def keys(self) -> list[bytes | None]:
        """Return the form in which each row's idempotency key is stored, or None.

        A UUID in its canonical lowercase form is stored as its 16 bytes. Any other key is stored as UTF-8, padded with
        NUL to at least 17 bytes.
        """
    def extras(self) -> dict[int, bytes]:
        """Return the extras of the rows that have any: a JSON object as the sender wrote it, without line breaks."""
    def encode(
        self,
        rows: list[int],
        ids: list[int],
        numbers: list[int],
        sequences: list[int],
        workspace_ids: list[int],
        created_at: str,
        epoch: str,
    ) -> tuple[list[bytes], list[bytes]]:
        """Encode stored rows; returns (answers to their senders, frames of `message.created`), in the order of `rows`.

        An answer is the Message as JSON, with the idempotency key as its sender wrote it. A frame is a whole SSE block.

        Raises:
            IndexError: A row is not in the batch.
            ValueError: The lists differ in length; or `created_at` or `epoch` contains a character that is not visible
                ASCII, or a quote or backslash.
        """
