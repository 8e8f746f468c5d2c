"""Presence on one node: who is shown as what, to whom, and with how many signals."""

from __future__ import annotations

import pytest

from fechatter.errors import StorageError, Unavailable
from fechatter.model import WorkspaceId
from fechatter.signals import roster, subscriptions
from fechatter.signals.presence import OwnState
from fechatter.signals.roster import GRACE_SECONDS
from tests.signals.cluster import PERSON, Cluster, FakeNode, FakeStream

ADA, BOB, CAROL = 1, 2, 3
FEW = int(GRACE_SECONDS) - 1


def session(person: int, number: int = 0) -> int:
    return person * PERSON + number


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def node(cluster: Cluster) -> FakeNode:
    return cluster.nodes[0]


@pytest.fixture
async def ada(cluster: Cluster, node: FakeNode) -> FakeStream:
    """A stream of Ada that watches Ada, Bob and Carol."""
    stream = node.open(session(ADA))
    await cluster.step()
    assert node.subscribe(stream, [ADA, BOB, CAROL]) == {ADA: "online", BOB: "offline", CAROL: "offline"}
    return stream


async def test_people_are_online_while_they_have_a_stream_and_half_a_minute_longer(
    cluster: Cluster, node: FakeNode, ada: FakeStream
) -> None:
    bob = node.open(session(BOB))
    await cluster.step()
    node.close(bob)
    await cluster.wait(FEW)
    assert ada.signals == [{BOB: "online"}]
    await cluster.wait(1)
    assert ada.signals == [{BOB: "online"}, {BOB: "offline"}]


async def test_a_reconnect_changes_nothing_however_often(cluster: Cluster, node: FakeNode, ada: FakeStream) -> None:
    bob = node.open(session(BOB))
    await cluster.step()
    for _ in range(5):
        node.close(bob)
        await cluster.wait(FEW)
        bob = node.open(session(BOB))
        await cluster.wait(FEW)
    assert ada.signals == [{BOB: "online"}]


async def test_a_second_stream_keeps_a_person_online(cluster: Cluster, node: FakeNode, ada: FakeStream) -> None:
    first, second = node.open(session(BOB)), node.open(session(BOB))
    other = node.open(session(BOB, 1))
    for stream in (first, other):
        node.close(stream)
    await cluster.wait(2 * FEW)
    assert ada.signals == [{BOB: "online"}]
    node.close(second)
    await cluster.wait(2 * FEW)
    assert ada.signals == [{BOB: "online"}, {BOB: "offline"}]


@pytest.mark.parametrize(
    ("states", "shown"),
    [
        (["away", "away"], "away"),
        (["away", "online"], "online"),
        (["online", "dnd"], "dnd"),
        (["dnd", "away"], "dnd"),
    ],
)
async def test_a_person_has_the_most_present_state_of_all_sessions(
    cluster: Cluster, node: FakeNode, ada: FakeStream, states: list[OwnState], shown: str
) -> None:
    for number, state in enumerate(states):
        node.open(session(BOB, number))
        node.set_state(session(BOB, number), state)
    await cluster.step()
    assert ada.known[BOB] == shown


async def test_changes_of_one_second_are_one_signal_without_those_that_undo_each_other(
    cluster: Cluster, node: FakeNode, ada: FakeStream
) -> None:
    bob = node.open(session(BOB))
    node.open(session(CAROL))
    node.set_state(session(CAROL), "dnd")
    node.set_state(session(CAROL), "away")
    await cluster.step()
    assert ada.signals == [{BOB: "online", CAROL: "away"}]
    node.set_state(session(CAROL), "dnd")
    node.set_state(session(CAROL), "away")
    node.close(bob)
    node.open(session(BOB))
    await cluster.wait(3)
    assert len(ada.signals) == 1


async def test_a_state_that_precedes_the_stream_is_used_but_shows_nobody(
    cluster: Cluster, node: FakeNode, ada: FakeStream
) -> None:
    node.set_state(session(BOB), "dnd")
    await cluster.step()
    assert ada.known[BOB] == "offline"
    node.open(session(BOB))
    await cluster.step()
    assert ada.known[BOB] == "dnd"
    node.set_state(session(CAROL), "dnd")
    await cluster.wait(FEW + 2)
    node.open(session(CAROL))
    await cluster.step()
    assert ada.known[CAROL] == "online"


async def test_an_ended_session_is_offline_at_once_and_its_subscription_ends(
    cluster: Cluster, node: FakeNode, ada: FakeStream
) -> None:
    bob = node.open(session(BOB))
    node.subscribe(bob, [ADA])
    await cluster.step()
    node.close(bob, ended=True)
    await cluster.step()
    assert ada.signals == [{BOB: "online"}, {BOB: "offline"}]
    again = node.open(session(BOB))
    node.set_state(session(ADA), "dnd")
    await cluster.step()
    assert again.signals == []


async def test_a_person_who_turns_presence_off_is_offline_for_all(
    cluster: Cluster, node: FakeNode, ada: FakeStream
) -> None:
    node.open(session(BOB), shows=False)
    node.open(session(CAROL))
    await cluster.step()
    node.presence.prefer(CAROL, False)
    node.set_state(session(BOB), "dnd")
    await cluster.step()
    assert ada.signals == [{CAROL: "online"}, {CAROL: "offline"}]
    node.presence.prefer(BOB, True)
    await cluster.step()
    assert ada.signals[2:] == [{BOB: "dnd"}]
    node.presence.prefer(99, True)


async def test_a_new_subscription_replaces_the_earlier_one_and_ends_with_the_session(
    cluster: Cluster, node: FakeNode, ada: FakeStream
) -> None:
    people, subscribed = node.presence.queues()
    assert (people.depth(), subscribed.depth()) == (1, 3)
    node.subscribe(ada, [CAROL, CAROL])
    assert subscribed.depth() == 1
    node.open(session(BOB))
    await cluster.step()
    assert ada.signals == []
    node.close(ada)
    await cluster.wait(FEW)
    assert subscribed.depth() == 1
    await cluster.wait(1)
    assert (people.depth(), subscribed.depth()) == (1, 0)


async def test_only_the_sessions_streams_receive_the_signal(cluster: Cluster, node: FakeNode, ada: FakeStream) -> None:
    twin, other = node.open(session(ADA)), node.open(session(ADA, 1))
    node.open(session(BOB))
    await cluster.step()
    assert (ada.signals, twin.signals, other.signals) == ([{BOB: "online"}], [{BOB: "online"}], [])


async def test_a_guest_receives_changes_only_of_people_who_share_a_chat_at_that_moment(
    cluster: Cluster, node: FakeNode
) -> None:
    guest = node.open(session(ADA), guest=True)
    node.subscribe(guest, [BOB, CAROL])
    cluster.met = {(ADA, CAROL)}
    node.open(session(BOB))
    node.open(session(CAROL))
    await cluster.step()
    assert guest.signals == [{CAROL: "online"}]
    cluster.met = set()
    node.set_state(session(CAROL), "dnd")
    await cluster.step()
    assert guest.signals == [{CAROL: "online"}]


async def test_changes_for_guests_wait_for_the_database_and_others_do_not(
    cluster: Cluster, node: FakeNode, ada: FakeStream
) -> None:
    guest = node.open(session(CAROL), guest=True)
    await cluster.step()
    node.subscribe(guest, [BOB])
    cluster.met_error = StorageError("away")
    node.open(session(BOB))
    with pytest.raises(StorageError):
        await cluster.step()
    node.set_state(session(BOB), "dnd")
    with pytest.raises(StorageError):
        await cluster.step()
    assert (ada.known[BOB], guest.signals) == ("dnd", [])
    cluster.met_error = None
    await cluster.step()
    assert guest.signals == [{BOB: "dnd"}]


async def test_three_thousand_people_who_reconnect_cause_no_signal(cluster: Cluster, node: FakeNode) -> None:
    people = list(range(1, 3001))
    streams = [node.open(session(person)) for person in people]
    await cluster.step()
    for place, stream in enumerate(streams):
        node.subscribe(stream, people[max(0, place - 250) : place + 250])
    before = cluster.sent
    for stream in streams:
        node.close(stream)
    await cluster.wait(5)
    again = [node.open(session(person)) for person in people]
    for place, stream in enumerate(again):
        assert set(node.subscribe(stream, people[max(0, place - 10) : place + 10]).values()) == {"online"}
    await cluster.wait(2 * FEW)
    assert cluster.sent == before
    node.set_state(session(1500), "dnd")
    await cluster.step()
    assert cluster.sent == before + 20


async def test_people_of_other_workspaces_are_never_mixed(cluster: Cluster, node: FakeNode, ada: FakeStream) -> None:
    stranger = node.open(session(BOB), workspace_id=WorkspaceId(2))
    await cluster.step()
    assert stranger.signals == []
    # The endpoint leaves out people of other workspaces, so Ada would not be subscribed to this person.
    assert node.presence.queues()[0].depth() == 2


async def test_subscriptions_and_people_are_bounded(
    cluster: Cluster, node: FakeNode, ada: FakeStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "MAX_SUBSCRIBED", 4)
    bob = node.open(session(BOB))
    with pytest.raises(Unavailable) as refused:
        node.subscribe(bob, [ADA, CAROL])
    assert refused.value.code == "presence_full"
    node.subscribe(bob, [ADA])
    monkeypatch.setattr(roster, "MAX_PEOPLE", 2)
    carol = node.open(session(CAROL))
    await cluster.step()
    assert ada.known[CAROL] == "offline"
    with pytest.raises(Unavailable):
        node.subscribe(carol, [])
    node.close(carol)
    assert [queue.depth() for queue in node.presence.queues()] == [2, 4]
