"""The only importer of `fechatter._native`, the Rust extension.

Endpoints push bodies into the `Intake`, and the writer takes each `MessageBatch` from it. The other classes and
functions are rules that both entry points share, such as the rules of a valid token. In a checkout, this module refuses
an extension that was built from other sources.
"""

import hashlib
from pathlib import Path

try:
    from fechatter._native import (
        BUILD,
        MAX_BATCH_MESSAGES,
        MAX_CONTENT_CHARACTERS,
        MAX_KEY_CHARACTERS,
        MAX_RATE_KEYS,
        PROBLEM_MEDIA_TYPE,
        QUOTA_WINDOW_SECONDS,
        SOURCE_HASH,
        TOKEN_ISSUER,
        TOKEN_TYPE,
        AccessLog,
        AtOnce,
        Certificates,
        Column,
        Cors,
        Gateway,
        Intake,
        IntakeFull,
        InvalidMessage,
        MalformedBody,
        MessageBatch,
        Meter,
        PendingAnswer,
        Quota,
        RequestIds,
        ResponseCache,
        Stream,
        Streams,
        Tokens,
        TrustedProxies,
        accepts_coding,
        encode_page,
        encode_results,
        is_request_id,
        matches_tag,
        parse_message,
        problem_body,
        problem_headers,
        security_headers,
        skeleton,
        text_messages,
        timestamp,
    )
except ImportError as error:
    raise ImportError(f"The native extension cannot be loaded ({error}): run `make setup`.") from error

__all__ = [
    "BUILD",
    "MAX_BATCH_MESSAGES",
    "MAX_CONTENT_CHARACTERS",
    "MAX_KEY_CHARACTERS",
    "MAX_RATE_KEYS",
    "PROBLEM_MEDIA_TYPE",
    "QUOTA_WINDOW_SECONDS",
    "SOURCE_HASH",
    "TOKEN_ISSUER",
    "TOKEN_TYPE",
    "AccessLog",
    "AtOnce",
    "Certificates",
    "ClientPage",
    "ClientVariant",
    "Column",
    "Cors",
    "Gateway",
    "Intake",
    "IntakeFull",
    "InvalidMessage",
    "MalformedBody",
    "MessageBatch",
    "Meter",
    "PendingAnswer",
    "Quota",
    "RequestIds",
    "ResponseCache",
    "Stream",
    "Streams",
    "Tokens",
    "TrustedProxies",
    "accepts_coding",
    "check_build",
    "encode_page",
    "encode_results",
    "is_request_id",
    "matches_tag",
    "parse_message",
    "problem_body",
    "problem_headers",
    "security_headers",
    "skeleton",
    "source_hash",
    "text_messages",
    "timestamp",
]

# The extension is built from these files and every .rs file under native/src. native/build.rs has the same list.
_BUILD_FILES = ("Cargo.lock", "Cargo.toml", "native/Cargo.toml", "native/build.rs")


def source_hash(checkout: Path) -> str:
    """Return the SHA-256 of the extension's sources, as native/build.rs computes it.

    The input is path, NUL, size in bytes, NUL and content of each file, in the order of the paths.

    Raises:
        OSError: A source file cannot be read.
    """
    sources = (path.relative_to(checkout).as_posix() for path in (checkout / "native" / "src").rglob("*.rs"))
    digest = hashlib.sha256()
    for name in sorted([*_BUILD_FILES, *sources]):
        content = (checkout / name).read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def check_build(checkout: Path, built_from: str = SOURCE_HASH) -> None:
    """Check that the extension was built from the sources in `checkout`, if it contains sources.

    Raises:
        ImportError: The extension was built from other sources.
    """
    if (checkout / "native" / "src").is_dir() and source_hash(checkout) != built_from:
        raise ImportError("The native extension was built from other sources than native/src: run `make setup`.")


ClientVariant = tuple[str, str, list[tuple[str, str]], bytes]
"""A file in one content coding: coding, entity tag, headers and content."""
ClientPage = tuple[list[tuple[str, str]], list[ClientVariant]]
"""A file that the gateway serves: the path and the route of each way to it, and its variants, the best first."""

check_build(Path(__file__).resolve().parent.parent)
