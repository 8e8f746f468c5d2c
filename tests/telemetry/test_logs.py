"""Lines of the log: one each, whatever is in them, and never what somebody sent."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import threading
import warnings
from collections.abc import Iterator
from typing import Any, TextIO, TypeVar

import asyncpg
import pytest

from fechatter.settings import Settings
from fechatter.telemetry import logs
from fechatter.telemetry.faults import describe_error, trace

log = logging.getLogger("fechatter.test")


class Written(io.StringIO):
    """What was logged."""

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def written() -> Iterator[Written]:
    stream = Written()
    yield from _set_up(stream, "json")


@pytest.fixture
def readable() -> Iterator[Written]:
    yield from _set_up(Written(), "text")


T = TypeVar("T", bound=TextIO)


def _set_up(stream: T, log_format: Any) -> Iterator[T]:
    root, ours, hook = logging.getLogger(), logging.getLogger(logs.OURS), threading.excepthook
    levels = root.level, ours.level
    logs.set_up(Settings(log_format=log_format), stream)
    yield stream
    root.handlers = [handler for handler in root.handlers if not isinstance(handler, logs.LineHandler)]
    root.setLevel(levels[0])
    ours.setLevel(levels[1])
    logging.captureWarnings(False)
    threading.excepthook = hook


def test_a_line_is_one_object_with_its_fields(written: Written) -> None:
    log.warning("%d messages wait", 7, extra={"request_id": "r-1", "requests": ["a", "b"]})
    log.debug("nobody asked for this")
    (line,) = written.lines()
    assert line.pop("time").endswith("Z")
    wanted = {"level": "warning", "logger": "fechatter.test", "message": "7 messages wait", "request_id": "r-1", "requests": ["a", "b"]}
    assert line == wanted
    assert logs.counted() == {"warning": 1}


HOSTILE = 'x\n{"level":"critical"}\r\x1b[2J\x9b\u2028\u202eevil'


def test_no_text_makes_a_line_of_its_own(written: Written, readable: Written) -> None:
    log.info("said %s", HOSTILE, extra={"said": HOSTILE})
    assert readable.getvalue().count("\n") == 1
    assert readable.getvalue()[:-1].isprintable()
    logs.set_up(Settings(log_format="json"), written)
    log.info("said %s", HOSTILE, extra={"said": HOSTILE})
    (line,) = written.lines()
    assert line["said"] == HOSTILE
    assert written.getvalue().isascii()
    assert written.getvalue()[:-1].isprintable()


def test_an_error_is_told_with_the_stack_of_what_caused_it(readable: Written) -> None:
    try:
        try:
            raise KeyError("first")
        except KeyError as error:
            raise ValueError("then\nthis") from error
    except ValueError as error:
        log.error("it failed: %s", error, exc_info=error)
    text = readable.getvalue()
    assert text.index("KeyError: 'first'") < text.index("raise ValueError") < text.rindex("ValueError: then\\nthis\n")
    assert all(line.startswith("    ") for line in text.splitlines()[1:])


def test_errors_of_the_database_are_told_without_what_they_quote() -> None:
    class Violation(asyncpg.CheckViolationError):
        detail = "Failing row contains (7, a message of somebody)."

    assert "somebody" in str(Violation("new row violates a constraint"))
    assert describe_error(Violation("new row violates a constraint")) == "Violation: new row violates a constraint 23514"
    assert describe_error(asyncpg.DataError("invalid input for query argument $4: 'a message'")) == "DataError: 22000"
    assert (
        describe_error(asyncpg.InvalidTextRepresentationError('invalid input syntax: "a message"'))
        == "InvalidTextRepresentationError: 22P02"
    )
    assert describe_error(asyncpg.InterfaceError("pool is closing")) == "InterfaceError: pool is closing"
    assert "somebody" not in "".join(trace(Violation("new row")))


def test_libraries_and_warnings_are_logged_the_same_way_but_never_their_debug_lines(written: Written) -> None:
    logs.set_level("debug")
    logging.getLogger("nats.aio").debug("the whole protocol")
    logging.getLogger("nats.aio").error("encountered %r", OSError("away"))
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    first, second = written.lines()
    assert (first["logger"], first["message"]) == ("nats.aio", "encountered OSError: away")
    assert (second["logger"], "DeprecationWarning: old" in second["message"]) == ("py.warnings", True)


async def test_the_loop_tells_what_failed_and_not_what_a_future_holds(written: Written) -> None:
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    future.set_result(b"a message of somebody")
    logs.report(loop, {"message": "nobody took this", "future": future, "exception": ValueError("why")})
    assert (written.lines()[0]["message"], written.lines()[0]["error"]) == ("nobody took this", "ValueError: why")
    assert "somebody" not in written.getvalue()


def test_a_thread_that_dies_is_logged(written: Written) -> None:
    def work() -> None:
        raise ValueError("gone")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert (written.lines()[0]["level"], written.lines()[0]["error"]) == ("critical", "ValueError: gone")


def test_a_reader_that_stands_still_keeps_nobody_waiting_and_hears_what_it_missed() -> None:
    reader, writer = os.pipe()
    with open(reader, "rb", buffering=0) as read, open(writer, "w") as stream:
        following = _set_up(stream, "json")
        next(following)
        # With a writer that waits for its reader this would never end.
        for number in range(2000):
            log.warning("%d %s", number, "x" * 2000)
        lost = logs.dropped()
        assert 1900 < lost < 2000
        os.set_blocking(reader, False)
        taken = b"".join(iter(lambda: read.read(1 << 16), None))
        log.warning("here again")
        last = read.read(1 << 16).splitlines()
        assert [json.loads(line)["message"] for line in last[-2:]] == [f"{lost} lines were dropped because nothing read them", "here again"]
        assert all(json.loads(line) for line in taken.splitlines()[:-1])
        logs.announce("and nobody")
        assert read.read(1 << 16) == b"and nobody\n"
        list(following)
