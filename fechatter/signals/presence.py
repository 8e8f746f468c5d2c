"""Presence: who is online, for the sessions that subscribed to these people.

Once a second, changes become one signal per subscribed session, with only the people whose state differs from the last
signal. So a reconnect that changes nothing sends nothing, and many changes at once are few signals. Before a guest
receives a change, the database confirms that both share a chat. Nodes report their people to each other (`nodes.py`).
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Annotated, Literal, Protocol

import msgspec

from fechatter.errors import Unavailable
from fechatter.frames import Frame, Signal, control_block
from fechatter.loops import Loop
from fechatter.model import AnyUser, UserId
from fechatter.queues import Queue
from fechatter.signals import nodes
from fechatter.signals.nodes import PeopleReport, StateReport, SubscriptionReport
from fechatter.signals.roster import MAX_PEOPLE, NAMES, Roster, StateName
from fechatter.signals.subscriptions import MAX_SUBSCRIBED, Subscriber, Subscriptions

EVERY_SECONDS = 1.0
MAX_PAUSE_SECONDS = 4.0
CHANGES_AT_ONCE = 5_000
"""After so many changes, a few milliseconds of work, other work of the main loop comes first."""

Changes = dict[int, int]
"""New states, by person."""
Pairs = list[tuple[int, int]]
Blocks = dict[tuple[tuple[int, int], ...], bytes]
"""The blocks of this step, by their changes: sessions with the same changes share one."""
OwnState = Literal["online", "away", "dnd"]


class PersonPresence(msgspec.Struct, frozen=True):
    """A person's presence."""

    user_id: AnyUser
    state: Annotated[
        StateName,
        msgspec.Meta(description="`dnd`: do not disturb.", examples=["online"]),
    ]


class PresenceChanged(msgspec.Struct, frozen=True):
    """A signal to a session that subscribed to presence: the people whose presence has changed."""

    presences: list[PersonPresence]


class StreamReader(Protocol):
    """The session and the person of a stream, as of the last event that passed."""

    @property
    def workspace_id(self) -> int: ...
    @property
    def user_id(self) -> int: ...
    @property
    def session_id(self) -> int: ...
    @property
    def guest(self) -> bool: ...
    @property
    def shows_presence(self) -> bool: ...


class SessionStream(Protocol):
    """A live stream of a subscribed session."""

    @property
    def reader(self) -> StreamReader: ...

    def offer_signal(self, block: bytes) -> None: ...


Find = Callable[[Subscriber], Sequence[SessionStream]]
Met = Callable[[Pairs], Awaitable[set[tuple[int, int]]]]
Publish = Callable[[list[Frame], list[Signal]], None]


class StepPace:
    """Lets other work of the main loop run between pieces of a long step."""

    def __init__(self) -> None:
        self._done = 0

    async def after(self, changes: int) -> None:
        """Count some changes; after CHANGES_AT_ONCE, let other work run."""
        self._done += changes
        if self._done >= CHANGES_AT_ONCE:
            self._done = 0
            await asyncio.sleep(0)


class Presence:
    """The presence of all people. Runs on the main loop.

    Args:
        find: returns the streams of a session on this node.
        met: returns the pairs of people who share a chat. Raises StorageError.
        publish: publishes reports to the other nodes; None if there are none.
        clock: seconds, monotonic.

    Attributes:
        sent: signals that were queued for streams since the start.
        loop: runs `step` once a second.
    """

    def __init__(
        self, find: Find, met: Met, publish: Publish | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.sent = 0
        self.loop = Loop("presence", self.step, EVERY_SECONDS, MAX_PAUSE_SECONDS)
        self._find = find
        self._met = met
        self._publish = publish
        self._clock = clock
        self._node = secrets.token_hex(8)
        self._roster = Roster()
        self._subscriptions = Subscriptions()
        self._owed: dict[Subscriber, Changes] = {}
        """Changes that sessions have not received yet."""
        self._asked: set[int] = set()
        """Workspaces of which another node wants a full report."""
        self._renew_at = 0.0

    def queues(self) -> list[Queue]:
        people, subscribed = lambda: self._roster.size, lambda: self._subscriptions.size
        return [
            Queue("presence_people", MAX_PEOPLE, "people", "shown as offline", people),
            Queue("presence_subscriptions", MAX_SUBSCRIBED, "people", "503 `presence_full`", subscribed),
        ]

    def arrived(self, reader: StreamReader) -> None:
        """Note that a stream was opened."""
        hidden = not reader.shows_presence
        self._roster.open(reader.workspace_id, reader.user_id, reader.session_id, hidden=hidden)

    def left(self, reader: StreamReader, *, ended: bool) -> None:
        """Note that a stream was closed; `ended` if its session ended with it."""
        if ended:
            self._roster.end(reader.user_id, reader.session_id)
            self._forget(reader.session_id)
        else:
            self._roster.close(reader.user_id, reader.session_id, self._clock())

    def prefer(self, user_id: int, shows_presence: bool) -> None:
        """Note whether a person shows presence."""
        self._roster.hide(user_id, hidden=not shows_presence)

    def set_state(self, subscriber: Subscriber, state: OwnState) -> None:
        """Note the state that a session reports, on the nodes where it has its streams."""
        workspace_id, user_id, session_id = subscriber
        number = NAMES.index(state)
        self._roster.set_state(workspace_id, user_id, session_id, number, self._clock())
        self._send(workspace_id, StateReport(self._node, user_id, session_id, number))

    def subscribe(self, subscriber: Subscriber, people: Iterable[int]) -> list[PersonPresence]:
        """Replace the subscription of a session by people whom it may see; return their states.

        Raises:
            Unavailable: `presence_full`.
        """
        workspace_id, user_id, session_id = subscriber
        states = {each: self._roster.shown(each) for each in people}
        expected = self._roster.expect(workspace_id, user_id, session_id, self._clock())
        if not expected or not self._accept(subscriber, states):
            raise Unavailable("The server has too many subscriptions to presence.", code="presence_full")
        self._send(workspace_id, SubscriptionReport(self._node, user_id, session_id, list(states.items())))
        return _presences(states)

    def heard(self, signal: Signal) -> None:
        """Take the report of another node."""
        report = nodes.report_of(signal)
        if report is None or report.node == self._node:
            return
        workspace_id = signal.workspace_id
        match report:
            case PeopleReport():
                self._roster.lease(report.node, workspace_id, report.people, self._clock(), full=report.full)
                if report.asks:
                    self._asked.add(workspace_id)
            case StateReport(_, user_id, session_id, state) if self._roster.knows(user_id, session_id):
                self._roster.set_state(workspace_id, user_id, session_id, state, self._clock())
            case SubscriptionReport(_, user_id, session_id, people) if self._roster.knows(user_id, session_id):
                self._accept(Subscriber(workspace_id, user_id, session_id), dict(people))

    async def step(self) -> None:
        """Forget who is gone, report to the other nodes, and signal the changes. Raises StorageError."""
        now = self._clock()
        for session_id in self._roster.expire(now):
            self._forget(session_id)
        self._report(now)
        pace = StepPace()
        for user_id, state in self._roster.changes().items():
            watchers = tuple(self._subscriptions.watchers(user_id))
            for subscriber in watchers:
                self._owed.setdefault(subscriber, {})[user_id] = state
            await pace.after(len(watchers))
        await self._show_owed(pace)

    def _accept(self, subscriber: Subscriber, states: Mapping[int, int]) -> bool:
        """Store a subscription whose session has received `states`. Returns False if there are too many."""
        self._owed.pop(subscriber, None)
        if not self._subscriptions.replace(subscriber, states):
            return False
        shown = self._roster.shown
        differing = {user_id: shown(user_id) for user_id, state in states.items() if shown(user_id) != state}
        if differing:
            self._owed[subscriber] = differing
        return True

    def _forget(self, session_id: int) -> None:
        subscriber = self._subscriptions.drop(session_id)
        if subscriber is not None:
            self._owed.pop(subscriber, None)

    async def _show_owed(self, pace: StepPace) -> None:
        owed, self._owed = self._owed, {}
        blocks: Blocks = {}
        guests: dict[Subscriber, Changes] = {}
        for subscriber, changes in owed.items():
            streams = self._find(subscriber)
            if any(stream.reader.guest for stream in streams):
                guests[subscriber] = changes
            else:
                self._show(streams, changes, blocks)
                await pace.after(len(changes))
        if guests:
            await self._show_guests(guests, blocks, pace)

    async def _show_guests(self, guests: dict[Subscriber, Changes], blocks: Blocks, pace: StepPace) -> None:
        """Show changes to guests, each of people who share a chat with the guest at this moment."""
        pairs = [(subscriber.user_id, user_id) for subscriber, changes in guests.items() for user_id in changes]
        try:
            met = await self._met(pairs)
        except BaseException:
            for subscriber, changes in guests.items():
                self._owed[subscriber] = changes | self._owed.get(subscriber, {})
            raise
        for subscriber, changes in guests.items():
            seen = {user_id: state for user_id, state in changes.items() if (subscriber.user_id, user_id) in met}
            self._show(self._find(subscriber), seen, blocks)
            await pace.after(len(changes))

    def _show(self, streams: Sequence[SessionStream], changes: Changes, blocks: Blocks) -> None:
        if not streams or not changes:
            return
        key = tuple(changes.items())
        block = blocks.get(key)
        if block is None:
            block = blocks[key] = control_block("presence.changed", PresenceChanged(_presences(changes)))
        for stream in streams:
            stream.offer_signal(block)
        self.sent += len(streams)

    def _report(self, now: float) -> None:
        """Report changes to the other nodes, and everybody when it is time or another node has asked."""
        changed, asked, self._asked = self._roster.unreported(), self._asked, set()
        is_due = now >= self._renew_at
        if is_due:
            self._renew_at = now + nodes.RENEW_SECONDS
        own = self._roster.own() if (is_due or asked) and self._publish is not None else {}
        full = {workspace_id: people for workspace_id, people in own.items() if is_due or workspace_id in asked}
        for workspace_id, people in (changed | full).items():
            asks = not self._roster.has_leases(workspace_id)
            some = people[: nodes.MAX_REPORTED]
            self._send(workspace_id, PeopleReport(self._node, workspace_id in full, asks, some))

    def _send(self, workspace_id: int, report: nodes.AnyReport) -> None:
        if self._publish is not None:
            self._publish([], [nodes.signal_of(workspace_id, report)])


def _presences(states: Mapping[int, int]) -> list[PersonPresence]:
    return [PersonPresence(UserId(user_id), NAMES[state]) for user_id, state in states.items()]
