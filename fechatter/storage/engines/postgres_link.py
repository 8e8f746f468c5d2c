"""Opens connections to PostgreSQL, begins and ends transactions, and translates errors.

All statements go through a `Link`. It translates every error, and drops the connection if its state is uncertain after
an error.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import asyncpg
import msgspec

from fechatter.storage.engines.errors import RowRefused, StorageUnavailable, TransactionConflict
from fechatter.storage.engines.postgres_errors import ended_before, spares_connection, translate
from fechatter.storage.engines.postgres_life import Life, LifeChanged
from fechatter.storage.engines.postgres_settings import POOLED, READ, SETTINGS, WRITE, SessionSettings
from fechatter.telemetry.faults import describe_error

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Driver = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]

log = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
COMMAND_SECONDS = 10.0
CACHED_STATEMENTS = 512

_SCHEMA = """
SELECT coalesce(
    (SELECT current_schema() FROM pg_settings WHERE name = 'search_path' AND source = 'client'),
    (SELECT nspname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
        WHERE relname = 'schema_migrations' AND relkind = 'r' AND has_schema_privilege(n.oid, 'USAGE')
            AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'checksum')
        ORDER BY nspname <> current_schema(), nspname <> 'public', nspname LIMIT 1),
    current_schema(), 'public')"""


class Connector:
    """Opens connections to one database.

    Args:
        application: the `application_name` in `pg_stat_activity`.
        settings: session settings in addition to SETTINGS, such as longer timeouts.
        primary: whether to refuse a standby.
        command_seconds: client-side timeout of one statement, in seconds.
    """

    def __init__(
        self,
        url: str,
        *,
        application: str = "fechatter",
        settings: Mapping[str, str] | None = None,
        primary: bool = True,
        command_seconds: float = COMMAND_SECONDS,
    ) -> None:
        self._url = url
        self._application = application
        self._settings = {**SETTINGS, **(settings or {})}
        self._command_seconds = command_seconds
        self._asks_at_start = True
        self.session = SessionSettings("", pooled=False, primary=primary, version=0)

    async def connect(self) -> asyncpg.Connection[asyncpg.Record]:
        """Open a connection with every setting applied. Raises StorageUnavailable."""
        try:
            connection = await self._open()
            if not self.session.pooled:
                connection = await self._settle(connection)
            if not self.session.schema:
                await self._find_schema(connection)
            return connection
        except StorageUnavailable:
            raise
        except Exception as error:
            raise StorageUnavailable(describe_error(error)) from error

    async def link(self, settings: Mapping[str, str] | None = None) -> Link:
        """Open a connection outside any pool. Raises StorageUnavailable."""
        return self.over(await self.connect(), settings)

    def over(self, connection: Driver, settings: Mapping[str, str] | None = None) -> Link:
        """Wrap the driver's connection."""
        return Link(connection, self.session, {**self._settings, **(settings or {})})

    async def _open(self) -> asyncpg.Connection[asyncpg.Record]:
        if self._asks_at_start:
            try:
                return await self._call(self.session.at_start(self._settings))
            except asyncpg.ProtocolViolationError as error:
                log.debug("PgBouncer accepts no settings at the start of a connection: %s", describe_error(error))
                self._asks_at_start = False
        return await self._call({})

    async def _call(self, settings: Mapping[str, str]) -> asyncpg.Connection[asyncpg.Record]:
        connection = await asyncpg.connect(
            self._url,
            timeout=CONNECT_SECONDS,
            command_timeout=self._command_seconds,
            # Behind a pooler, a statement prepared in one transaction is not available in the next.
            statement_cache_size=0 if self.session.pooled else CACHED_STATEMENTS,
            server_settings={"application_name": self._application, **settings},
        )
        self.session = msgspec.structs.replace(self.session, version=connection.get_server_version().major)
        return connection

    async def _settle(self, connection: asyncpg.Connection[asyncpg.Record]) -> asyncpg.Connection[asyncpg.Record]:
        """Apply the settings. Behind a pooler that keeps no session settings, open a connection without them."""
        try:
            await connection.execute(self.session.for_connection(self._settings, connection.get_server_pid()))
        except asyncpg.PostgresError as error:
            connection.terminate()
            if error.sqlstate != POOLED:
                raise
            log.info("PostgreSQL is behind a connection pooler: settings are sent with each transaction")
            self.session = msgspec.structs.replace(self.session, pooled=True)
            return await self._open()
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _find_schema(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        """Find the schema of the tables, existing or new, so that a later change of `search_path` cannot hide them."""
        link = self.over(connection)
        try:
            async with link.transaction(WRITE):
                schema = str(await link.fetchval(_SCHEMA))
            self.session = msgspec.structs.replace(self.session, schema=schema)
            if not self.session.pooled:
                await connection.execute(self.session.for_connection(self._settings, connection.get_server_pid()))
        except BaseException:
            connection.terminate()
            raise


@lru_cache(maxsize=64)
def _checked(life: Life, sql: str) -> str:
    return life.checked(sql)


class Link:
    """One connection. Every method raises the driver's error as translated by `translate`.

    Args:
        driver: a connection of asyncpg or of its pool.
        settings: session settings; sent with each transaction if a pooler keeps none.
    """

    def __init__(self, driver: Driver, session: SessionSettings, settings: Mapping[str, str]) -> None:
        self.driver = driver
        self._session = session
        self._settings = settings

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            meant = translate(error)
            if not spares_connection(meant):
                self._drop()
            if meant is error:
                raise
            raise meant from error

    async def fetch(self, sql: str, *args: object) -> Sequence[asyncpg.Record]:
        with self._translated():
            return await self.driver.fetch(sql, *args)

    async def fetchval(self, sql: str, *args: object) -> Any:
        with self._translated():
            return await self.driver.fetchval(sql, *args)

    async def execute(self, sql: str, *args: object) -> str:
        """Run a statement; returns PostgreSQL's command tag, such as `UPDATE 3`."""
        with self._translated():
            return await self.driver.execute(sql, *args)

    async def fetch_row_of(self, life: Life | None, sql: str, args: Sequence[object]) -> asyncpg.Record | None:
        """Return the first row of a query that is a snapshot of its own, or None.

        Raises LifeChanged: the database has another `life`; the query did not run.
        """
        if self._session.pooled:
            async with self.transaction(READ, life):
                rows = await self.fetch(sql, *args)
            return rows[0] if rows else None
        try:
            rows = await self.driver.fetch(sql if life is None else _checked(life, sql), *args)
        except Exception:
            with self._first_statement(), self._translated():
                raise
        return rows[0] if rows else None

    @asynccontextmanager
    async def transaction(self, how: str, life: Life | None = None) -> AsyncIterator[None]:
        """Open one transaction: `how` is READ or WRITE. An exception in the block rolls it back.

        Raises LifeChanged: the database has another `life`; the block did not run.
        """
        try:
            await self._begin(how, life)
            yield
            # After a failed statement, PostgreSQL answers COMMIT with ROLLBACK instead of an error.
            if await self.execute("COMMIT") == "ROLLBACK":
                raise StorageUnavailable("a statement of the transaction had failed before its commit")
        except BaseException:
            await self._roll_back()
            raise

    async def _begin(self, how: str, life: Life | None) -> None:
        begin = self._session.begin(self._settings, how)
        with self._first_statement():
            await self.execute(begin if life is None else f"{begin}; {life.check}")

    @contextmanager
    def _first_statement(self) -> Iterator[None]:
        """Translate the errors of a statement that checks the database's life and comes before every change."""
        try:
            yield
        except RowRefused as error:  # only the check can fail with a data error
            raise LifeChanged("PostgreSQL was restarted or replaced") from error
        except StorageUnavailable as error:
            if not ended_before(error.__cause__):
                raise
            # Nothing was done yet, and another connection may still work.
            raise TransactionConflict(str(error)) from error

    @asynccontextmanager
    async def statement(self) -> AsyncIterator[None]:
        """Open a transaction for a single statement. It needs no BEGIN if the connection keeps its settings."""
        if not self._session.pooled:
            yield
            return
        async with self.transaction(WRITE):
            yield

    async def _roll_back(self) -> None:
        """Roll back, or drop the connection if that fails."""
        if self.closed:
            return
        rolled_back = False
        try:
            await self.driver.execute("ROLLBACK")
            rolled_back = True
        except Exception as error:
            log.debug("a transaction could not be rolled back", exc_info=error)
        finally:
            if not rolled_back:
                self._drop()

    def _drop(self) -> None:
        # A pool's proxy refuses every call once its connection is gone.
        with suppress(asyncpg.InterfaceError):
            self.driver.terminate()

    @property
    def closed(self) -> bool:
        try:
            return bool(self.driver.is_closed())
        except asyncpg.InterfaceError:
            return True

    async def close(self) -> None:
        """Close the connection, by force if necessary."""
        try:
            await self.driver.close(timeout=CONNECT_SECONDS)
        except Exception as error:
            log.debug("a connection did not close cleanly", exc_info=error)
            self._drop()
