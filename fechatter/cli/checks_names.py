"""The checks of `fechatter doctor` for names: rows whose key could not be updated to the current rules."""

from __future__ import annotations

import asyncio
import sqlite3

from fechatter.cli.checks_database import pending_migrations
from fechatter.cli.findings import Finding
from fechatter.errors import StartError
from fechatter.settings import Settings
from fechatter.storage import opening, rekeying
from fechatter.storage.rekeying import Kept

REMEDY = "Rename the channels or handles. If two accounts have one e-mail address, disable the unused account."
SHOWN = 5


def names(settings: Settings) -> Finding:
    """Check that no two accounts or channels have the same name under the current rules."""
    subject, address = "names", settings.database_address
    try:
        opening.check_there(address)
        if pending_migrations(address):
            return Finding(subject, True, "checked after the next start")
        kept = asyncio.run(_kept(address))
    except (StartError, OSError, sqlite3.Error) as error:
        return Finding(subject, True, f"not checked ({error})")
    return Finding(subject, not kept, "; ".join(map(_described, kept)) or "all are different", REMEDY)


async def _kept(address: str) -> list[Kept]:
    async with opening.open_source(address) as source:
        return await rekeying.kept(source.tx)


def _described(kept: Kept) -> str:
    ids = ", ".join(map(str, kept.ids[:SHOWN]))
    return (
        f"{len(kept.ids)} {kept.kind} with the name of another one (ids {ids}{' …' if len(kept.ids) > SHOWN else ''})"
    )
