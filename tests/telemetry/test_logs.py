"""Log lines: one line per record, whatever it contains, and no user data."""

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


class LogStream(io.StringIO):
    """The written log."""

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def written() -> Iterator[LogStream]:
    stream = LogStream()
    yield from _set_up(stream, "json")


@pytest.fixture
def written_text() -> Iterator[LogStream]:
    yield from _set_up(LogStream(), "text")


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


def test_a_line_is_one_object_with_its_fields(written: LogStream) -> None:
    log.warning("%d messages wait", 7, extra={"request_id": "r-1", "requests": ["a", "b"]})
    log.debug("nobody asked for this")
    (line,) = written.lines()
    assert line.pop("time").endswith("Z")
    wanted = {
        "level": "warning",
        "logger": "fechatter.test",
        "message": "7 messages wait",
        "request_id": "r-1",
        "requests": ["a", "b"],
    }
    assert line == wanted
    assert logs.counted() == {"warning": 1}


HOSTILE = 'x\n{"level":"critical"}\r\x1b[2J\x9b\u2028\u202eevil'


def test_no_text_can_start_a_new_line(written: LogStream, written_text: LogStream) -> None:
    log.info("said %s", HOSTILE, extra={"said": HOSTILE})
    assert written_text.getvalue().count("\n") == 1
    assert written_text.getvalue()[:-1].isprintable()
    logs.set_up(Settings(log_format="json"), written)
    log.info("said %s", HOSTILE, extra={"said": HOSTILE})
    (line,) = written.lines()
    assert line["said"] == HOSTILE
    assert written.getvalue().isascii()
    assert written.getvalue()[:-1].isprintable()


def test_an_error_is_logged_with_the_stack_of_its_cause(written_text: LogStream) -> None:
    try:
        try:
            raise KeyError("first")
        except KeyError as error:
            raise ValueError("then\nthis") from error
    except ValueError as error:
        log.error("it failed: %s", error, exc_info=error)
    text = written_text.getvalue()
    assert text.index("KeyError: 'first'") < text.index("raise ValueError") < text.rindex("ValueError: then\\nthis\n")
    assert all(line.startswith("    ") for line in text.splitlines()[1:])


def test_database_errors_are_logged_without_quoted_values() -> None:
    class Violation(asyncpg.CheckViolationError):
        detail = "Failing row contains (7, a message of somebody)."

    assert "somebody" in str(Violation("new row violates a constraint"))
    assert (
        describe_error(Violation("new row violates a constraint")) == "Violation: new row violates a constraint 23514"
    )
    assert describe_error(asyncpg.DataError("invalid input for query argument $4: 'a message'")) == "DataError: 22000"
    assert (
        describe_error(asyncpg.InvalidTextRepresentationError('invalid input syntax: "a message"'))
        == "InvalidTextRepresentationError: 22P02"
    )
    assert describe_error(asyncpg.InterfaceError("pool is closing")) == "InterfaceError: pool is closing"
    assert "somebody" not in "".join(trace(Violation("new row")))


def test_libraries_and_warnings_are_logged_alike_without_debug_lines(written: LogStream) -> None:
    logs.set_level("debug")
    logging.getLogger("nats.aio").debug("the whole protocol")
    logging.getLogger("nats.aio").error("encountered %r", OSError("away"))
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    first, second = written.lines()
    assert (first["logger"], first["message"]) == ("nats.aio", "encountered OSError: away")
    assert (second["logger"], "DeprecationWarning: old" in second["message"]) == ("py.warnings", True)


async def test_the_loop_logs_a_failure_without_the_result_of_a_future(written: LogStream) -> None:
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    future.set_result(b"a message of somebody")
    logs.report(loop, {"message": "nobody took this", "future": future, "exception": ValueError("why")})
    assert (written.lines()[0]["message"], written.lines()[0]["error"]) == ("nobody took this", "ValueError: why")
    assert "somebody" not in written.getvalue()


def test_the_death_of_a_thread_is_logged(written: LogStream) -> None:
    def work() -> None:
        raise ValueError("gone")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert (written.lines()[0]["level"], written.lines()[0]["error"]) == ("critical", "ValueError: gone")


def test_a_stalled_log_reader_delays_no_writer_and_later_gets_the_number_of_dropped_lines() -> None:
    reader, writer = os.pipe()
    with open(reader, "rb", buffering=0) as read, open(writer, "w") as stream:
        following = _set_up(stream, "json")
        next(following)
        # A log writer that waited for its reader would block here.
        for number in range(2000):
            log.warning("%d %s", number, "x" * 2000)
        lost = logs.dropped()
        assert 1900 < lost < 2000
        os.set_blocking(reader, False)
        taken = b"".join(iter(lambda: read.read(1 << 16), None))
        log.warning("here again")
        last = read.read(1 << 16).splitlines()
        assert [json.loads(line)["message"] for line in last[-2:]] == [
            f"{lost} lines were dropped because nothing read them",
            "here again",
        ]
        assert all(json.loads(line) for line in taken.splitlines()[:-1])
        logs.announce("and nobody")
        assert read.read(1 << 16) == b"and nobody\n"
        list(following)
