"""Reads the files of the web client into memory once, so that no path in a request is opened on the disk.

`dist/` contains the built client and its compressed copies (`make web`).
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import msgspec

from fechatter import native

DIST = Path(__file__).parent / "dist"

ENCODINGS = {"br": ".br", "gzip": ".gz"}
"""The file suffix of each content coding, the best coding first."""
IDENTITY = "identity"
"""The coding of a file that is not compressed."""

_TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
}


class WebFile(msgspec.Struct, frozen=True):
    """One file as browsers receive it.

    Attributes:
        contents: the file's bytes by content coding; `identity` is always included.
        etag: a digest of the content, without quotes.
        immutable: whether the file's name changes with its content.
    """

    contents: dict[str, bytes]
    media_type: str
    etag: str
    immutable: bool


@cache
def files() -> dict[str, WebFile]:
    """Return every file by its path in `dist/`; empty if the client is not built."""
    return {path.relative_to(DIST).as_posix(): _read(path) for path in sorted(DIST.rglob("*")) if path.suffix in _TYPES}


def _read(path: Path) -> WebFile:
    content = path.read_bytes()
    packed = {coding: path.with_name(path.name + suffix) for coding, suffix in ENCODINGS.items()}
    return WebFile(
        contents={
            "identity": content,
            **{coding: copy.read_bytes() for coding, copy in packed.items() if copy.exists()},
        },
        media_type=_TYPES[path.suffix],
        etag=hashlib.sha256(content).hexdigest()[:32],
        immutable=path.parent.name == "assets",
    )


def choose(file: WebFile, accept_encoding: str) -> str:
    """Return the best content coding that the file has and the browser accepts, else `identity`."""
    offered = (coding for coding in ENCODINGS if coding in file.contents)
    return next((coding for coding in offered if native.accepts_coding(accept_encoding, coding)), IDENTITY)
