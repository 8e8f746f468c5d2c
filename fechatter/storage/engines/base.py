"""What an engine promises: one snapshot to read from, one transaction to write in, events handed on after the commit.

SQL is written once, in the subset both engines speak, with `$1 … $n` parameters; `ANY_OF($n)` stands for the rows of a list of integers.
What differs is a method here, never a question which engine it is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec

from fechatter.errors import StorageError
from fechatter.frames import Frame, Signal
from fechatter.loops import LoopState
from fechatter.queues import Queue, WaitingLine
from fechatter.storage.engines.high_water import HighWater
from fechatter.storage.engines.thread import LoopThread

T = TypeVar("T")

MAX_WAITING = 4096
"""More would wait longer than anybody does for an answer."""


class Row(Protocol):
    """One row: by column name, by index, or iterated as values."""

    def __getitem__(self, key: Any, /) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __len__(self) -> int: ...


class UniqueViolation(StorageError):
    """A row like this is there already; `constraint` holds the engine's words for which."""

    def __init__(self, constraint: str) -> None:
        super().__init__(constraint)
        self.constraint = constraint


class RowRefused(StorageError):
    """The database refuses this row: the same statement would fail again, but other rows can be stored."""


class StorageFull(StorageError):
    """The disk is full: nothing of the transaction was kept."""


class StorageUnavailable(StorageError):
    """The database cannot be used, for any reason. It is unknown whether a commit in progress took place."""


class StorageLost(StorageUnavailable):
    """The database's files were deleted, moved or replaced while open; nothing is written until they are back."""


class TransactionConflict(StorageUnavailable):
    """Another transaction interfered, or the transaction could not begin. Nothing was stored; the work can be retried
    at once."""


class StorageBusy(StorageUnavailable):
    """As many wait already as may; nothing was begun. `code` tells what for."""

    def __init__(self, code: str) -> None:
        super().__init__(f"too many wait: {code}")
        self.code = code


PAUSE_SECONDS = 0.003
"""The length of `Transaction.pause`. A piece of 50 chats takes about 1 ms, so long work uses a quarter of a
processor."""


def reads_line() -> WaitingLine:
    """Those who wait for a connection to the database."""
    return WaitingLine("database", MAX_WAITING, "requests", "503 `database_busy`", lambda: StorageBusy("database_busy"))


class Transaction(Protocol):
    """A transaction or snapshot. `frames` and `signals` collect what is handed on after the commit; `now` is its time
    in milliseconds; `rows` the number of rows that were read so far. `reserved` are the workspaces' heads that the commit makes;
    `high_water` those that were committed before."""

    frames: list[Frame]
    signals: list[Signal]
    now: int
    rows: int
    reserved: dict[int, int]
    high_water: HighWater

    async def fetch(self, sql: str, *args: object) -> Sequence[Row]: ...
    async def fetchrow(self, sql: str, *args: object) -> Row | None: ...
    async def execute(self, sql: str, *args: object) -> int:
        """Run a statement; returns the number of rows it changed. Raises UniqueViolation, RowRefused."""
        ...

    async def pause(self) -> None:
        """Let other work run between two pieces of long work."""
        ...

    async def new_id(self) -> int:
        """An id never used before, ascending under the workspace's lock."""
        ...


Work = Callable[[Transaction], Awaitable[T]]
Publish = Callable[[list[Frame], list[Signal]], None]


class MessageRows(msgspec.Struct):
    """One batch's accepted rows as columns, all of the same length n; the order is the order of their numbers.

    Attributes:
        rows: their places in the MessageBatch.
        chat_ids, sender_ids, workspace_ids, fingerprints: n integers each.
        contents: n texts.
        keys: n stored idempotency keys or None.
    """

    rows: list[int]
    workspace_ids: list[int]
    chat_ids: list[int]
    sender_ids: list[int]
    contents: list[str]
    keys: list[bytes | None]
    fingerprints: list[int]

    def some(self, indices: list[int]) -> MessageRows:
        """Return the rows at these indices of the columns."""
        columns: list[list[Any]] = [getattr(self, name) for name in self.__struct_fields__]
        return MessageRows(*([column[index] for index in indices] for column in columns))


class Decided(NamedTuple):
    """The version of the rights, and the era, with which writes to a workspace were decided."""

    rights_seq: int
    era: str


class Stored(msgspec.Struct):
    """The result of a batch. `rows` are the stored places, with their ids, chat numbers and event numbers, and the era
    of these numbers; `repeats` are the places whose key was already stored."""

    era: str

    rows: list[int]
    ids: list[int]
    numbers: list[int]
    sequences: list[int]
    workspace_ids: list[int]
    chat_ids: list[int]
    repeats: list[int]


class StoreResult(msgspec.Struct):
    """What `store` did, workspace by workspace: each one's rows were stored, or are `stale`, or `failed` whole."""

    stored: list[Stored]
    stale: set[int]
    failed: dict[int, StorageError]


class Connections(msgspec.Struct, frozen=True):
    """The connections for reading (on PostgreSQL for writing too, but not the message writer's), and who waits for one."""

    busy: int
    idle: int
    waiting: int


class Database(Protocol):
    """One engine. Frames and signals of a transaction are published after its commit, in commit order.

    Attributes:
        engine: its name.
        era: the current era, as this process last read it.
        writer: the thread with a loop of its own on which `store` and the message writer run.
    """

    engine: str
    era: str
    writer: LoopThread

    async def read(self, work: Work[T]) -> T:
        """Run `work` on one snapshot of the primary. Raises StorageError."""
        ...

    async def write(self, workspace_id: int, work: Work[T]) -> T:
        """Run `work` in one transaction under the workspace's lock, and retry it if another transaction interfered.

        The lock is taken before `work` runs, so commit order is number order. Every transaction that stores events of
        an existing workspace must use this method.

        Raises:
            StorageError: see its subclasses.
            Exception: the error that `work` raises; the transaction was rolled back.
        """
        ...

    async def write_unlocked(self, work: Work[T]) -> T:
        """Like `write`, but without the lock of a workspace.

        For rows of no workspace, of several workspaces, or of a workspace that `work` creates.

        Raises:
            StorageError: see its subclasses.
            Exception: the error that `work` raises; the transaction was rolled back.
        """
        ...

    async def read_on_writer(self, work: Work[T]) -> T:
        """`read` for the message writer, on the writer's own loop and connection."""
        ...

    async def store(self, rows: MessageRows, decided_with: Mapping[int, Decided], now: int) -> StoreResult:
        """Store a batch, on the writer's loop: message rows, keys, heads, read marks and events of a workspace in one transaction.

        Args:
            decided_with: for each workspace what its rows were decided with; newer rights or another era make the workspace stale.
            now: milliseconds.
        """
        ...

    async def begin_era(self, after: str) -> str:
        """Begin an era if `after` is still the current one, because the log went back; returns the current one.

        Raises StorageUnavailable.
        """
        ...

    async def system_id(self) -> str:
        """Return an identifier that differs for a restored or failed-over copy, or ""; later transactions check it.

        The part before the first `/` names the cluster, and stays the same over a failover and a restart.
        """
        ...

    def queues(self) -> list[Queue]: ...

    def watch_files(self, on_lost: Callable[[Exception], None]) -> None:
        """Start to watch the database's files. If they are lost, save the database and then call `on_lost` on the main
        loop."""
        ...

    def lost(self) -> str | None:
        """The reason why the database is not written until its files are back; None while they are in place."""
        ...

    def loops(self) -> list[LoopState]:
        """The background loops of the engine itself."""
        ...

    async def check_writable(self) -> None:
        """Raises StorageError: nothing can be stored now, but reading may work."""
        ...

    def connections(self) -> Connections: ...

    async def close(self) -> None: ...
