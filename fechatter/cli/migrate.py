"""`fechatter migrate`: updates the tables of the database and stops, for operators who do this before a start."""

import asyncio

from fechatter.settings import Settings


def migrate(settings: Settings) -> int:
    """Apply the missing migrations and print their names.

    Raises:
        StartError: the database cannot be reached, is newer than this program or belongs to another program.
    """
    from fechatter.cli.terminal import report
    from fechatter.storage import opening
    from fechatter.storage.folder import make_folder

    if settings.database_url is None:
        make_folder(settings.data_dir)
    applied = asyncio.run(opening.migrate(settings.database_address))
    for name in applied:
        report(f"applied {name}")
    if not applied:
        report("The database is up to date.")
    return 0
