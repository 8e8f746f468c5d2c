"""Whole databases as rows that fit either engine: out of one snapshot, or into an empty database.

A row is a line of JSON, an array of its columns' values in the order of `Table.columns`, bytes as hexadecimal digits. Which tables there
are is asked of the database, so that a table that a migration adds is copied too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal, Protocol

import msgspec

from fechatter.errors import StartError
from fechatter.storage.engines.base import Transaction

Kind = Literal["integer", "text", "bytes"]
Take = Callable[[bytes], object]
"""Is handed whole lines, some at once, each with its newline."""

LEFT_OUT: Final = frozenset({"schema_migrations", "counters", "sessions", "password_resets"})
"""Tables that are not copied: created by the migrations, covered by `last_id`, or ended by every restore (a reset link
that was used after the backup must not work again)."""


class Column(msgspec.Struct, frozen=True):
    name: str
    kind: Kind


class Table(msgspec.Struct, frozen=True):
    """A table; `columns` by name, which is the same on both engines."""

    name: str
    columns: list[Column]


class Misfit(Exception):
    """Rows that do not fit the table they are for."""


class CopySource(Protocol):
    """One snapshot of a database that others use meanwhile.

    Attributes:
        engine: its name.
        tables: those to copy, whatever another one refers to before it.
        migrations: versions and checksums of what was applied.
        tx: for other reading in the same snapshot.
    """

    engine: str
    tables: Sequence[Table]
    migrations: Mapping[str, str | None]
    tx: Transaction

    async def count(self, table: Table) -> int: ...
    async def copy(self, table: Table, take: Take) -> None:
        """Hand out every row."""
        ...

    async def last_id(self) -> int:
        """No id in the snapshot is above it."""
        ...

    async def epoch(self) -> str:
        """Empty for a database that no server was started on."""
        ...

    async def size_bytes(self) -> int:
        """How much room the database takes."""
        ...


class CopyTarget(Protocol):
    """An empty database that becomes visible whole, or not at all.

    Attributes:
        tx: for what remains to be written beside the rows.
    """

    tx: Transaction

    async def tables(self) -> Sequence[Table]:
        """Those to fill, whatever another one refers to before it."""
        ...

    async def fill(self, table: Table, rows: Iterable[tuple[object, ...]]) -> None:
        """Put these rows in place of what the migrations made. Raises Misfit."""
        ...

    async def finish(self, last_id: int) -> None:
        """All rows are in: draw ids above `last_id`, and apply the migrations that are newer. Raises Misfit."""
        ...


def in_order(references: Mapping[str, set[str]]) -> list[str]:
    """Tables by name, each after those it refers to; the same order for the same tables. Raises StartError: they refer in a circle."""
    ordered: list[str] = []
    left = {name: targets - {name} for name, targets in sorted(references.items())}
    while left:
        free = [name for name, targets in left.items() if targets <= set(ordered)]
        if not free:
            raise StartError(f"The tables {', '.join(left)} refer to one another in a circle; they cannot be copied.")
        ordered += free
        left = {name: targets for name, targets in left.items() if name not in free}
    return ordered


def kind_of(declared: str, kinds: Mapping[str, Kind], where: str) -> Kind:
    """The kind of a column by its declared type. Raises StartError: there is none."""
    try:
        return kinds[declared.upper()]
    except KeyError:
        raise StartError(f"{where} has the type {declared}, which copying does not know.") from None
