"""The intake is bounded and ordered; threads lose and duplicate no message."""

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
    | st.just(("take", 0)),
    max_size=60,
)


@settings(deadline=None)
@given(STEPS, st.integers(1, 20), st.integers(1, 120))
def test_the_intake_is_a_bounded_queue(steps: list[tuple[str, int]], capacity: int, max_bytes: int) -> None:
    intake, model = Intake(capacity, max_bytes), deque[str]()
    for number, (step, size) in enumerate(steps):
        if step == "take":
            batch = intake.take()
            assert ([] if batch is None else batch.contents()) == list(model)
            assert ([] if batch is None else batch.tickets) == list(model)
            model.clear()
        else:
            contents = [str(number) * size] if step == "push" else [f"{number}.{at}" for at in range(size)]
            fits = len(model) + len(contents) <= capacity and sum(map(len, [*model, *contents])) <= max_bytes
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
    """Push one or many messages, with their contents as tickets."""
    if len(contents) == 1:
        return intake.push(body(contents[0]), None, 1, 2, 3, contents[0])
    tickets = iter(contents)
    outcomes, wake = intake.push_many(many(*contents), 1, 2, 3, lambda: next(tickets))
    assert outcomes == contents
    return wake


def test_an_invalid_message_does_not_affect_the_others_of_its_request() -> None:
    intake = Intake()
    outcomes, wake = intake.push_many(many("a", "", "b"), 1, 2, 3, object)
    bad = outcomes[1]
    assert isinstance(bad, InvalidMessage)
    assert bad.errors == [("/content", "empty", "must not be empty")]
    batch = intake.take()
    assert batch is not None
    assert (wake, batch.tickets, batch.contents()) == (True, [outcomes[0], outcomes[2]], ["a", "b"])


def test_a_request_with_only_invalid_messages_does_not_wake_the_writer() -> None:
    intake = Intake()
    assert intake.push_many(many("", " "), 1, 2, 3, object)[1] is False
    assert intake.take() is None


def test_a_refused_body_appends_nothing() -> None:
    intake = Intake()
    for refused, error in [(b"{", MalformedBody), (b"{}", InvalidMessage)]:
        with pytest.raises(error):
            intake.push(refused, None, 1, 2, 3, None)
        with pytest.raises(error):
            intake.push_many(refused, 1, 2, 3, object)
    assert len(intake) == 0


def test_a_failing_ticket_appends_nothing() -> None:
    intake = Intake()
    tickets = iter([1])
    with pytest.raises(StopIteration):
        intake.push_many(many("a", "b"), 1, 2, 3, lambda: next(tickets))
    assert len(intake) == 0


def test_a_batch_has_at_most_256_rows() -> None:
    intake = Intake()
    for number in range(600):
        intake.push(body(number), None, 1, 2, 3, number)
    batches = [intake.take(), intake.take(), intake.take()]
    assert [batch and batch.tickets for batch in batches] == [
        list(range(256)),
        list(range(256, 512)),
        list(range(512, 600)),
    ]
    assert intake.take() is None


def test_a_row_contains_its_thread() -> None:
    intake = Intake()
    intake.push(body("a"), None, 1, 2, 3, None)
    intake.push(body("b"), None, 1, 2, 3, None, thread_id=7)
    intake.push_many(many("c"), 1, 2, 3, object, thread_id=8)
    batch = intake.take()
    assert batch is not None
    assert batch.thread_ids.tolist() == [0, 7, 8]


def test_bounds_must_be_positive() -> None:
    for arguments in [(0, 1), (1, 0)]:
        with pytest.raises(ValueError, match="positive"):
            Intake(*arguments)
    assert Intake(capacity=7).capacity == 7


def test_a_batch_releases_its_tickets() -> None:
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


def test_a_cycle_through_a_waiting_ticket_is_collected() -> None:
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


def test_threads_lose_and_duplicate_no_message() -> None:
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
        batch = intake.take()
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
