"""What is asked before a request is looked at: is there a good token, and may so much be asked? Both count it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from starlette.requests import HTTPConnection

from fechatter.api import clients
from fechatter.api.identity import claims, services
from fechatter.networks import client_network

Guard = Callable[[HTTPConnection], AbstractContextManager[None]]


@contextmanager
def signed_in_person(request: HTTPConnection) -> Iterator[None]:
    """For what wants a sign-in. Raises Unauthorized, TooManyRequests."""
    count_request(request)
    yield


def count_request(request: HTTPConnection) -> None:
    """Count a request of the person who asks. Raises Unauthorized, TooManyRequests."""
    person = claims(request).user_id
    request.scope["state"]["quota"] = services(request).quotas.requests.take(person)


@contextmanager
def stranger(request: HTTPConnection) -> Iterator[None]:
    """For what answers strangers, while it is at work. Raises TooManyRequests."""
    found = services(request)
    who = client_network(clients.address(request, found.settings))
    request.scope["state"]["quota"] = found.quotas.strangers.take(who)
    with found.quotas.strangers_at_once.one(who):
        yield
