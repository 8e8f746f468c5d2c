"""The standard streams of a command: what it prints, and the lines it reads.

Output never fails a command that has done its work: a character that the stream's encoding lacks is escaped, and a
stream that takes nothing (a closed pipe, a full disk) changes nothing but what is printed. A command whose only work is
its output fails.
"""

from __future__ import annotations

import errno
import io
import json
import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from fechatter.decoding import is_text, text_of
from fechatter.errors import Invalid, StartError
from fechatter.model import encode


class OutputFailed(StartError):
    """Standard output takes nothing.

    Attributes:
        closed: whether its reader has gone, as `head` does; nobody needs to be told then.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(f"standard output cannot be written ({error.strerror})")
        self.closed = error.errno == errno.EPIPE


def prepare() -> None:
    """Escape what the encodings of the standard streams lack."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def show(text: str) -> None:
    """Print what the command was asked for. Raises OutputFailed."""
    try:
        _write(sys.stdout, f"{text}\n")
    except OSError as error:
        raise OutputFailed(error) from error


def report(text: str) -> None:
    """Print the outcome of a command that has done its work."""
    try:
        show(text)
    except OutputFailed as error:
        note(f"fechatter: it is done, but {error}")


def note(text: str, end: str = "\n") -> None:
    """Print beside the output, on standard error, if that takes anything."""
    try:
        _write(sys.stderr, f"{text}{end}")
    except OSError:
        pass  # there is nowhere left to say so


def as_json(value: object, stream: TextIO | None = None) -> str:
    """One line of JSON; in ASCII where the stream (standard output unless given) cannot encode it as it is."""
    text, stream = encode(value).decode(), stream or sys.stdout
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(json.loads(text), separators=(",", ":"))
    return text


def shown_path(path: Path) -> str:
    """A path as text; bytes that are not UTF-8 are escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def arguments_that_are_no_text(options: Namespace) -> Iterator[str]:
    """What is wrong with each argument that is not UTF-8; a path may be any bytes."""
    for name, value in vars(options).items():
        if isinstance(value, str) and not is_text(value):
            yield f"{name}: {shown_path(Path(value))!r} is not UTF-8"


def read_line() -> str:
    """Standard input's next line without its end: UTF-8 whatever the locale is, with or without a byte order mark.

    Raises:
        EOFError: there is none.
        Invalid: it is not UTF-8.
    """
    line = "" if sys.stdin is None else _next_line(sys.stdin)
    if not line:
        raise EOFError
    return line.rstrip("\r\n")


def _next_line(stream: TextIO) -> str:
    raw = getattr(stream, "buffer", None)
    try:
        line = stream.readline() if raw is None or stream.isatty() else text_of(raw.readline())
    except ValueError as error:
        raise no_text(error) from error
    if not is_text(line):
        raise no_text(ValueError("it is not UTF-8"))
    return line


def no_text(error: ValueError) -> Invalid:
    """The refusal of input that cannot be decoded."""
    return Invalid.field("standard input", "invalid_character", f"What was typed cannot be read: {error}.")


def _write(stream: TextIO | None, text: str) -> None:
    """Write it all now. Raises OSError; the stream leads nowhere from then on, or the interpreter would complain at its
    end."""
    if stream is None:
        return
    try:
        stream.write(text)
        stream.flush()
    except OSError:
        _lead_nowhere(stream)
        raise


def _lead_nowhere(stream: TextIO) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stream.fileno())
        stream.flush()
    except (OSError, io.UnsupportedOperation):
        pass  # a stream without a descriptor keeps nothing back
    finally:
        os.close(nowhere)
