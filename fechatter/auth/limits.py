"""What may be tried how often: signing in and up, refreshing, changing and resetting the password, looking up an invitation or a
reset link.

Only tries that fail are counted, each before its work begins, so that many at once are no way around. Signing in is
counted three times: for the client's address, for the pair of e-mail address and client address, and for the e-mail
address alone. The last refuses nobody: beyond it, whoever comes from an address where that person never signed in is
answered some seconds later. So a stranger slows others at worst, and keeps nobody out who comes from where they always do.
Keys are digests of what was sent, whether it is known or not: limits tell nothing of who has an account.

In this process's memory: each node counts for itself, and a restart forgets.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

from fechatter.auth.rates import MOST_KEYS, Limit, Meter
from fechatter.canonical.networks import client_network
from fechatter.errors import Unavailable
from fechatter.queues import Queue

SIGN_IN = Limit("signin", 10, 60.0)
"""Of one e-mail address from one client address."""
SIGN_IN_ADDRESS = Limit("signin-address", 100, 6.0)
"""Of one client address, whoever it says it is: an office has one for many people."""
SIGN_IN_ACCOUNT = Limit("signin-account", 50, 10.0)
"""Of one e-mail address from anywhere; beyond it strangers' addresses are slowed."""
SIGN_UP = Limit("signup", 30, 60.0)
NEW_WORKSPACE = Limit("new-workspace", 20, 180.0)
"""Those that succeed count too."""
REFRESH = Limit("refresh", 60, 1.0)
SESSION = Limit("session-refresh", 30, 10.0)
"""Of one session, with tokens of its own."""
PASSWORD = Limit("password", 10, 60.0)
PASSWORD_RESET = Limit("password-reset", 10, 60.0)
RESET_LOOKUP = Limit("password-reset-lookup", 30, 2.0)
LOOKUP = Limit("invitation-lookup", 30, 2.0)

SLOW_SECONDS = 3.0
MOST_SLOWED = 1_000
MOST_SLOWED_OF_ONE = 20


class Attempt:
    """A sign-in that is being counted.

    Attributes:
        proved: whether the password was right for every account it was tried on. Somebody may have made an account with another's
            e-mail address in a workspace of their own; that it fits there must not pay for wrong guesses at the other's.
    """

    def __init__(self) -> None:
        self.proved = False


class Limits:
    """Runs on the main loop.

    Args:
        enabled: False lets everything pass.
        clock: seconds that only grow.
    """

    def __init__(self, *, enabled: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        self._enabled = enabled
        self._clock = clock
        self._meters: dict[str, Meter] = {}
        self._salt = os.urandom(16)
        self._known: dict[bytes, None] = {}
        self._slowed: Counter[bytes] = Counter()

    def queues(self) -> list[Queue]:
        return [
            Queue("signins_slowed", MOST_SLOWED, "requests", "429 `too_many_attempts`", self._slowed.total),
            Queue("attempts", MOST_KEYS, "keys", "who tried least is forgotten", self._most_keys),
            Queue("homes", MOST_KEYS, "keys", "the oldest is forgotten", lambda: len(self._known)),
        ]

    def _most_keys(self) -> int:
        return max(map(len, self._meters.values()), default=0)

    @contextmanager
    def attempt(self, limit: Limit, who: str) -> Iterator[None]:
        """Count what fails. Raises TooManyRequests `too_many_attempts`.

        Args:
            limit: one of this module's.
            who: a client address, or an id.
        """
        taken = self._take([(limit, self._key(client_network(who)))])
        try:
            yield
        except Unavailable:
            self._give_back(taken)
            raise
        self._give_back(taken)

    def count(self, limit: Limit, who: str) -> None:
        """Count, whatever comes of it. Raises TooManyRequests `too_many_attempts`."""
        self._take([(limit, self._key(client_network(who)))])

    @asynccontextmanager
    async def signing_in(self, email: str, slug: str, address: str) -> AsyncIterator[Attempt]:
        """Count a sign-in that is not proved, and slow it beyond the e-mail address's limit. Raises TooManyRequests.

        Args:
            email: as it was sent, folded; need not be an e-mail address.
            slug: the workspace's; "" when none was named.
            address: the client's.
        """
        attempt = Attempt()
        if not self._enabled:
            yield attempt
            return
        account, pair = self._key(email), self._key(email, slug, client_network(address))
        taken = self._take([(SIGN_IN_ADDRESS, self._key(client_network(address))), (SIGN_IN, pair)])
        if self._meter(SIGN_IN_ACCOUNT).take(account) == 0.0:
            taken.append((SIGN_IN_ACCOUNT, account))
        elif pair not in self._known:
            await self._slow_down(account)
        try:
            yield attempt
        except Unavailable:
            if not attempt.proved:
                self._give_back(taken)
            raise
        finally:
            if attempt.proved:
                self._give_back(taken)
                self._meter(SIGN_IN).forget(pair)

    def remember(self, email: str, slug: str, address: str) -> None:
        """This person is at home at this address: they signed in there, or their session was refreshed from there."""
        pair = self._key(email, slug, client_network(address))
        self._known.pop(pair, None)
        if len(self._known) >= MOST_KEYS:
            del self._known[next(iter(self._known))]
        self._known[pair] = None

    async def _slow_down(self, account: bytes) -> None:
        if self._slowed[account] >= MOST_SLOWED_OF_ONE or self._slowed.total() >= MOST_SLOWED:
            raise SIGN_IN_ACCOUNT.refusal(SLOW_SECONDS)
        self._slowed[account] += 1
        try:
            await asyncio.sleep(SLOW_SECONDS)
        finally:
            self._slowed[account] -= 1
            if not self._slowed[account]:
                del self._slowed[account]

    def _take(self, wanted: Sequence[tuple[Limit, bytes]]) -> list[tuple[Limit, bytes]]:
        """All of `wanted` or none. Raises TooManyRequests."""
        taken: list[tuple[Limit, bytes]] = []
        for limit, key in wanted if self._enabled else ():
            wait = self._meter(limit).take(key)
            if wait > 0:
                self._give_back(taken)
                raise limit.refusal(wait)
            taken.append((limit, key))
        return taken

    def _give_back(self, taken: Sequence[tuple[Limit, bytes]]) -> None:
        for limit, key in taken:
            self._meter(limit).give_back(key)

    def _meter(self, limit: Limit) -> Meter:
        found = self._meters.get(limit.name)
        if found is None:
            found = self._meters[limit.name] = Meter(limit, self._clock)
        return found

    def _key(self, *parts: str) -> bytes:
        digest = hashlib.blake2b(digest_size=16, key=self._salt)
        for part in parts:
            digest.update(part.encode("utf-8", "surrogatepass") + b"\0")
        return digest.digest()
