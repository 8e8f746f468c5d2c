"""The one door to `fechatter._native`, the Rust extension that moves the bytes of messages.

Endpoints parse with it and push into its `Intake`, the writer takes each `MessageBatch` from there. Everybody imports
from here; in a checkout this module also refuses an extension that was built from other sources than those beside it.
"""

import hashlib
from pathlib import Path

try:
    from fechatter._native import (
        BUILD,
        MAX_BATCH_MESSAGES,
        MAX_CONTENT_CHARACTERS,
        MAX_KEY_CHARACTERS,
        SOURCE_HASH,
        Arena,
        Column,
        Intake,
        IntakeFull,
        InvalidMessage,
        MalformedBody,
        MessageBatch,
        fingerprint,
        parse_message,
        skeleton,
        stored_key,
    )
except ImportError as error:
    raise ImportError(f"The native extension cannot be loaded ({error}): run `make setup`.") from error

__all__ = [
    "BUILD",
    "MAX_BATCH_MESSAGES",
    "MAX_CONTENT_CHARACTERS",
    "MAX_KEY_CHARACTERS",
    "SOURCE_HASH",
    "Arena",
    "Column",
    "Intake",
    "IntakeFull",
    "InvalidMessage",
    "MalformedBody",
    "MessageBatch",
    "check_build",
    "fingerprint",
    "parse_message",
    "skeleton",
    "source_hash",
    "stored_key",
]

# With every .rs file under native/src, all that the extension is built from; native/build.rs names the same.
_BUILD_FILES = ("Cargo.lock", "Cargo.toml", "native/Cargo.toml", "native/build.rs")


def source_hash(checkout: Path) -> str:
    """SHA-256 over path, NUL, size in bytes, NUL and content of each source file, in the order of their paths.

    Raises:
        OSError: a source file cannot be read.
    """
    sources = (path.relative_to(checkout).as_posix() for path in (checkout / "native" / "src").rglob("*.rs"))
    digest = hashlib.sha256()
    for name in sorted([*_BUILD_FILES, *sources]):
        content = (checkout / name).read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def check_build(checkout: Path, built_from: str = SOURCE_HASH) -> None:
    """Check that the extension was built from the sources in `checkout`, if there are any.

    Raises:
        ImportError: it was not.
    """
    if (checkout / "native" / "src").is_dir() and source_hash(checkout) != built_from:
        raise ImportError("The native extension was built from other sources than native/src: run `make setup`.")


check_build(Path(__file__).resolve().parent.parent)
