"""The intake between threads: bounded, in order, nothing lost or doubled."""

import gc
import threading
import weakref
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fechatter.native import Intake, IntakeFull, InvalidMessage, MalformedBody


def body(content: object) -> bytes:
    return f'{{"content":"{content}"}}'.encode()


def many(*contents: object) -> bytes:
    return b'{"messages":[' + b",".join(map(body, contents)) + b"]}"


STEPS = st.lists(
    st.tuples(st.just("push"), st.integers(1, 30))
    | st.tuples(st.just("push_many"), st.integers(1, 9))
    | st.tuples(st.just("take"), st.integers(1, 12)),
    max_size=60,
)


@settings(deadline=None)
@given(STEPS, st.integers(1, 20), st.integers(1, 120))
def test_the_intake_is_a_bounded_queue(steps: list[tuple[str, int]], capacity: int, arena_bytes: int) -> None:
    intake, model = Intake(capacity, arena_bytes), deque[str]()
    for number, (step, size) in enumerate(steps):
        if step == "take":
            batch = intake.take(size)
            expected = [model.popleft() for _ in range(min(size, len(model)))]
            assert ([] if batch is None else batch.contents()) == expected
            assert ([] if batch is None else batch.tickets) == expected
        else:
            contents = [str(number) * size] if step == "push" else [f"{number}.{at}" for at in range(size)]
            fits = len(model) + len(contents) <= capacity and sum(map(len, [*model, *contents])) <= arena_bytes
            was_empty = not model
            try:
                assert push(intake, contents) == was_empty
                model.extend(contents)
            except IntakeFull:
                assert not fits
            else:
                assert fits
        assert len(intake) == len(model)
        assert intake.waiting_bytes == sum(map(len, model))


def push(intake: Intake, contents: list[str]) -> bool:
    """Push one or many, with their contents as tickets."""
    if len(contents) == 1:
        return intake.push(body(contents[0]), None, 1, 2, 3, contents[0])
    tickets = iter(contents)
    outcomes, wake = intake.push_many(many(*contents), 1, 2, 3, lambda: next(tickets))
    assert outcomes == contents
    return wake


def test_one_bad_message_of_a_batch_does_not_stop_the_others() -> None:
    intake = Intake()
    outcomes, wake = intake.push_many(many("a", "", "b"), 1, 2, 3, object)
    bad = outcomes[1]
    assert isinstance(bad, InvalidMessage)
    assert bad.errors == [("/content", "empty", "must not be empty")]
    batch = intake.take()
    assert batch is not None
    assert (wake, batch.tickets, batch.contents()) == (True, [outcomes[0], outcomes[2]], ["a", "b"])


def test_a_batch_of_nothing_but_bad_messages_wakes_nobody() -> None:
    intake = Intake()
    assert intake.push_many(many("", " "), 1, 2, 3, object)[1] is False
    assert intake.take() is None


def test_a_refused_body_leaves_nothing_behind() -> None:
    intake = Intake()
    for refused, error in [(b"{", MalformedBody), (b"{}", InvalidMessage)]:
        with pytest.raises(error):
            intake.push(refused, None, 1, 2, 3, None)
        with pytest.raises(error):
            intake.push_many(refused, 1, 2, 3, object)
    assert len(intake) == 0


def test_a_ticket_that_cannot_be_made_leaves_nothing_behind() -> None:
    intake = Intake()
    tickets = iter([1])
    with pytest.raises(StopIteration):
        intake.push_many(many("a", "b"), 1, 2, 3, lambda: next(tickets))
    assert len(intake) == 0


def test_bounds_and_limits_must_be_positive() -> None:
    for arguments in [(0, 1), (1, 0)]:
        with pytest.raises(ValueError, match="positive"):
            Intake(*arguments)
    with pytest.raises(ValueError, match="positive"):
        Intake().take(0)
    assert Intake(capacity=7).capacity == 7


def test_tickets_are_let_go_with_their_batch() -> None:
    class Ticket:
        pass

    intake, ticket = Intake(), Ticket()
    gone = weakref.ref(ticket)
    intake.push(body("a"), None, 1, 2, 3, ticket)
    batch = intake.take()
    del ticket
    assert gone() is not None
    del batch
    assert gone() is None


def test_a_ring_through_a_waiting_ticket_is_collected() -> None:
    class Ticket:
        def __init__(self, intake: Intake) -> None:
            self.intake = intake

    intake = Intake()
    ticket = Ticket(intake)
    gone = weakref.ref(ticket)
    intake.push(body("a"), None, 1, 2, 3, ticket)
    del intake, ticket
    gc.collect()
    assert gone() is None


def test_threads_lose_and_double_nothing() -> None:
    intake, senders, each = Intake(capacity=200), 4, 1500
    taken: list[int] = []
    sending = threading.Event()

    def send(sender: int) -> None:
        for number in range(sender * each, (sender + 1) * each):
            while True:
                try:
                    intake.push(body(number), None, sender, number, 0, number)
                    break
                except IntakeFull:
                    sending.wait(0.0005)

    threads = [threading.Thread(target=send, args=(sender,)) for sender in range(senders)]
    for thread in threads:
        thread.start()
    while len(taken) < senders * each:
        batch = intake.take(64)
        if batch is None:
            assert any(thread.is_alive() for thread in threads) or len(intake)
            continue
        assert batch.contents() == [str(ticket) for ticket in batch.tickets]
        assert batch.sender_ids.tolist() == batch.tickets
        taken.extend(batch.tickets)
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(senders * each))
    for sender in range(senders):
        own = [number for number in taken if number // each == sender]
        assert own == sorted(own)
