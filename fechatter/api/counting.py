"""Guards run before the rest of a request. They check the token and the rate limit, and count the request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from starlette.requests import HTTPConnection

from fechatter.api import clients
from fechatter.api.identity import claims, services
from fechatter.api.sharing import Share
from fechatter.canonical.networks import client_network

Guard = Callable[[HTTPConnection], AbstractContextManager[None]]


@contextmanager
def signed_in_person(request: HTTPConnection) -> Iterator[None]:
    """Require an access token, and count the request for its person. Raises Unauthorized, TooManyRequests."""
    person, quotas = claims(request).user_id, services(request).quotas
    state = request.scope["state"]
    state["quota"] = quotas.requests.take(person)
    turns = quotas.reads if request.scope["method"] in ("GET", "HEAD") else quotas.changes
    share = state["share"] = Share(quotas, person, quotas.requests, turns)
    try:
        yield
    finally:
        share.settle()


@contextmanager
def stranger(request: HTTPConnection) -> Iterator[None]:
    """Count the request of a client that is not signed in, and limit how many requests of its network run at once.

    Raises:
        TooManyRequests: `rate_limited`, `too_many_at_once`.
    """
    found = services(request)
    who = client_network(clients.address(request, found.settings))
    request.scope["state"]["quota"] = found.quotas.strangers.take(who)
    share = request.scope["state"]["share"] = Share(found.quotas, who, found.quotas.strangers, None)
    try:
        with found.quotas.strangers_at_once.one(who):
            yield
    finally:
        share.settle()
