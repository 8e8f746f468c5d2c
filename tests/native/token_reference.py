"""Access tokens verified by PyJWT, with the rules that native/src/token.rs adds: reference of the property tests."""

import base64
import json
import math
from typing import Any, NoReturn

import jwt

REQUIRED = ["iss", "aud", "sub", "wid", "sid", "iat", "exp"]
KNOWN = {*REQUIRED, "nbf", "jti", "alg", "typ", "kid"}
MAX_CHARACTERS = 1024
MAX_ID = 2**53 - 1

Claims = tuple[int, int, int]


class Members(list[tuple[str, Any]]):
    """The members of an object in their order, with duplicates."""


def verify(token: str, secret: bytes) -> Claims | None:
    """Return (user id, workspace id, session id) of a token that is valid now."""
    if len(token) > MAX_CHARACTERS:
        return None
    try:
        decoded = jwt.decode_complete(
            token,
            secret,
            algorithms=["HS256"],
            issuer="fechatter",
            audience="fechatter",
            leeway=30,
            options={"require": REQUIRED},
        )
    except (jwt.InvalidTokenError, ValueError):
        return None
    header, payload = decoded["header"], decoded["payload"]
    # PyJWT accepts an expired token within the leeway.
    now = jwt.api_jwt.datetime.now().timestamp()
    if header.get("typ") != "at+jwt" or not is_strict(token) or payload["exp"] <= now:
        return None
    subject = payload["sub"]
    if not (subject.isascii() and subject.isdecimal() and len(subject) <= 16):
        return None
    claims = int(subject), payload["wid"], payload["sid"]
    return claims if all(type(value) is int and 0 < value <= MAX_ID for value in claims) else None


def is_strict(token: str) -> bool:
    """Whether a token that PyJWT accepts also keeps the stricter rules: one form for each value, and no extensions."""
    try:
        header, payload = map(read_segment, token.split(".")[:2])
    except ValueError:
        return False
    if "=" in token or {"crit", "b64"} & {name for name, _ in header}:
        return False
    return all(is_time(value) for name, value in payload if name in ("iat", "nbf", "exp"))


def read_segment(segment: str) -> Members:
    """Return the members of a header or payload. Raises ValueError: not in the strict form."""
    text = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)).decode()
    members: Members = json.loads(text, object_pairs_hook=Members, parse_constant=refuse_constant)
    names = [name for name, _ in members if name in KNOWN]
    if len(names) != len(set(names)):
        raise ValueError("a known member occurs twice")
    for name, value in members:
        name.encode()
        # Lone surrogates in other values have no effect.
        if name in KNOWN:
            json.dumps(value, ensure_ascii=False).encode()
    return members


def refuse_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which are not JSON."""
    raise ValueError(name)


def is_time(value: Any) -> bool:
    """Whether the value is a number that a double can hold."""
    try:
        return type(value) in (int, float) and math.isfinite(float(value))
    except OverflowError:
        return False
