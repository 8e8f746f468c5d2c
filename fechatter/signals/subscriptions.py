"""Which sessions want to know whose presence: bounded, and found from either side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

MAX_PEOPLE_OF_SESSION = 500
MAX_SUBSCRIBED = 2_000_000
"""Maximum number of people over all subscriptions of this node; each needs about 110 bytes."""


class Subscriber(NamedTuple):
    """A session that subscribed."""

    workspace_id: int
    user_id: int
    session_id: int


class Subscriptions:
    """The subscriptions of the sessions of this node."""

    def __init__(self) -> None:
        self._watched: dict[Subscriber, tuple[int, ...]] = {}
        self._by_session: dict[int, Subscriber] = {}
        self._watchers: dict[int, set[Subscriber]] = {}
        self.size = 0

    def replace(self, subscriber: Subscriber, people: Iterable[int]) -> bool:
        """Replace the subscription of a session. Returns False if there are too many; it has none then."""
        self.drop(subscriber.session_id)
        watched = tuple(dict.fromkeys(people))
        if self.size + len(watched) > MAX_SUBSCRIBED:
            return False
        if watched:
            self.size += len(watched)
            self._watched[subscriber] = watched
            self._by_session[subscriber.session_id] = subscriber
            for user_id in watched:
                self._watchers.setdefault(user_id, set()).add(subscriber)
        return True

    def drop(self, session_id: int) -> Subscriber | None:
        """End the subscription of a session; return its subscriber."""
        subscriber = self._by_session.pop(session_id, None)
        if subscriber is None:
            return None
        watched = self._watched.pop(subscriber)
        self.size -= len(watched)
        for user_id in watched:
            watchers = self._watchers[user_id]
            watchers.discard(subscriber)
            if not watchers:
                del self._watchers[user_id]
        return subscriber

    def watchers(self, user_id: int) -> Iterable[Subscriber]:
        """Return the subscribers of a person."""
        return self._watchers.get(user_id, ())
