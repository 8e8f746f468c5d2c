"""The interface of a database engine: read from one snapshot, write in one transaction, publish after the commit.

SQL is written once, in the subset that both engines support, with `$1 … $n` parameters (see `dialect`). A difference
between the engines is a method here; no other code depends on the engine.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from fechatter.frames import Frame, Signal
from fechatter.loops import LoopState
from fechatter.queues import Queue
from fechatter.storage.engines.batch import Decided, MessageRows, StoreResult
from fechatter.storage.engines.connections import Connections
from fechatter.storage.engines.high_water import HighWater
from fechatter.storage.engines.thread import LoopThread

T = TypeVar("T")

PAUSE_SECONDS = 0.003
"""The length of `Transaction.pause`. A piece of 50 chats takes about 1 ms, so long work uses a quarter of a
processor core."""


class Row(Protocol):
    """One row. Its values are read by column name, by index, or by iteration."""

    def __getitem__(self, key: Any, /) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __len__(self) -> int: ...


class Transaction(Protocol):
    """A transaction or a snapshot.

    Attributes:
        frames, signals: to be published after the commit.
        now: the time at which the transaction began, in milliseconds.
        rows: the number of rows that were read so far.
        reserved: the workspaces' newest event numbers after the commit.
        high_water: the event numbers that this process committed before.
    """

    frames: list[Frame]
    signals: list[Signal]
    now: int
    rows: int
    reserved: dict[int, int]
    high_water: HighWater

    async def fetch(self, sql: str, *args: object) -> Sequence[Row]:
        """Return all rows of a query. Raises StorageError."""
        ...

    async def fetchrow(self, sql: str, *args: object) -> Row | None:
        """Return the first row of a query, or None. Raises StorageError."""
        ...

    async def execute(self, sql: str, *args: object) -> int:
        """Run a statement; returns the number of rows that it changed.

        Raises:
            UniqueViolation: a row with the same key exists.
            RowRefused: the database does not accept a value.
            StorageError: see its other subclasses.
        """
        ...

    async def pause(self) -> None:
        """Let other work run between two pieces of long work."""
        ...

    async def new_id(self) -> int:
        """Return an id that was never used before. Ids that are drawn under a workspace's lock ascend."""
        ...


Work = Callable[[Transaction], Awaitable[T]]
Choose = Callable[[Transaction], Awaitable[tuple[MessageRows, Decided]]]
"""Decides under a workspace's lock which rows of a batch are stored, and returns them with the rights that it read."""
Publish = Callable[[list[Frame], list[Signal]], None]


class Batches(Protocol):
    """Stores batches of messages. Its methods run on the writer's loop."""

    async def store(self, rows: MessageRows, decided_with: Mapping[int, Decided], now: int) -> StoreResult:
        """Store a batch of messages.

        All rows of a workspace are stored in one transaction: messages, keys, timelines, read marks and events.

        Args:
            rows: the batch.
            decided_with: the rights and the era with which each workspace's rows were decided. If either has changed,
                the workspace is stale.
            now: milliseconds.
        """
        ...

    async def store_locked(self, workspace_id: int, choose: Choose, now: int) -> StoreResult:
        """Like `store` for one workspace, but `choose` decides the rows under the workspace's lock.

        Other writes therefore cannot make the workspace stale; only a new era can.
        """
        ...


class Database(Protocol):
    """One engine. Frames and signals of a transaction are published after its commit, in commit order.

    Attributes:
        engine: the engine's name.
        era: the current era, as this process last read it.
        writer: the thread, with a loop of its own, on which `batches` and the message writer run.
    """

    engine: str
    era: str
    writer: LoopThread

    @property
    def batches(self) -> Batches: ...

    async def read(self, work: Work[T]) -> T:
        """Run `work` on one snapshot of the primary. Raises StorageError."""
        ...

    async def read_row(self, sql: str, *args: object, keys: Sequence[Hashable]) -> Row | None:
        """Return the first row of a short query, or None. The statement is a snapshot of its own, of the primary.

        It costs much less than `read`. `keys` name the stored rows that the query reads, however it finds them: queries
        with the same keys read the same pages of the database. Raises StorageError.
        """
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
        """Like `read`, but on the message writer's loop and connection. Raises StorageError."""
        ...

    async def read_statement_on_writer(self, work: Work[T]) -> T:
        """`read_on_writer` for `work` that runs a single statement, which is a snapshot of its own."""
        ...

    async def begin_era(self, after: str) -> str:
        """Begin an era if `after` is still the current one, because the log went back in time.

        Returns the current era. Raises StorageUnavailable.
        """
        ...

    async def system_id(self) -> str:
        """Return the identity of the database server, or "" if the engine has none. Later transactions check it.

        It changes when the server is restarted, restored or replaced. The part before the first `/` names the cluster;
        it stays the same after a restart or a failover.
        """
        ...

    def queues(self) -> list[Queue]:
        """Return the engine's queues, for the metrics."""
        ...

    def watch_files(self, on_lost: Callable[[Exception], None]) -> None:
        """Start to watch the database's files. If they are lost, save the database and then call `on_lost` on the main
        loop."""
        ...

    def lost(self) -> str | None:
        """Return why nothing is written, if the database's files are lost; None while they are in place."""
        ...

    def loops(self) -> list[LoopState]:
        """Return the state of the engine's own background loops."""
        ...

    async def check_writable(self) -> None:
        """Check that the database accepts writes. Raises StorageError: it does not; reads may still work."""
        ...

    def connections(self) -> Connections:
        """Return how many connections are in use, for the metrics."""
        ...

    async def close(self) -> None:
        """Close all connections and stop the engine's threads."""
        ...
