"""What is asked before a request is looked at: is there a good token, and may so much be asked? Both count it."""

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
    """For what wants a sign-in. Raises Unauthorized, TooManyRequests."""
    share = count_request(request)
    try:
        yield
    finally:
        share.settle()


def count_request(request: HTTPConnection) -> Share:
    """Count a request of the person who asks. Raises Unauthorized, TooManyRequests."""
    person, quotas = claims(request).user_id, services(request).quotas
    state = request.scope["state"]
    state["quota"] = quotas.requests.take(person)
    turns = quotas.reads if request.scope["method"] in ("GET", "HEAD") else quotas.changes
    share = Share(quotas, person, quotas.requests, turns)
    state["share"] = share
    return share


@contextmanager
def stranger(request: HTTPConnection) -> Iterator[None]:
    """For what answers strangers, while it is at work. Raises TooManyRequests."""
    found = services(request)
    who = client_network(clients.address(request, found.settings))
    request.scope["state"]["quota"] = found.quotas.strangers.take(who)
    share = request.scope["state"]["share"] = Share(found.quotas, who, found.quotas.strangers, None)
    try:
        with found.quotas.strangers_at_once.one(who):
            yield
    finally:
        share.settle()
