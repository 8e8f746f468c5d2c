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
from fechatter.queues import Line, Queue
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
    """The database cannot store this row: the same statement fails again, but other rows may be stored."""


class StorageFull(StorageError):
    """The disk is full: nothing of the transaction was kept."""


class StorageUnavailable(StorageError):
    """The database cannot be used, whatever the reason; whether a commit under way took place is not known."""


class StorageLost(StorageUnavailable):
    """The database's files were deleted, moved or replaced while open; nothing is written until they are back."""


class TransactionConflict(StorageUnavailable):
    """Another transaction was in the way, or none could be begun. Nothing was kept; the same work may be tried again at once."""


class StorageBusy(StorageUnavailable):
    """As many wait already as may; nothing was begun. `code` tells what for."""

    def __init__(self, code: str) -> None:
        super().__init__(f"too many wait: {code}")
        self.code = code


PAUSE_SECONDS = 0.003
"""Of `Transaction.pause`. A piece of 50 chats takes about 1 ms, so long work uses a quarter of a processor."""


def reads_line() -> Line:
    """Those who wait for a connection to the database."""
    return Line("database", MAX_WAITING, "requests", "503 `database_busy`", lambda: StorageBusy("database_busy"))


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
        """Let others have the processor between two pieces of long work; no longer than a piece should take."""
        ...

    async def lock_workspace(self, workspace_id: int) -> None:
        """Take the workspace's lock, first thing in every writing transaction, so that commit order is number order."""
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
        """The rows at these indices of the columns."""
        columns: list[list[Any]] = [getattr(self, name) for name in self.__struct_fields__]
        return MessageRows(*([column[index] for index in indices] for column in columns))


class Decided(NamedTuple):
    """With which rights, and in which era, somebody decided what may be written in a workspace."""

    rights_seq: int
    era: str


class Stored(msgspec.Struct):
    """What a batch became. `rows` are the places that were stored, with their ids, chat numbers and event numbers, and the era
    of those; `repeats` are the places whose key was there already."""

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
    """One engine. What a transaction collected is published after its commit, in commit order.

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

    async def write(self, work: Work[T]) -> T:
        """Run `work` in one transaction, and again if another transaction was in the way.

        Raises:
            StorageError: see its subclasses.
            Exception: what `work` raises; the transaction was rolled back.
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
        """What distinguishes this database from a restored or failed-over copy, "" where nothing does; later transactions check it.

        The part before the first `/` names the cluster, and stays the same over a failover and a restart.
        """
        ...

    def queues(self) -> list[Queue]: ...

    def watch_files(self, on_lost: Callable[[Exception], None]) -> None:
        """From now on, if the database's files are lost, save it and then call `on_lost` on the main loop."""
        ...

    def lost(self) -> str | None:
        """Why nothing is written until the database's files are back; None while they are there."""
        ...

    def loops(self) -> list[LoopState]:
        """What the engine itself repeats in the background."""
        ...

    async def check_writable(self) -> None:
        """Raises StorageError: nothing can be stored now, though perhaps read."""
        ...

    def connections(self) -> Connections: ...

    async def close(self) -> None: ...
