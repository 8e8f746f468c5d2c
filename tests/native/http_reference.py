"""Request ids and error responses in plain Python: reference of the property tests and baseline of the benches."""

import re
import secrets
from collections.abc import Iterator

from fechatter.model import encode

GOLDEN = 0x9E37_79B9_7F4A_7C15
VALID_ID = re.compile(rb"[A-Za-z0-9._:-]{1,64}")


def is_request_id(value: bytes) -> bool:
    return VALID_ID.fullmatch(value) is not None


def request_ids() -> Iterator[str]:
    """Yield the multiples of the golden ratio, modulo 2^64."""
    value = secrets.randbits(64)
    while True:
        value = (value + GOLDEN) & 0xFFFF_FFFF_FFFF_FFFF
        yield f"{value:016x}"


def problem_body(status: int, title: str, code: str, detail: str, request_id: str, data: dict[str, object]) -> bytes:
    return encode(
        {
            "type": f"urn:fechatter:problem:{code}",
            "title": title,
            "status": status,
            "code": code,
            "detail": detail,
            "request_id": request_id,
            **data,
        }
    )


def problem_headers(
    status: int, retry_after_seconds: int | None, limit: tuple[str, int, int] | None, allow: str | None
) -> dict[str, str]:
    headers = {"content-type": "application/problem+json", "cache-control": "no-store"}
    if status == 401:
        headers["www-authenticate"] = 'Bearer realm="fechatter"'
    if retry_after_seconds is not None:
        headers["retry-after"] = str(retry_after_seconds)
    if limit is not None:
        name, requests, seconds = limit
        headers["ratelimit-policy"] = f'"{name}";q={requests};w={seconds}'
        headers["ratelimit"] = f'"{name}";r=0;t={retry_after_seconds}'
    if allow is not None:
        headers["allow"] = allow
    return headers
