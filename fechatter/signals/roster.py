"""Who is present: the states of sessions on this node and of people on the other nodes, as one state per person.

A session is present while it has a stream, and for 30 s after its last stream has closed. So a client that reconnects
changes nothing. Other nodes lease their people: a node that is silent for 60 s has none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Literal

import msgspec

OFFLINE, AWAY, ONLINE, DND = range(4)
"""The states of a session or person. The highest state of a person's sessions is the person's state."""
StateName = Literal["offline", "away", "online", "dnd"]
NAMES: tuple[StateName, ...] = ("offline", "away", "online", "dnd")
GRACE_SECONDS = 30.0
LEASE_SECONDS = 60.0
MAX_PEOPLE = 262_144


class _Session(msgspec.Struct, gc=False):
    """A session that this node knows.

    Attributes:
        until: without a stream, the time at which it is forgotten.
        opened: whether it had a stream. Another session is known only by its requests, and is not present.
    """

    session_id: int
    streams: int = 0
    state: int = ONLINE
    until: float = 0.0
    opened: bool = False


class _Person(msgspec.Struct, gc=False):
    """A person with sessions on this node. Neither this nor `_Session` can be part of a cycle.

    Attributes:
        shown: the state that subscribers have received.
        reported: the state that the other nodes have received.
        hidden: whether the person does not show presence.
    """

    workspace_id: int
    shown: int = OFFLINE
    reported: int = OFFLINE
    hidden: bool = False
    sessions: tuple[_Session, ...] = ()

    @property
    def state(self) -> int:
        """The state on this node."""
        if self.hidden:
            return OFFLINE
        return max((session.state for session in self.sessions if session.opened), default=OFFLINE)


class _Lease(msgspec.Struct):
    """The people of one workspace on another node, until a time."""

    until: float
    people: dict[int, int]


class Roster:
    """The presence of all people, without input and output. Every time is in seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._people: dict[int, _Person] = {}
        self._remote: dict[int, dict[str, _Lease]] = {}
        """The leases of each workspace, by node."""
        self._ending: deque[tuple[float, int, int]] = deque()
        """When sessions without a stream are forgotten, in order: the time, the person and the session."""
        self._shown: dict[int, int] = {}
        """The states that subscribers have received, of people who are present only on other nodes."""
        self._touched: dict[int, int] = {}
        """People whose state may have changed, with their workspaces."""
        self._unreported: dict[int, int] = {}
        self._leased = 0

    @property
    def size(self) -> int:
        """The number of people that this node remembers."""
        return len(self._people) + self._leased

    def knows(self, user_id: int, session_id: int) -> bool:
        """Whether the session has a stream on this node, or had one a moment ago."""
        session = self._find(user_id, session_id)
        return session is not None and session.opened

    def shown(self, user_id: int) -> int:
        """Return the state of a person as subscribers know it."""
        person = self._people.get(user_id)
        return self._shown.get(user_id, OFFLINE) if person is None else person.shown

    def open(self, workspace_id: int, user_id: int, session_id: int, *, hidden: bool) -> None:
        """Note that a stream of the session was opened."""
        session = self._session(workspace_id, user_id, session_id)
        if session is not None:
            session.streams += 1
            session.opened = True
            self.hide(user_id, hidden=hidden)

    def close(self, user_id: int, session_id: int, now: float) -> None:
        """Note that a stream of the session was closed. After its last one, the session stays for GRACE_SECONDS."""
        session = self._find(user_id, session_id)
        if session is not None and session.streams > 0:
            session.streams -= 1
            if session.streams == 0:
                self._forget_later(user_id, session, now)

    def set_state(self, workspace_id: int, user_id: int, session_id: int, state: int, now: float) -> None:
        """Note what a session reports. The report may precede the session's first stream."""
        session = self._session(workspace_id, user_id, session_id)
        if session is not None:
            session.state = state
            self.expect(workspace_id, user_id, session_id, now)

    def expect(self, workspace_id: int, user_id: int, session_id: int, now: float) -> bool:
        """Remember a session for GRACE_SECONDS if it has no stream yet. Returns False if too many people are known."""
        session = self._session(workspace_id, user_id, session_id)
        if session is not None and not session.opened:
            self._forget_later(user_id, session, now)
        return session is not None

    def hide(self, user_id: int, *, hidden: bool) -> None:
        """Show a person as offline, or no longer."""
        person = self._people.get(user_id)
        if person is not None:
            person.hidden = hidden
            self._touch(user_id, person.workspace_id)

    def end(self, user_id: int, session_id: int) -> None:
        """Forget a session at once, because it was ended."""
        person = self._people.get(user_id)
        if person is None:
            return
        person.sessions = tuple(each for each in person.sessions if each.session_id != session_id)
        self._touch(user_id, person.workspace_id)
        if not person.sessions:
            del self._people[user_id]
            if person.shown != OFFLINE:
                self._shown[user_id] = person.shown

    def lease(self, node: str, workspace_id: int, people: Iterable[tuple[int, int]], now: float, *, full: bool) -> None:
        """Note the people of a workspace on another node: `full` for all of them, else for those who changed."""
        lease = self._remote.setdefault(workspace_id, {}).setdefault(node, _Lease(0.0, {}))
        lease.until = now + LEASE_SECONDS
        if full:
            self._drop(workspace_id, lease)
        for user_id, state in people:
            self._touched[user_id] = workspace_id
            self._leased -= lease.people.pop(user_id, None) is not None
            if state != OFFLINE and self.size < MAX_PEOPLE:
                lease.people[user_id] = state
                self._leased += 1

    def has_leases(self, workspace_id: int) -> bool:
        """Whether another node has reported people of the workspace."""
        return workspace_id in self._remote

    def expire(self, now: float) -> list[int]:
        """Forget sessions and nodes whose time is over; return the forgotten sessions."""
        forgotten = []
        while self._ending and self._ending[0][0] <= now:
            until, user_id, session_id = self._ending.popleft()
            session = self._find(user_id, session_id)
            if session is not None and session.streams == 0 and session.until <= until:
                self.end(user_id, session_id)
                forgotten.append(session_id)
        for workspace_id, leases in list(self._remote.items()):
            for node, lease in list(leases.items()):
                if lease.until <= now:
                    self._drop(workspace_id, leases.pop(node))
            if not leases:
                del self._remote[workspace_id]
        return forgotten

    def changes(self) -> dict[int, int]:
        """Return the people whose state differs from the last one that was returned, with the new state."""
        changed = {}
        for user_id, workspace_id in self._touched.items():
            state = self._state(workspace_id, user_id)
            if state != self.shown(user_id):
                changed[user_id] = state
                self._set_shown(user_id, state)
        self._touched.clear()
        return changed

    def unreported(self) -> dict[int, list[tuple[int, int]]]:
        """Return, by workspace, the people of this node whose state the other nodes do not know yet."""
        found: dict[int, list[tuple[int, int]]] = {}
        for user_id, workspace_id in self._unreported.items():
            person = self._people.get(user_id)
            state = OFFLINE if person is None else person.state
            if person is None or person.reported != state:
                found.setdefault(workspace_id, []).append((user_id, state))
            if person is not None:
                person.reported = state
        self._unreported.clear()
        return found

    def own(self) -> dict[int, list[tuple[int, int]]]:
        """Return, by workspace, everybody who is present on this node."""
        found: dict[int, list[tuple[int, int]]] = {}
        for user_id, person in self._people.items():
            if person.state != OFFLINE:
                found.setdefault(person.workspace_id, []).append((user_id, person.state))
        return found

    def _find(self, user_id: int, session_id: int) -> _Session | None:
        person = self._people.get(user_id)
        sessions = () if person is None else person.sessions
        return next((each for each in sessions if each.session_id == session_id), None)

    def _session(self, workspace_id: int, user_id: int, session_id: int) -> _Session | None:
        """Return the session; a new one unless too many people are known."""
        session = self._find(user_id, session_id)
        if session is None:
            if user_id not in self._people and self.size >= MAX_PEOPLE:
                return None
            session = _Session(session_id)
            person = self._people.get(user_id)
            if person is None:
                person = self._people[user_id] = _Person(workspace_id, self._shown.pop(user_id, OFFLINE))
            person.sessions = (*person.sessions, session)
        self._touch(user_id, workspace_id)
        return session

    def _forget_later(self, user_id: int, session: _Session, now: float) -> None:
        session.until = now + GRACE_SECONDS
        self._ending.append((session.until, user_id, session.session_id))

    def _set_shown(self, user_id: int, state: int) -> None:
        person = self._people.get(user_id)
        if person is not None:
            person.shown = state
        elif state == OFFLINE:
            self._shown.pop(user_id, None)
        else:
            self._shown[user_id] = state

    def _touch(self, user_id: int, workspace_id: int) -> None:
        self._touched[user_id] = self._unreported[user_id] = workspace_id

    def _drop(self, workspace_id: int, lease: _Lease) -> None:
        """Remove all people from a lease."""
        self._touched.update(dict.fromkeys(lease.people, workspace_id))
        self._leased -= len(lease.people)
        lease.people.clear()

    def _state(self, workspace_id: int, user_id: int) -> int:
        person = self._people.get(user_id)
        own = OFFLINE if person is None else person.state
        leases = self._remote.get(workspace_id, {}).values()
        return max([own, *(lease.people.get(user_id, OFFLINE) for lease in leases)])
