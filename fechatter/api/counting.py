"""What is asked before a request is looked at: is there a good token, and may so much be asked? Both count it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from starlette.requests import HTTPConnection

from fechatter.api import clients
from fechatter.api.identity import claims, services
from fechatter.api.sharing import Share
from fechatter.networks import client_network

Guard = Callable[[HTTPConnection], AbstractContextManager[None]]


@contextmanager
def signed_in_person(request: HTTPConnection) -> Iterator[None]:
    """For what wants a sign-in. Raises Unauthorized, TooManyRequests."""
    count_request(request)
    yield


def count_request(request: HTTPConnection) -> None:
    """Count a request of the person who asks. Raises Unauthorized, TooManyRequests."""
    person, quotas = claims(request).user_id, services(request).quotas
    state = request.scope["state"]
    state["quota"] = quotas.requests.take(person)
    turns = quotas.reads if request.scope["method"] in ("GET", "HEAD") else quotas.changes
    state["share"] = Share(quotas, person, quotas.requests, turns)


@contextmanager
def stranger(request: HTTPConnection) -> Iterator[None]:
    """For what answers strangers, while it is at work. Raises TooManyRequests."""
    found = services(request)
    who = client_network(clients.address(request, found.settings))
    request.scope["state"]["quota"] = found.quotas.strangers.take(who)
    request.scope["state"]["share"] = Share(found.quotas, who, found.quotas.strangers, None)
    with found.quotas.strangers_at_once.one(who):
        yield
