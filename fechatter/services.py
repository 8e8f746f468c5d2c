"""The services that endpoints and workers may use; `app.open_services` creates them."""

from __future__ import annotations

import msgspec

from fechatter.auth.limits import AttemptLimits
from fechatter.auth.passwords import Passwords
from fechatter.auth.quotas import Quotas
from fechatter.auth.secrets import Secrets
from fechatter.auth.stream_tickets import StreamTickets
from fechatter.auth.tokens import AccessTokens
from fechatter.bus.base import Bus
from fechatter.cache.responses import ResponseCache
from fechatter.hub.hub import Hub
from fechatter.loops import LoopState
from fechatter.messages.publishing import Publisher
from fechatter.messages.send import Sender
from fechatter.messages.writer import Writer
from fechatter.queues import Queue
from fechatter.settings import Settings
from fechatter.signals.presence import Presence
from fechatter.signals.receipts import Receipts
from fechatter.signals.typing import Typing
from fechatter.stopping import StopOrder
from fechatter.storage.engines.base import Database
from fechatter.tasks import Tasks
from fechatter.telemetry.watch import Watch


class Services(msgspec.Struct, frozen=True):
    """The services of one process."""

    settings: Settings
    tasks: Tasks
    stopping: StopOrder
    database: Database
    bus: Bus
    publisher: Publisher
    hub: Hub
    typing: Typing
    receipts: Receipts
    presence: Presence
    sender: Sender
    writer: Writer
    secrets: Secrets
    tokens: AccessTokens
    stream_tickets: StreamTickets
    passwords: Passwords
    limits: AttemptLimits
    quotas: Quotas
    responses: ResponseCache
    watch: Watch
    upkeep: list[LoopState]
    process: list[LoopState] = []
    """Loops that the server process has added."""

    def queues(self) -> list[Queue]:
        """Return every bounded queue of this process."""
        callers = (self.sender, self.database, self.passwords, self.limits, self.quotas)
        packages = (*callers, self.hub, self.typing, self.receipts, self.presence, self.bus)
        return [queue for package in packages for queue in package.queues()]

    def loops(self) -> list[LoopState]:
        """Return the state of every background loop of this process."""
        own = [*self.hub.loops(), self.presence.loop.state, *self.database.loops(), *self.bus.loops()]
        return [*own, *self.upkeep, *self.process]
