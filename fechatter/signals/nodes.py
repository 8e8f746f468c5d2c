"""What nodes report to each other about presence: signals of the kind PRESENCE, which no listener receives.

A report can be lost. So each node repeats all its people every RENEW_SECONDS, before their lease on other nodes ends.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from fechatter.frames import PRESENCE, Signal
from fechatter.model import WorkspaceId
from fechatter.signals.roster import DND, OFFLINE

RENEW_SECONDS = 20.0
MAX_REPORTED = 65_536
"""Maximum number of people in one report. So it fits into one message of NATS."""

StateNumber = Annotated[int, msgspec.Meta(ge=OFFLINE, le=DND)]


class NodeReport(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A report of the process `node`."""

    node: str


class PeopleReport(NodeReport, frozen=True, array_like=True, tag="people"):
    """People of a workspace who are present on the node.

    Attributes:
        full: whether the report names all of them; otherwise only those whose state has changed.
        asks: whether other nodes shall send a full report soon.
    """

    full: bool
    asks: bool
    people: list[tuple[int, StateNumber]]


class StateReport(NodeReport, frozen=True, array_like=True, tag="state"):
    """The state of a session, for the nodes where it has its streams."""

    user_id: int
    session_id: int
    state: StateNumber


class SubscriptionReport(NodeReport, frozen=True, array_like=True, tag="subscription"):
    """The subscription of a session, for the nodes where it has its streams: the people, with the states that the
    session has received."""

    user_id: int
    session_id: int
    people: list[tuple[int, StateNumber]]


AnyReport = PeopleReport | StateReport | SubscriptionReport

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[AnyReport] = msgspec.msgpack.Decoder(AnyReport)


def signal_of(workspace_id: int, report: AnyReport) -> Signal:
    """Return the signal that carries a report."""
    return Signal(WorkspaceId(workspace_id), 0, _encoder.encode(report), kind=PRESENCE)


def report_of(signal: Signal) -> AnyReport | None:
    """Return the report in a signal; None if a later version made it."""
    try:
        return _decoder.decode(signal.block)
    except msgspec.DecodeError:
        return None
