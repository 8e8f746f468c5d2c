"""Counts requests by route, method and status, their durations, and the people who sent them.

Routes are templates and unknown methods are `other`, so that clients cannot create labels. A path without a route is
`UNMATCHED`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from starlette.types import Scope

from fechatter.errors import Problem, TooManyRequests
from fechatter.model import UserId
from fechatter.telemetry.measures import Histogram

UNMATCHED = "unmatched"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
ACTIVE_SECONDS = 60.0
MAX_PEOPLE = 100_000


def label(path: str) -> str:
    """Return a route's path as metrics and logs show it: `/api/chat/{chat_id}`."""
    return re.sub(r":\w+}", "}", path)


class Requests:
    """The counts of all requests so far. Runs on the main loop.

    Attributes:
        counts: by route, method and status.
        seconds: by route and method.
        problems: by code.
        limited: by the name of the limit.
    """

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str, int]] = Counter()
        self.seconds: dict[tuple[str, ...], Histogram] = {}
        self.problems: Counter[str] = Counter()
        self.limited: Counter[str] = Counter()
        self._people: dict[int, float] = {}

    def answered(self, scope: Scope, status: int, now: float, seconds: float) -> None:
        """Count a response whose status was sent. `now` is a monotonic time."""
        state, method = scope["state"], scope["method"]
        series = state.get("route", UNMATCHED), method if method in METHODS else "other"
        self.counts[*series, status] += 1
        histogram = self.seconds.get(series)
        if histogram is None:
            histogram = self.seconds[series] = Histogram()
        histogram.observe(seconds)
        if (who := state.get("claims")) is not None:
            self._people[who.user_id] = now
            if len(self._people) > MAX_PEOPLE:
                self._forget(now)

    def refused(self, problem: Problem) -> None:
        self.problems[problem.code] += 1
        if isinstance(problem, TooManyRequests):
            self.limited[problem.policy[0] if problem.policy is not None else problem.code] += 1

    def people(self, now: float, others: Iterable[UserId] = ()) -> int:
        """Return the number of people with a request within the last minute, including `others`."""
        self._forget(now)
        return len(self._people.keys() | set(others))

    def _forget(self, now: float) -> None:
        """Drop people without a request within the last minute, or everybody if too many are left."""
        kept = {who: at for who, at in self._people.items() if now - at < ACTIVE_SECONDS}
        self._people = kept if len(kept) <= MAX_PEOPLE else {}
