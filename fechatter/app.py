"""The composition root: Settings -> Services -> Starlette. No other file knows every class.

`create_app(settings)` returns a complete ASGI app whose lifespan opens and closes everything. `fechatter serve` runs
that lifespan itself; any other ASGI server runs it as usual.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from fechatter.api.application import Application
from fechatter.api.problems import render_for_gateway
from fechatter.api.routes import ROUTES
from fechatter.auth.limits import AttemptLimits
from fechatter.auth.passwords import Passwords
from fechatter.auth.quotas import Quotas
from fechatter.auth.secrets import open_secrets
from fechatter.auth.stream_tickets import StreamTickets
from fechatter.auth.tokens import AccessTokens
from fechatter.bus.base import Bus
from fechatter.bus.seal import Seal
from fechatter.bus.single_node import SingleNodeBus
from fechatter.cache.responses import open_responses
from fechatter.hub.hub import Hub
from fechatter.messages.publishing import Publisher
from fechatter.messages.send import Sender, open_intake
from fechatter.messages.writer import Writer
from fechatter.services import Services
from fechatter.settings import Settings, load_settings
from fechatter.signals.presence import Presence
from fechatter.signals.receipts import Receipts
from fechatter.signals.routing import SignalRouter
from fechatter.signals.typing import Typing
from fechatter.stopping import Stage, StopOrder
from fechatter.storage import members
from fechatter.storage.folder import locked_folder
from fechatter.storage.opening import open_database
from fechatter.tasks import Tasks
from fechatter.telemetry.watch import Watch
from fechatter.workers.upkeep import Upkeep

log = logging.getLogger(__name__)

STOP_SECONDS = 5.0
"""Maximum time for which a stop waits for the writer's last batch."""

OnDeath = Callable[[str, BaseException], None]


@asynccontextmanager
async def open_services(settings: Settings, on_death: OnDeath) -> AsyncIterator[Services]:
    """Open all services; at the end, stop them in the order of `Stage`. Raises StartError."""
    stopping = StopOrder()
    with locked_folder(settings.data_dir):
        try:
            yield await _open(settings, on_death, stopping)
        finally:
            await stopping.run()


async def _open(settings: Settings, on_death: OnDeath, stopping: StopOrder) -> Services:
    tasks, watch = Tasks(on_death), Watch()
    secrets = open_secrets(settings)
    bus: Bus = SingleNodeBus()
    if settings.nats_url:
        # Imported here because a server without NATS starts sooner and needs less memory.
        from fechatter.bus.nats import NatsBus

        bus = NatsBus(settings.nats_url, tasks, Seal(secrets.signing), lambda: hub.era)
    quotas = Quotas(settings)
    responses = open_responses(settings)
    publisher = Publisher(bus, render_for_gateway, quotas.pace.note_first, responses)
    receipts = Receipts(publisher.publish)
    database = await open_database(settings.database_address, receipts.publish, connections=settings.connection_limit)
    stopping.add(Stage.BACKENDS, database.close)
    database.watch_files(lambda error: on_death("database files", error))
    presence = Presence(
        lambda subscriber: hub.attendance.of_session(*subscriber),
        lambda pairs: database.read(lambda tx: members.met_pairs(tx, pairs)),
        publisher.publish if settings.nats_url else None,
    )
    hub = Hub(database, tasks, settings, responses, presence)
    intake = open_intake()
    writer = Writer(intake, database, publisher.finish, responses=responses)
    sender = Sender(intake, writer.wake)
    upkeep = Upkeep(database, settings)
    services = Services(
        settings=settings,
        tasks=tasks,
        stopping=stopping,
        database=database,
        bus=bus,
        publisher=publisher,
        hub=hub,
        typing=Typing(publisher.publish),
        receipts=receipts,
        presence=presence,
        sender=sender,
        writer=writer,
        secrets=secrets,
        tokens=AccessTokens(secrets.signing, settings.token_expiry_seconds),
        stream_tickets=StreamTickets(secrets.signing),
        passwords=Passwords(pace=quotas.pace),
        limits=AttemptLimits(enabled=settings.rate_limits),
        quotas=quotas,
        responses=responses,
        watch=watch,
        upkeep=upkeep.loops(),
    )
    await _start(services, upkeep)
    return services


async def _start(services: Services, upkeep: Upkeep) -> None:
    tasks, stopping, hub = services.tasks, services.stopping, services.hub
    stopping.add(Stage.TASKS, tasks.stop)
    stopping.add(Stage.BACKENDS, services.bus.close)
    router = SignalRouter(hub.signal, services.typing, services.presence)
    await services.publisher.start(hub.receive, router.receive)
    # Password hashing stops early, because each hash takes long and hundreds of calls may wait.
    stopping.add(Stage.STREAMS, services.passwords.close)
    stopping.add(Stage.STREAMS, hub.stop)
    stopping.add(Stage.BACKENDS, hub.notices.close)
    hub.start()
    writing = tasks.start("message writer", services.database.writer.call(services.writer.run))
    writing.add_done_callback(lambda _: services.writer.give_up())
    stopping.add(Stage.WRITER, lambda: _stop_writer(services.writer, writing))
    tasks.start("loop lag", services.watch.loop_lag.run())
    tasks.start("upkeep", upkeep.run())
    tasks.start("presence", services.presence.loop.run())


async def _stop_writer(writer: Writer, writing: asyncio.Task[None]) -> None:
    writer.stop()
    await asyncio.wait([writing], timeout=STOP_SECONDS)


def create_app(settings: Settings, *, on_death: OnDeath | None = None) -> Application:
    """Return the whole server as one ASGI app."""

    @asynccontextmanager
    async def lifespan(app: Application) -> AsyncIterator[None]:
        async with open_services(settings, on_death or _exit) as services:
            app.services = services
            yield

    return Application(ROUTES, lifespan, settings)


def _exit(name: str, error: BaseException) -> None:
    """End the process at once, because a server must not continue without one of its tasks."""
    log.critical("stopping: task %s died: %r", name, error)
    os._exit(70)


def __getattr__(name: str) -> Application:
    """Create `fechatter.app:app` for any ASGI server. Settings come from the environment and FECHATTER_CONFIG."""
    if name != "app":
        raise AttributeError(name)
    config = os.environ.get("FECHATTER_CONFIG")
    return create_app(load_settings(Path(config) if config else None, os.environ))
