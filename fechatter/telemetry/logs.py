"""The log on standard error: one JSON object a line, or a readable line on a terminal.

    {"time": "2026-11-21T17:40:58.123Z", "level": "error", "logger": "fechatter.api…", "message": "…", "request_id": "…"}

What is given as `extra=` becomes fields of its own. Errors are told by `faults.told`, wherever they stand in a line, so that no line holds
what a client sent; control characters are escaped, so that nothing makes a line of its own.
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
from fechatter.settings import LogFormat, Settings
from fechatter.telemetry.faults import told, trace
from fechatter.telemetry.outlet import Outlet

log = logging.getLogger(__name__)

OURS = "fechatter"
_encode = json.JSONEncoder(default=str).encode
_USUAL = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"})


def set_up(settings: Settings, stream: TextIO | None = None) -> None:
    """Send everything that is logged to `stream` (standard error): ours, the libraries', Python's warnings, and what ends a thread."""
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, LineHandler)]:
        root.removeHandler(handler)
    root.addHandler(LineHandler(stream or sys.stderr, settings.log_format))
    set_level(settings.log_level)
    logging.captureWarnings(True)
    sys.unraisablehook = lambda found: log.error("an error that nobody could be told of", exc_info=found.exc_value)
    threading.excepthook = lambda found: log.critical("a thread died", exc_info=found.exc_value)


def set_level(level: str) -> None:
    """The least severe line that is logged; of libraries never a debug line, as nobody knows what it holds."""
    number = logging.getLevelNamesMapping()[level.upper()]
    logging.getLogger(OURS).setLevel(number)
    logging.getLogger().setLevel(max(number, logging.INFO))


def counted() -> Mapping[str, int]:
    """Lines by level since the start."""
    handler = _handler()
    return {} if handler is None else handler.counts


def lost() -> int:
    """Of these, lines that nobody read."""
    handler = _handler()
    return 0 if handler is None else handler.outlet.lost


def say(text: str) -> None:
    """A line for people, where the log goes, which need not be read."""
    if (handler := _handler()) is not None:
        with handler.lock or nullcontext():
            handler.outlet.write(text)


def _handler() -> LineHandler | None:
    return next((one for one in logging.getLogger().handlers if isinstance(one, LineHandler)), None)


def report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """The event loop's exception handler. Its default one would print futures with what they hold."""
    task = context.get("task") or context.get("future")
    named = {"task": task.get_name()} if isinstance(task, asyncio.Task) else {}
    logging.getLogger("asyncio").error("%s", context.get("message"), exc_info=context.get("exception"), extra=named)


class LineHandler(logging.Handler):
    """Writes lines and counts them by level."""

    def __init__(self, stream: TextIO, wanted: LogFormat) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()
        self.outlet = Outlet(stream)
        self._told_lost = 0
        readable = wanted == "text" or (wanted == "auto" and stream.isatty())
        self.setFormatter(TextLines() if readable else JsonLines())

    def emit(self, record: logging.LogRecord) -> None:
        self.counts[record.levelname.lower()] += 1
        try:
            if self.outlet.lost > self._told_lost and self.outlet.open():
                self.outlet.write(self.format(self._of_lost()))
            self.outlet.write(self.format(record))
        except Exception:  # noqa: BLE001  # as every handler of logging does: a line may fail, not whoever wrote it
            self.handleError(record)

    def _of_lost(self) -> logging.LogRecord:
        lost, self._told_lost = self.outlet.lost - self._told_lost, self.outlet.lost
        said = {"name": __name__, "levelno": logging.WARNING, "levelname": "WARNING", "msg": "%d lines were lost: nobody read them"}
        return logging.makeLogRecord({**said, "args": (lost,)})


class JsonLines(logging.Formatter):
    """One JSON object, in ASCII: whatever shows it shows no control character."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
            **_fields(record),
        }
        if (error := _error(record)) is not None:
            line |= {"error": told(error), "trace": trace(error)}
        return _encode(line)


class TextLines(logging.Formatter):
    """A line for people; an error's stack follows, indented."""

    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        line = f"{_time(record)} {record.levelname:<8} {record.name}: {_message(record)}{fields}"
        error = _error(record)
        stack = [] if error is None else trace(error)
        return "\n    ".join(map(_printable, [line, *stack]))


class _Told:
    """An error among the values of a line, as it may be shown."""

    def __init__(self, error: BaseException) -> None:
        self._text = told(error)

    def __str__(self) -> str:
        return self._text

    __repr__ = __str__


def _message(record: logging.LogRecord) -> str:
    if not isinstance(record.args, tuple) or not record.args:
        return record.getMessage()
    safe = tuple(_Told(value) if isinstance(value, BaseException) else value for value in record.args)
    return str(record.msg) % safe


def _fields(record: logging.LogRecord) -> dict[str, object]:
    fields = {name: value for name, value in vars(record).items() if name not in _USUAL}
    return {name: told(value) if isinstance(value, BaseException) else value for name, value in fields.items()}


def _error(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None


def _time(record: logging.LogRecord) -> str:
    return timestamp(int(record.created * 1000))


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
