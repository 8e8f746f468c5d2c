"""`fechatter migrate`: brings the database up to date and stops, for those who do that apart from the start."""

import asyncio

from fechatter.settings import Settings


def migrate(settings: Settings) -> int:
    """Apply what is missing and name it.

    Raises:
        StartError: the database cannot be reached, is newer than this program or is not ours.
    """
    from fechatter.cli.terminal import report
    from fechatter.storage import opening

    if settings.database_url is None:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    applied = asyncio.run(opening.migrate(settings.database_address))
    for name in applied:
        report(f"applied {name}")
    if not applied:
        report("The database is up to date.")
    return 0
