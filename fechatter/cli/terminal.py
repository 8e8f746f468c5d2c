"""The standard streams of a command: printing output and reading input lines.

A command that has done its work never fails because of its output. Characters that the stream's encoding lacks are
escaped; if a stream cannot be written (a closed pipe, a full disk), only the output is lost. A command whose only work
is its output fails.
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

from fechatter.canonical.decoding import is_text, text_of
from fechatter.errors import Invalid, StartError
from fechatter.model import encode


class OutputFailed(StartError):
    """Standard output cannot be written.

    Attributes:
        closed: whether its reader has exited, as `head` does; that is not worth a message.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(f"standard output cannot be written ({error.strerror})")
        self.closed = error.errno == errno.EPIPE


def prepare() -> None:
    """Make the standard streams escape the characters that their encodings lack."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def show(text: str) -> None:
    """Print the requested output. Raises OutputFailed."""
    try:
        _write(sys.stdout, f"{text}\n")
    except OSError as error:
        raise OutputFailed(error) from error


def report(text: str) -> None:
    """Print the outcome of a command that has done its work."""
    try:
        show(text)
    except OutputFailed as error:
        note(f"fechatter: the command succeeded, but {error}")


def note(text: str, end: str = "\n") -> None:
    """Print on standard error, if that can be written."""
    try:
        _write(sys.stderr, f"{text}{end}")
    except OSError:
        pass  # nothing is left to write to


def as_json(value: object, stream: TextIO | None = None) -> str:
    """Return one line of JSON; in ASCII if the stream (default: standard output) cannot encode it otherwise."""
    text, stream = encode(value).decode(), stream or sys.stdout
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(json.loads(text), separators=(",", ":"))
    return text


def counted(count: int, one: str, several: str = "") -> str:
    """Return a count with its noun: `1 person`, `2 people`. The default plural adds an s."""
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"


def shown_path(path: Path) -> str:
    """Return a path as text; bytes that are not UTF-8 are escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def undecodable_arguments(options: Namespace) -> Iterator[str]:
    """Return an error for each argument that is not UTF-8; a path may be any bytes."""
    for name, value in vars(options).items():
        if isinstance(value, str) and not is_text(value):
            yield f"{name}: {shown_path(Path(value))!r} is not UTF-8"


def read_line() -> str:
    """Return standard input's next line without its end: UTF-8 in every locale, with or without a byte order mark.

    Raises:
        EOFError: there is no further line.
        Invalid: the line is not UTF-8.
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
        raise undecodable_input(error) from error
    if not is_text(line):
        raise undecodable_input(ValueError("it is not UTF-8"))
    return line


def undecodable_input(error: ValueError) -> Invalid:
    """Return the error for input that cannot be decoded."""
    return Invalid.field("standard input", "invalid_character", f"The input cannot be decoded: {error}.")


def _write(stream: TextIO | None, text: str) -> None:
    """Write and flush. After an OSError, redirect the stream to /dev/null; otherwise the interpreter would
    report the error again when it exits.

    Raises:
        OSError: the stream cannot be written.
    """
    if stream is None:
        return
    try:
        stream.write(text)
        stream.flush()
    except OSError:
        _discard_output(stream)
        raise


def _discard_output(stream: TextIO) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stream.fileno())
        stream.flush()
    except (OSError, io.UnsupportedOperation):
        pass  # a stream without a descriptor has no buffer
    finally:
        os.close(nowhere)
