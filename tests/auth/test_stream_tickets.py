"""Tickets that open one WebSocket."""

from __future__ import annotations

import time

import pytest

from fechatter.auth import stream_tickets
from fechatter.auth.stream_tickets import TICKET_SECONDS, StreamTickets
from fechatter.auth.tokens import AccessTokens, Claims
from fechatter.errors import Unauthorized, Unavailable
from fechatter.model import SessionId, UserId, WorkspaceId

SECRET = b"s" * 32
ADA = Claims(UserId(7), WorkspaceId(1), SessionId(9))


def refusal(tickets: StreamTickets, text: str) -> str:
    with pytest.raises(Unauthorized) as refused:
        tickets.check(text)
    return refused.value.code


def test_a_ticket_is_accepted_once_and_names_its_session() -> None:
    tickets = StreamTickets(SECRET)
    text = tickets.issue(ADA)
    assert text != tickets.issue(ADA)
    ticket = tickets.check(text)
    assert ticket.claims == ADA
    assert tickets.check(text) == ticket
    tickets.use(ticket)
    assert refusal(tickets, text) == "ticket_used"


def test_every_node_with_the_same_secret_accepts_it() -> None:
    text = StreamTickets(SECRET).issue(ADA)
    assert StreamTickets(SECRET).check(text).claims == ADA
    assert refusal(StreamTickets(b"t" * 32), text) == "invalid_ticket"


def test_an_old_ticket_has_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    tickets, now = StreamTickets(SECRET), time.time()
    text = tickets.issue(ADA)
    monkeypatch.setattr(time, "time", lambda: now + TICKET_SECONDS + 1)
    assert refusal(tickets, text) == "ticket_expired"


def test_an_altered_ticket_and_a_token_are_invalid() -> None:
    tickets = StreamTickets(SECRET)
    text = tickets.issue(ADA)
    altered = [
        text[:index] + ("A" if text[index] != "A" else "B") + text[index + 1 :] for index in range(len(text) - 1)
    ]
    token = AccessTokens(SECRET, 60).sign(ADA)
    for wrong in [*altered, token, "", "é", "=", text[:-4], text * 9, "A" * 100]:
        assert refusal(tickets, wrong) == "invalid_ticket", wrong


def test_used_tickets_are_forgotten_when_they_have_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_tickets, "MAX_USED", 2)
    tickets, now = StreamTickets(SECRET), time.time()
    for _ in range(2):
        tickets.use(tickets.check(tickets.issue(ADA)))
    with pytest.raises(Unavailable):
        tickets.use(tickets.check(tickets.issue(ADA)))
    monkeypatch.setattr(time, "time", lambda: now + TICKET_SECONDS + 1)
    tickets.use(tickets.check(tickets.issue(ADA)))
