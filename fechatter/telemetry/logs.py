"""The log on standard error: one JSON object per line, or a readable line on a terminal.

    {"time": "2026-11-21T17:40:58.123Z", "level": "error", "logger": "fechatter.api…", "message": "…",
     "request_id": "…"}

Values passed as `extra=` become fields. `faults.describe_error` formats every error, so that no line contains a value
that a client sent. Control characters are escaped, so that no text can start a line.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any, TextIO

from fechatter.model import timestamp
from fechatter.native import AccessLog
from fechatter.settings import LogFormat, Settings
from fechatter.telemetry.faults import describe_error, trace
from fechatter.telemetry.outlet import Outlet

log = logging.getLogger(__name__)

OURS = "fechatter"
_encode = json.JSONEncoder(default=str).encode
_USUAL = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"})


def set_up(settings: Settings, stream: TextIO | None = None) -> None:
    """Write every log line to `stream` (standard error by default).

    This includes lines of libraries, Python's warnings, and errors that end a thread.
    """
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each, LineHandler)]:
        root.removeHandler(handler)
    root.addHandler(LineHandler(stream or sys.stderr, settings.log_format))
    set_level(settings.log_level)
    logging.captureWarnings(True)
    sys.unraisablehook = lambda found: log.error("an error could not be raised", exc_info=found.exc_value)
    threading.excepthook = lambda found: log.critical("a thread died", exc_info=found.exc_value)


def open_access_log() -> AccessLog | None:
    """Return a log in which the gateway writes its access lines; None if `set_up` was not called."""
    handler = _handler()
    if handler is not None and handler.access is None:
        handler.access = AccessLog(handler.is_readable)
        handler.access.turn(logging.getLogger(OURS).isEnabledFor(logging.INFO))
    return None if handler is None else handler.access


def set_level(level: str) -> None:
    """Set the least severe level that is logged. Debug lines of libraries are never logged."""
    number = logging.getLevelNamesMapping()[level.upper()]
    handler = _handler()
    if handler is not None and handler.access is not None:
        handler.access.turn(number <= logging.INFO)
    logging.getLogger(OURS).setLevel(number)
    logging.getLogger().setLevel(max(number, logging.INFO))


def counted() -> Mapping[str, int]:
    """Return the number of lines of each level since the start."""
    handler = _handler()
    if handler is None:
        return {}
    accepted = 0 if handler.access is None else handler.access.accepted
    return handler.counts + Counter(info=accepted)


def dropped() -> int | None:
    """Return the number of lines that were dropped because nothing read them; None if `set_up` was not called."""
    handler = _handler()
    if handler is None:
        return None
    return handler.outlet.dropped + (0 if handler.access is None else handler.access.dropped)


def announce(text: str) -> None:
    """Write a line for people to the log's stream, without its format."""
    if (handler := _handler()) is not None:
        with handler.lock or nullcontext():
            handler.outlet.write(text)


def _handler() -> LineHandler | None:
    return next((each for each in logging.getLogger().handlers if isinstance(each, LineHandler)), None)


def report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log an error of the event loop. The loop's default handler would print the contents of futures."""
    task = context.get("task") or context.get("future")
    named = {"task": task.get_name()} if isinstance(task, asyncio.Task) else {}
    logging.getLogger("asyncio").error("%s", context.get("message"), exc_info=context.get("exception"), extra=named)


class LineHandler(logging.Handler):
    """Writes lines and counts them by level.

    Attributes:
        is_readable: whether the lines are text for people.
        access: writes the lines of requests that the gateway answers, if it was opened.
    """

    def __init__(self, stream: TextIO, wanted: LogFormat) -> None:
        super().__init__()
        self.access: AccessLog | None = None
        self.counts: Counter[str] = Counter()
        self.outlet = Outlet(stream)
        self._reported = 0
        self.is_readable = wanted == "text" or (wanted == "auto" and stream.isatty())
        self.setFormatter(TextLines() if self.is_readable else JsonLines())

    def emit(self, record: logging.LogRecord) -> None:
        self.counts[record.levelname.lower()] += 1
        try:
            if self.outlet.dropped > self._reported and self.outlet.open():
                self.outlet.write(self.format(self._of_dropped()))
            self.outlet.write(self.format(record))
        except Exception:  # noqa: BLE001  # as in every logging handler: a failing line must not fail its caller
            self.handleError(record)

    def _of_dropped(self) -> logging.LogRecord:
        count, self._reported = self.outlet.dropped - self._reported, self.outlet.dropped
        fields = {"name": __name__, "levelno": logging.WARNING, "levelname": "WARNING"}
        return logging.makeLogRecord(
            {**fields, "msg": "%d lines were dropped because nothing read them", "args": (count,)}
        )


class JsonLines(logging.Formatter):
    """One JSON object in ASCII, so that no viewer shows a control character."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
            **_fields(record),
        }
        if (error := _error(record)) is not None:
            line |= {"error": describe_error(error), "trace": trace(error)}
        return _encode(line)


class TextLines(logging.Formatter):
    """A readable line. The stack of an error follows on indented lines."""

    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        line = f"{_time(record)} {record.levelname:<8} {record.name}: {_message(record)}{fields}"
        error = _error(record)
        stack = [] if error is None else trace(error)
        return "\n    ".join(map(_printable, [line, *stack]))


class _SafeError:
    """Formats an error among the arguments of a line."""

    def __init__(self, error: BaseException) -> None:
        self._text = describe_error(error)

    def __str__(self) -> str:
        return self._text

    __repr__ = __str__


def _message(record: logging.LogRecord) -> str:
    if not isinstance(record.args, tuple) or not record.args:
        return record.getMessage()
    safe = tuple(_SafeError(value) if isinstance(value, BaseException) else value for value in record.args)
    return str(record.msg) % safe


def _fields(record: logging.LogRecord) -> dict[str, object]:
    fields = {name: value for name, value in vars(record).items() if name not in _USUAL}
    return {
        name: describe_error(value) if isinstance(value, BaseException) else value for name, value in fields.items()
    }


def _error(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None


def _time(record: logging.LogRecord) -> str:
    return timestamp(int(record.created * 1000))


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
