"""Copies whole databases as rows that fit both engines: from one snapshot, or into an empty database.

A row is a line of JSON: an array of its columns' values in the order of `Table.columns`, with bytes as hexadecimal
digits. The list of tables comes from the database, so a table that a migration adds is copied too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal, Protocol

import msgspec

from fechatter.errors import StartError
from fechatter.storage.engines.base import Transaction

Kind = Literal["integer", "text", "bytes"]
Take = Callable[[bytes], object]
"""Receives one or more complete lines, each with its newline."""
Progress = Callable[[str, int, int | None], None]
"""Receives the kind of rows, how many are done, and the total, or None if the total is unknown."""

LEFT_OUT: Final = frozenset({"schema_migrations", "counters", "sessions", "password_resets"})
"""Tables that are not copied: created by the migrations, covered by `last_id`, or ended by every restore (a reset link
that was used after the backup must not work again)."""


class Column(msgspec.Struct, frozen=True):
    """A column of a table."""

    name: str
    kind: Kind


class Table(msgspec.Struct, frozen=True):
    """A table. `columns` is ordered by name, which is the same order on both engines."""

    name: str
    columns: list[Column]


class Misfit(Exception):
    """Rows do not fit their table."""


class CopySource(Protocol):
    """One snapshot of a database that other processes may use at the same time.

    Attributes:
        engine: the engine's name.
        tables: the tables to copy, each after the tables that it refers to.
        migrations: versions and checksums of the applied migrations.
        tx: for other queries on the same snapshot.
    """

    engine: str
    tables: Sequence[Table]
    migrations: Mapping[str, str | None]
    tx: Transaction

    async def count(self, table: Table) -> int:
        """Return the number of rows of the table."""
        ...

    async def copy(self, table: Table, take: Take) -> None:
        """Pass every row of the table to `take`."""
        ...

    async def last_id(self) -> int:
        """Return a number that is at least the highest id of the snapshot."""
        ...

    async def epoch(self) -> str:
        """Return the current era; "" if no server was started on the database."""
        ...

    async def size_bytes(self) -> int:
        """Return the size of the database."""
        ...


class CopyTarget(Protocol):
    """An empty database that becomes visible when it is complete, or not at all.

    Attributes:
        tx: for other statements in the same transaction.
    """

    tx: Transaction

    async def tables(self) -> Sequence[Table]:
        """Return the tables to fill, each after the tables that it refers to."""
        ...

    async def fill(self, table: Table, rows: Iterable[tuple[object, ...]]) -> None:
        """Delete the rows that the migrations inserted, and insert `rows`. Raises Misfit."""
        ...

    async def finish(self, last_id: int) -> None:
        """Set the next id above `last_id`, and apply newer migrations. Call this after all rows. Raises Misfit."""
        ...


def in_order(references: Mapping[str, set[str]]) -> list[str]:
    """Return the tables' names, each after the tables that it refers to. The same tables always have the same order.

    Args:
        references: for each table, the tables that its foreign keys refer to.

    Raises:
        StartError: the references form a circle.
    """
    ordered: list[str] = []
    left = {name: targets - {name} for name, targets in sorted(references.items())}
    while left:
        free = [name for name, targets in left.items() if targets <= set(ordered)]
        if not free:
            raise StartError(f"The tables {', '.join(left)} refer to each other in a circle and cannot be copied.")
        ordered += free
        left = {name: targets for name, targets in left.items() if name not in free}
    return ordered


def kind_of(declared: str, kinds: Mapping[str, Kind], where: str) -> Kind:
    """Return the kind of a column of the declared type. Raises StartError: the type is unknown."""
    try:
        return kinds[declared.upper()]
    except KeyError:
        raise StartError(f"{where} has the type {declared}, which cannot be copied.") from None
