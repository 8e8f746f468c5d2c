"""The error tree: every problem has a class, a stable code and an HTTP status.

    Problem
    ├── MalformedRequest     400  the bytes do not have the stated format
    ├── Unauthorized         401  no token, or an invalid one
    ├── Forbidden            403  visible, but not allowed
    ├── NotFound             404  does not exist, or is not visible (the same body)
    ├── MethodNotAllowed     405
    ├── BodyTimeout          408  the body did not arrive in time
    ├── Conflict             409  the current state does not allow it
    ├── Gone                 410  the requested position is not available
    ├── TooLarge             413
    ├── UnsupportedMediaType 415
    ├── Invalid              422  well-formed, but a value is invalid; lists `errors`
    ├── UpgradeRequired      426  the URL is for WebSockets only
    ├── TooManyRequests      429
    └── Unavailable          503  overloaded, or a dependency is down; the client can retry

Only `api/problems.py` renders them, as `application/problem+json`.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import msgspec

from fechatter.codes import FIELDS, PROBLEMS

MAX_FIELD_CHARACTERS = 256


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_FIELD_CHARACTERS else text[: MAX_FIELD_CHARACTERS - 1] + "…"


class FieldError(msgspec.Struct, frozen=True):
    """One invalid value: its place, a stable code of `codes.FIELDS`, and a sentence for people."""

    pointer: Annotated[
        str,
        msgspec.Meta(
            description="JSON Pointer into the body, `?name` of a parameter, or a header's name.", examples=["/name"]
        ),
    ]
    code: Annotated[str, msgspec.Meta(extra_json_schema={"enum": sorted(FIELDS)}, examples=["too_long"])]
    detail: Annotated[str, msgspec.Meta(examples=["At most 128 characters."])]

    def __post_init__(self) -> None:
        if self.code not in FIELDS:
            raise LookupError(f"{self.code!r} is not declared in fechatter/codes.py")
        # Both may contain a name from the request, which can have any length.
        msgspec.structs.force_setattr(self, "pointer", _shortened(self.pointer))
        msgspec.structs.force_setattr(self, "detail", _shortened(self.detail))


class Problem(Exception):
    """An error response with a stable `code` of `codes.PROBLEMS`. `data` contains the extra members of its body."""

    status: ClassVar[int] = 500
    default_code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str = "", *, code: str | None = None, **data: Any) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.code = code or self.default_code
        if self.code not in PROBLEMS or PROBLEMS[self.code].status != self.status:
            raise LookupError(f"{self.code!r} is not declared in fechatter/codes.py with the status {self.status}")
        self.data = data


class MalformedRequest(Problem):
    status, default_code, title = 400, "malformed_json", "Malformed request"


class Unauthorized(Problem):
    status, default_code, title = 401, "unauthorized", "Sign in first"


class Forbidden(Problem):
    status, default_code, title = 403, "forbidden", "Not allowed"


class NotFound(Problem):
    """The object does not exist, or it is not visible. Both get the same detail, so that a response does not reveal
    which.
    """

    status, default_code, title = 404, "not_found", "Not found"


class MethodNotAllowed(Problem):
    status, default_code, title = 405, "method_not_allowed", "Method not allowed"


class BodyTimeout(Problem):
    status, default_code, title = 408, "body_timeout", "The body did not arrive in time"


class Conflict(Problem):
    status, default_code, title = 409, "conflict", "Conflict"


class Gone(Problem):
    status, default_code, title = 410, "reset", "No longer available"


class TooLarge(Problem):
    status, default_code, title = 413, "body_too_large", "Body too large"


class UriTooLong(Problem):
    status, default_code, title = 414, "uri_too_long", "URL too long"


class UnsupportedMediaType(Problem):
    status, default_code, title = 415, "unsupported_media_type", "Unsupported media type"


class Invalid(Problem):
    """422; `errors` is never empty."""

    status, default_code, title = 422, "invalid", "Invalid request"

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__("; ".join(f"{error.pointer}: {error.detail}" for error in errors), errors=errors)
        self.errors = errors

    @classmethod
    def field(cls, pointer: str, code: str, detail: str) -> Invalid:
        """Create the error for one value."""
        return cls([FieldError(pointer, code, detail)])


class UpgradeRequired(Problem):
    status, default_code, title = 426, "upgrade_required", "Upgrade required"


class HeadTooLarge(Problem):
    status, default_code, title = 431, "head_too_large", "Head too large"


class TooManyRequests(Problem):
    """429. `retry_after_seconds` becomes the Retry-After header, and `policy` (name, tries, seconds) the headers of the
    rate limit.
    """

    status, default_code, title = 429, "too_many_requests", "Too many requests"

    def __init__(
        self,
        detail: str = "",
        *,
        retry_after_seconds: int = 1,
        code: str | None = None,
        policy: tuple[str, int, int] | None = None,
    ) -> None:
        super().__init__(detail, code=code)
        self.retry_after_seconds = retry_after_seconds
        self.policy = policy


class Unavailable(Problem):
    """503; nothing was stored, and a retry with the same key is safe."""

    status, default_code, title = 503, "unavailable", "Try again"

    def __init__(self, detail: str = "", *, retry_after_seconds: int = 1, code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.retry_after_seconds = retry_after_seconds


class StartError(Exception):
    """The server or a command cannot start; the message states the cause and the remedy in one or two lines."""


class StorageError(Exception):
    """A database operation failed. Background work is retried later; a request gets 503."""


def titles() -> dict[int, str]:
    """Return the title of the problems of each status. The gateway gets it at its start."""
    kinds: list[type[Problem]] = [Problem, *Problem.__subclasses__()]
    return {kind.status: kind.title for kind in kinds}
