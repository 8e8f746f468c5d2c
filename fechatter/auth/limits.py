"""Limits attempts to sign in or up, to refresh a session, to change or reset a password, and to look up a link.

Only failed attempts count, except for new workspaces and the refreshes of one session, where every attempt counts. Each
attempt is counted before its work begins, so that concurrent attempts cannot pass the limit.

A sign-in is counted three times: for the client address, for the pair of e-mail address and client address, and for the
e-mail address alone. Beyond the last limit, the server delays sign-ins from client addresses where that person has
never signed in. It refuses them only while too many are delayed already. So a stranger cannot lock a person out of a
client address that the person has used before.

Keys are digests of the received values, whether an account exists or not, so that limits do not reveal who has one.

The counts are in this process's memory: each node counts on its own, and a restart resets the counts.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

from fechatter.auth.rates import MAX_KEYS, Limit, Meter
from fechatter.canonical.networks import client_network
from fechatter.errors import Unavailable
from fechatter.queues import Queue

SIGN_IN = Limit("signin", 10, 60.0)
"""For one e-mail address from one client address."""
SIGN_IN_ADDRESS = Limit("signin-address", 100, 6.0)
"""For one client address and all e-mail addresses: the people of an office share one client address."""
SIGN_IN_ACCOUNT = Limit("signin-account", 50, 10.0)
"""For one e-mail address from anywhere; beyond it, sign-ins from unknown client addresses are delayed."""
SIGN_UP = Limit("signup", 30, 60.0)
NEW_WORKSPACE = Limit("new-workspace", 20, 180.0)
"""Every attempt counts."""
REFRESH = Limit("refresh", 60, 1.0)
SESSION = Limit("session-refresh", 30, 10.0)
"""For one session, with genuine tokens. Every attempt counts."""
PASSWORD = Limit("password", 10, 60.0)
PASSWORD_RESET = Limit("password-reset", 10, 60.0)
RESET_LOOKUP = Limit("password-reset-lookup", 30, 2.0)
LOOKUP = Limit("invitation-lookup", 30, 2.0)

SLOW_SECONDS = 3.0
MAX_SLOWED = 1_000
MAX_SLOWED_PER_EMAIL = 20


class Attempt:
    """A sign-in that is being counted.

    Attributes:
        proved: whether the password was right for every account that it was tried on. An attacker can create an account
            with somebody else's e-mail address in another workspace. A right password there must not reset the count.
    """

    def __init__(self) -> None:
        self.proved = False


class AttemptLimits:
    """The counts of all attempts. Runs on the main loop.

    Args:
        enabled: False allows all attempts.
        clock: returns monotonic seconds; by default the clock of the extension.
    """

    def __init__(self, *, enabled: bool = True, clock: Callable[[], float] | None = None) -> None:
        self._enabled = enabled
        self._clock = clock
        self._meters: dict[str, Meter] = {}
        self._salt = os.urandom(16)
        self._known_addresses: dict[bytes, None] = {}
        self._slowed: Counter[bytes] = Counter()

    def queues(self) -> list[Queue]:
        return [
            Queue("signins_slowed", MAX_SLOWED, "requests", "429 `too_many_attempts`", self._slowed.total),
            Queue("attempts", MAX_KEYS, "keys", "the key with the fewest attempts is dropped", self._largest_meter),
            Queue("known_addresses", MAX_KEYS, "keys", "the oldest is dropped", lambda: len(self._known_addresses)),
        ]

    def _largest_meter(self) -> int:
        return max(map(len, self._meters.values()), default=0)

    @contextmanager
    def attempt(self, limit: Limit, who: str) -> Iterator[None]:
        """Count the attempt if it fails. Raises TooManyRequests `too_many_attempts`.

        Args:
            limit: a limit of this module.
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
        """Count the attempt, whether it fails or not. Raises TooManyRequests `too_many_attempts`."""
        self._take([(limit, self._key(client_network(who)))])

    @asynccontextmanager
    async def signing_in(self, email: str, slug: str, address: str) -> AsyncIterator[Attempt]:
        """Count a sign-in that does not prove the password. Beyond the limit of its e-mail address, delay it.

        Raises:
            TooManyRequests: `too_many_attempts`.

        Args:
            email: the key of the received text, which may not be an e-mail address.
            slug: the slug of the workspace, or "" if the request named none.
            address: the client address.
        """
        attempt = Attempt()
        if not self._enabled:
            yield attempt
            return
        account, pair = self._key(email), self._key(email, slug, client_network(address))
        taken = self._take([(SIGN_IN_ADDRESS, self._key(client_network(address))), (SIGN_IN, pair)])
        if self._meter(SIGN_IN_ACCOUNT).take(account) == 0.0:
            taken.append((SIGN_IN_ACCOUNT, account))
        elif pair not in self._known_addresses:
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
        """Note that this person signed in, or refreshed a session, from this client address."""
        pair = self._key(email, slug, client_network(address))
        self._known_addresses.pop(pair, None)
        if len(self._known_addresses) >= MAX_KEYS:
            del self._known_addresses[next(iter(self._known_addresses))]
        self._known_addresses[pair] = None

    async def _slow_down(self, account: bytes) -> None:
        if self._slowed[account] >= MAX_SLOWED_PER_EMAIL or self._slowed.total() >= MAX_SLOWED:
            raise SIGN_IN_ACCOUNT.refusal(SLOW_SECONDS)
        self._slowed[account] += 1
        try:
            await asyncio.sleep(SLOW_SECONDS)
        finally:
            self._slowed[account] -= 1
            if not self._slowed[account]:
                del self._slowed[account]

    def _take(self, wanted: Sequence[tuple[Limit, bytes]]) -> list[tuple[Limit, bytes]]:
        """Count for all of `wanted` or for none. Raises TooManyRequests."""
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
