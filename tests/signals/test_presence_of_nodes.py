"""Presence on several nodes: reports, leases, and any order of events."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from fechatter.frames import PRESENCE, Signal
from fechatter.signals import nodes
from fechatter.signals.roster import GRACE_SECONDS, LEASE_SECONDS
from tests.signals.cluster import PERSON, WORKSPACE, Cluster, FakeNode, FakeStream

ADA, BOB = 1, 2
LEASE, GRACE = int(LEASE_SECONDS), int(GRACE_SECONDS)


async def test_people_are_seen_on_other_nodes_and_a_reconnect_to_another_node_changes_nothing() -> None:
    cluster = Cluster(2)
    here, there = cluster.nodes
    ada = here.open(ADA * PERSON)
    bob = there.open(BOB * PERSON)
    await cluster.step()
    assert here.subscribe(ada, [BOB]) == {BOB: "online"}
    there.set_state(BOB * PERSON, "dnd")
    await cluster.step()
    there.close(bob)
    there.open(BOB * PERSON)
    here.open(BOB * PERSON)
    here.set_state(BOB * PERSON, "dnd")
    await cluster.wait(3 * LEASE)
    assert ada.signals == [{BOB: "dnd"}]


async def test_requests_may_reach_another_node_than_the_stream() -> None:
    cluster = Cluster(2)
    here, there = cluster.nodes
    ada = here.open(ADA * PERSON)
    await cluster.step()
    assert there.subscribe(ada, [ADA, BOB]) == {ADA: "online", BOB: "offline"}
    there.set_state(ADA * PERSON, "away")
    there.open(BOB * PERSON)
    await cluster.step()
    assert ada.known == {ADA: "away", BOB: "online"}
    await cluster.wait(2 * GRACE)
    there.set_state(BOB * PERSON, "dnd")
    await cluster.step()
    assert ada.known == {ADA: "away", BOB: "dnd"}
    assert there.presence.queues()[1].depth() == 0


async def test_an_answer_of_a_node_that_lags_is_corrected() -> None:
    cluster = Cluster(2)
    here, there = cluster.nodes
    ada = here.open(ADA * PERSON)
    await cluster.step()
    here.open(BOB * PERSON)
    await here.presence.step()
    assert there.subscribe(ada, [BOB]) == {BOB: "offline"}
    await cluster.step()
    assert ada.signals == [{BOB: "online"}]


async def test_a_node_that_dies_loses_its_people_after_the_lease() -> None:
    cluster = Cluster(2)
    here, there = cluster.nodes
    ada = here.open(ADA * PERSON)
    there.open(BOB * PERSON)
    await cluster.step()
    here.subscribe(ada, [BOB])
    cluster.nodes.remove(there)
    await cluster.wait(LEASE - int(nodes.RENEW_SECONDS))
    assert ada.signals == []
    await cluster.wait(int(nodes.RENEW_SECONDS))
    assert ada.signals == [{BOB: "offline"}]
    assert here.presence.queues()[0].depth() == 1


async def test_lost_reports_are_repeated_and_a_new_node_learns_at_once() -> None:
    cluster = Cluster(2)
    here, there = cluster.nodes
    ada = here.open(ADA * PERSON)
    await cluster.step()
    here.subscribe(ada, [BOB])
    there.open(BOB * PERSON)
    await there.presence.step()
    here.received.clear()
    await cluster.wait(int(nodes.RENEW_SECONDS) + 1)
    assert ada.signals == [{BOB: "online"}]
    cluster.nodes.append(FakeNode(cluster))
    fresh = cluster.nodes[-1]
    carol = fresh.open(3 * PERSON)
    await cluster.step()
    await cluster.step()
    assert fresh.subscribe(carol, [ADA, BOB]) == {ADA: "online", BOB: "online"}


async def test_a_report_that_cannot_be_read_is_ignored() -> None:
    cluster = Cluster()
    [node] = cluster.nodes
    for block in (b"", b"\xc1", msgspec.msgpack.encode(["later", "node", 1]), msgspec.msgpack.encode(["people", "n"])):
        node.presence.heard(Signal(WORKSPACE, 0, block, kind=PRESENCE))
    node.presence.heard(nodes.signal_of(1, nodes.StateReport("n", ADA, ADA * PERSON, 3)))
    bad = msgspec.msgpack.encode(["state", "n", ADA, ADA * PERSON, 9])
    node.presence.heard(Signal(WORKSPACE, 0, bad, kind=PRESENCE))
    await cluster.step()
    assert node.presence.queues()[0].depth() == 0


PEOPLE, NODES = range(1, 5), range(3)
STEPS = st.one_of(
    st.tuples(st.just("open"), st.sampled_from(NODES), st.sampled_from(PEOPLE), st.integers(0, 1)),
    st.tuples(st.just("close"), st.sampled_from(NODES), st.integers(0, 9)),
    st.tuples(st.just("end"), st.sampled_from(PEOPLE), st.integers(0, 1)),
    st.tuples(
        st.just("state"), st.sampled_from(NODES), st.sampled_from(PEOPLE), st.sampled_from(["online", "away", "dnd"])
    ),
    st.tuples(st.just("prefer"), st.sampled_from(PEOPLE), st.booleans()),
    st.tuples(st.just("subscribe"), st.sampled_from(NODES), st.integers(0, 9)),
    st.tuples(st.just("deliver"), st.sampled_from(NODES)),
    st.tuples(st.just("lose"), st.sampled_from(NODES)),
    st.tuples(st.just("step"), st.sampled_from(NODES)),
    st.tuples(st.just("wait"), st.sampled_from([0.5, 5.0, 31.0])),
)


class Model:
    """Applies steps to a cluster, and knows what must be true in the end."""

    def __init__(self) -> None:
        self.cluster = Cluster(len(NODES))
        self.shows = dict.fromkeys(PEOPLE, True)

    def streams(self) -> list[tuple[FakeNode, FakeStream]]:
        return [(node, stream) for node in self.cluster.nodes for stream in node.streams]

    async def apply(self, name: str, *what: Any) -> None:
        if name == "wait":
            self.cluster.now += what[0]
        elif name in ("prefer", "end"):
            getattr(self, name)(*what)
        else:
            node, *rest = what
            found = getattr(self, name)(self.cluster.nodes[node], *rest)
            if found is not None:
                await found

    def open(self, node: FakeNode, person: int, number: int) -> None:
        node.open(person * PERSON + number, shows=self.shows[person])

    def close(self, node: FakeNode, place: int) -> None:
        if node.streams:
            node.close(node.streams[place % len(node.streams)])

    def end(self, person: int, number: int) -> None:
        for node, stream in self.streams():
            if stream.reader.session_id == person * PERSON + number:
                node.close(stream, ended=True)

    def state(self, node: FakeNode, person: int, state: Any) -> None:
        node.set_state(person * PERSON, state)

    def prefer(self, person: int, shows: bool) -> None:
        self.shows[person] = shows
        for node in self.cluster.nodes:
            node.presence.prefer(person, shows)

    def subscribe(self, node: FakeNode, place: int) -> None:
        streams = self.streams()
        if streams:
            node.subscribe(streams[place % len(streams)][1], PEOPLE)

    def deliver(self, node: FakeNode) -> None:
        node.deliver()

    def lose(self, node: FakeNode) -> None:
        node.received.clear()

    def step(self, node: FakeNode) -> Any:
        return node.presence.step()


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=40))
async def test_all_nodes_and_clients_agree_in_the_end_after_any_steps(steps: list[tuple[Any, ...]]) -> None:
    model = Model()
    for step in steps:
        await model.apply(*step)
    cluster = model.cluster
    await cluster.wait(LEASE + GRACE + 5)
    present = {stream.reader.user_id for _, stream in model.streams()}
    watchers = [(node, node.open(9 * PERSON + place)) for place, node in enumerate(cluster.nodes)]
    views = [node.subscribe(watcher, PEOPLE) for node, watcher in watchers]
    assert views[0] == views[1] == views[2]
    assert {each for each in PEOPLE if views[0][each] != "offline"} == {each for each in present if model.shows[each]}
    before = cluster.sent
    await cluster.wait(LEASE)
    assert cluster.sent == before
