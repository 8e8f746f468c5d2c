"""The event log of the PostgreSQL database that this process uses, and what happens when the log is another one."""

from __future__ import annotations

import logging

from fechatter.storage import eras
from fechatter.storage.engines.high_water import HighWater, WentBack
from fechatter.storage.engines.postgres_life import Life, read_life
from fechatter.storage.engines.postgres_link import Link
from fechatter.storage.engines.postgres_settings import WRITE
from fechatter.storage.engines.postgres_transaction import PostgresTransaction

log = logging.getLogger(__name__)


class KnownLog:
    """
    Attributes:
        era: the current era, as this process last read it.
        life: the database that has the log; None before it is identified.
        high_water: the event numbers that this process committed.
    """

    def __init__(self) -> None:
        self.era = ""
        self.life: Life | None = None
        self.high_water = HighWater()

    async def recognise(self, connection: Link) -> None:
        """Handle a change of the database: identify it, and begin an era there unless another node already did."""
        life = self.life = await read_life(connection)
        async with connection.transaction(WRITE, life):
            self.era = await eras.recognise(PostgresTransaction(connection), str(life))
        self.high_water.forget()
        log.warning("PostgreSQL was restarted or replaced; its event log continues in era %s", self.era)

    async def begin_after(self, connection: Link, error: WentBack) -> None:
        """Handle a log that went back in time: begin an era, unless another node already did."""
        async with connection.transaction(WRITE, self.life):
            self.era = await eras.begin_after(PostgresTransaction(connection), error.era)
        self.high_water.forget()
        log.warning("%s; the event log continues in era %s", error, self.era)
