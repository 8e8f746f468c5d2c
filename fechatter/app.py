"""The composition root: Settings -> Services -> Starlette. The only file that knows every class.

`create_app(settings)` is a complete ASGI app; under another server than `fechatter serve` its lifespan opens and closes everything.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from fechatter.api.application import Application
from fechatter.api.routes import ROUTES
from fechatter.auth.limits import Limits
from fechatter.auth.passwords import Passwords
from fechatter.auth.quotas import Quotas
from fechatter.auth.secrets import open_secrets
from fechatter.auth.tokens import AccessTokens
from fechatter.bus.base import Bus
from fechatter.bus.memory import MemoryBus
from fechatter.bus.nats import NatsBus
from fechatter.bus.seal import Seal
from fechatter.frames import Frame, Signal
from fechatter.hub.hub import Hub
from fechatter.messages.send import INTAKE_BYTES, INTAKE_MESSAGES, Sender
from fechatter.messages.writer import Writer
from fechatter.native import Intake
from fechatter.services import Services
from fechatter.settings import Settings, load_settings
from fechatter.storage.folder import locked_folder
from fechatter.storage.opening import open_database
from fechatter.tasks import Tasks
from fechatter.telemetry.watch import Watch
from fechatter.workers.upkeep import Upkeep

log = logging.getLogger(__name__)

STOP_SECONDS = 5.0

OnDeath = Callable[[str, BaseException], None]


@asynccontextmanager
async def open_services(settings: Settings, on_death: OnDeath) -> AsyncIterator[Services]:
    """Open everything, in order; close it in reverse. Raises StartError."""
    with locked_folder(settings.data_dir):
        async with _open(settings, on_death) as services:
            yield services


@asynccontextmanager
async def _open(settings: Settings, on_death: OnDeath) -> AsyncIterator[Services]:
    tasks, watch = Tasks(on_death), Watch()
    secrets = open_secrets(settings)
    bus: Bus = NatsBus(settings.nats_url, tasks, Seal(secrets.signing), lambda: hub.era) if settings.nats_url else MemoryBus()

    def publish(frames: list[Frame], signals: list[Signal]) -> None:
        watch.published += len(frames) + len(signals)
        bus.publish(frames, signals)

    database = await open_database(settings.database_address, publish, connections=settings.connection_limit)
    database.watch_files(lambda error: on_death("database files", error))
    hub = Hub(database, tasks, settings)
    intake = Intake(INTAKE_MESSAGES, INTAKE_BYTES)
    writer = Writer(intake, database, lambda outcome: sender.deliver(outcome))
    sender = Sender(intake, writer.wake, publish)
    quotas = Quotas(settings)
    passwords = Passwords(pace=quotas.pace)
    upkeep = Upkeep(database, settings)
    services = Services(
        settings=settings,
        tasks=tasks,
        database=database,
        bus=bus,
        hub=hub,
        sender=sender,
        writer=writer,
        secrets=secrets,
        tokens=AccessTokens(secrets.signing, settings.token_expiry_seconds),
        passwords=passwords,
        limits=Limits(enabled=settings.rate_limits),
        quotas=quotas,
        watch=watch,
        upkeep=upkeep.loops(),
    )
    await bus.start(hub.receive, hub.signal)
    hub.start()
    writing = tasks.start("message writer", database.writer.call(writer.run))
    writing.add_done_callback(lambda _: sender.give_up())
    tasks.start("watch of the loop", watch.loop_lag.run())
    tidying = tasks.start("upkeep", upkeep.run())
    try:
        yield services
    finally:
        hub.stop()
        writer.stop()
        await asyncio.wait([writing], timeout=STOP_SECONDS)
        tidying.cancel()
        await tasks.stop()
        await bus.close()
        await database.close()
        passwords.close()


def create_app(settings: Settings, *, on_death: OnDeath | None = None) -> Application:
    """The whole server as one ASGI app."""

    @asynccontextmanager
    async def lifespan(app: Application) -> AsyncIterator[None]:
        async with open_services(settings, on_death or _exit) as services:
            app.services = services
            yield

    return Application(ROUTES, lifespan, settings)


def _exit(name: str, error: BaseException) -> None:
    """A server must not go on with a part of it dead."""
    log.critical("stopping: task %s died: %r", name, error)
    os._exit(70)


def __getattr__(name: str) -> Application:
    """`fechatter.app:app`, for any ASGI server: settings from the environment and FECHATTER_CONFIG."""
    if name != "app":
        raise AttributeError(name)
    config = os.environ.get("FECHATTER_CONFIG")
    return create_app(load_settings(Path(config) if config else None, os.environ))
