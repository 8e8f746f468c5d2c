"""For any token, the extension and PyJWT (with the stricter rules of the reference) find the same claims."""

import base64
import hashlib
import hmac
import time
from typing import Any

import jwt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fechatter import native
from tests.native import token_reference

SECRET = b"s" * 32
TRICKY = "=. \n\r\t\0-_+/AZaz09é語\ud800"
HEADER = {"alg": '"HS256"', "typ": '"at+jwt"'}
PLAIN = {"iss": '"fechatter"', "aud": '"fechatter"', "sub": '"7"', "wid": "3", "sid": "9"}

Members = list[tuple[str, str]]

SUBJECTS = ['"7"', '"007"', '"+7"', '" 7"', '"7.0"', '"9007199254740991"', '"9007199254740992"', '"٧"', f'"{"7" * 17}"']
NAMES = ['"fechatter"', '"Fechatter"', '"feh\\u0063atter"', '""', '"\\ud800"', '"HS256"', '"none"', '"at+jwt"']
INTEGERS = ["0", "-0", "1", "-1", "9007199254740991", "9007199254740992", "9223372036854775808", "1" + "0" * 40]
HUGE = ["1" + "0" * 400, "-1" + "0" * 400, "1e308", "1e400", "-1e400"]
FLOATS = ["1.0", "1e0", "NaN", "Infinity", "01", "+1", "0x1", "1."]
AUDIENCES = ['["fechatter"]', '["x","fechatter"]', '["fechatter",1]', '["b64"]', '["\\ud800","fechatter"]']
NESTED = ['{"a":1,"a":2}', "[" * 200 + "]" * 200, '{"a":[NaN]}', '{"\\ud800":1}', '["\t"]', "'x'"]

# No offset is near a bound, because PyJWT reads the clock by itself.
offsets = st.sampled_from([-1e9, -3600, -40, -10, 10, 20, 40, 3600, 1e9, 10.5, 20.25])
times = offsets.map(lambda offset: repr(int(time.time()) + offset))
values = times | st.sampled_from(
    [*SUBJECTS, *NAMES, *INTEGERS, *HUGE, *FLOATS, *AUDIENCES, *NESTED, "null", "true", "false", "[]", "{}"]
)
header_names = st.sampled_from(["alg", "typ", "kid", "crit", "b64", "jku", "x", "\\ud800", "al\\u0067"])
claim_names = st.sampled_from(
    ["iss", "aud", "sub", "wid", "sid", "iat", "exp", "nbf", "jti", "x", "\\ud800", "ex\\u0070"]
)


def plain_claims() -> dict[str, str]:
    now = int(time.time())
    return {**PLAIN, "iat": str(now), "exp": str(now + 60)}


@st.composite
def changed_members(draw: st.DrawFn, plain: dict[str, str], names: st.SearchStrategy[str]) -> str:
    """Write an object as JSON with at most three members that were changed, added, repeated or removed."""
    members: Members = list(plain.items())
    for name, value in draw(st.lists(st.tuples(names, values), max_size=3)):
        places = [place for place, member in enumerate(members) if member[0] == name]
        match draw(st.sampled_from(["change", "change", "add", "remove"])):
            case "change" if places:
                members[places[0]] = (name, value)
            case "remove" if places:
                del members[places[0]]
            case _:
                members.insert(draw(st.integers(0, len(members))), (name, value))
    space = draw(st.sampled_from(["", "", " ", "\n\t", "\x0c"]))
    return space + "{" + f",{space}".join(f'"{name}":{space}{value}' for name, value in members) + "}" + space


encodings = st.sampled_from(["utf-8"] * 12 + ["utf-8-sig", "utf-16", "utf-32-le", "latin-1"])
hashes = st.sampled_from(["sha256"] * 12 + ["sha512", "sha1"])


def encode_segment(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def signed(header: str, payload: str, hash_name: str = "sha256", secret: bytes = SECRET) -> str:
    """Sign two segments."""
    mac = hmac.digest(secret, f"{header}.{payload}".encode("utf-8", "surrogatepass"), hash_name)
    return f"{header}.{payload}.{encode_segment(mac)}"


def as_bytes(text: str, encoding: str) -> bytes:
    return text.encode(encoding, "replace")


@st.composite
def signed_tokens(draw: st.DrawFn) -> str:
    """Tokens with our secret, and with members, encodings, paddings or hashes that may be wrong."""
    header = draw(st.just('{"alg":"HS256","typ":"at+jwt"}') | changed_members(HEADER, header_names))
    payload = draw(changed_members(plain_claims(), claim_names))
    encoded = [encode_segment(as_bytes(text, draw(encodings))) for text in (header, payload)]
    padding = draw(st.sampled_from([""] * 12 + ["=", "==", "===", ".", "\n"]))
    encoded[draw(st.integers(0, 1))] += padding
    return signed(encoded[0], encoded[1], draw(hashes))


@st.composite
def damaged_tokens(draw: st.DrawFn) -> str:
    """Valid tokens in which at most three characters were replaced, removed or added."""
    token = list(
        signed(*map(encode_segment, (b'{"alg":"HS256","typ":"at+jwt"}', as_bytes(written(plain_claims()), "utf-8"))))
    )
    for place in draw(st.lists(st.integers(0, len(token) - 4) | st.just(len(token) - 4), max_size=3)):
        end = place + draw(st.integers(0, 2))
        token[place:end] = draw(st.text(TRICKY, max_size=2))
    return "".join(token)


def written(members: dict[str, str]) -> str:
    return "{" + ",".join(f'"{name}":{value}' for name, value in members.items()) + "}"


def check_same(token: str) -> Any:
    """Both find the same, also when the extension has the token in its cache."""
    verifier = native.Tokens(SECRET, max_cached=4)
    found = verifier.verify(token)
    assert found == verifier.verify(token) == token_reference.verify(token, SECRET)
    return found


@settings(max_examples=800, deadline=None)
@given(signed_tokens())
def test_a_signed_token_is_verified_as_the_reference_does(token: str) -> None:
    check_same(token)


@settings(max_examples=400, deadline=None)
@given(damaged_tokens() | st.text(TRICKY, max_size=40))
@example("")
@example("..")
@example("é" * 2000)
def test_a_damaged_token_is_verified_as_the_reference_does(token: str) -> None:
    check_same(token)


@pytest.mark.parametrize("algorithm", ["none", "HS384", "HS512"])
def test_a_token_of_another_algorithm_is_refused(algorithm: str) -> None:
    claims = {"iss": "fechatter", "aud": "fechatter", "sub": "7", "wid": 3, "sid": 9, "iat": 0, "exp": 2**40}
    secret = None if algorithm == "none" else SECRET * 2
    token = jwt.encode(claims, secret, algorithm, headers={"typ": "at+jwt"})
    assert native.Tokens(SECRET * 2).verify(token) is None
    assert check_same(jwt.encode(claims, SECRET, "HS256", headers={"typ": "at+jwt"})) == (7, 3, 9)


def test_the_secret_may_have_any_length() -> None:
    for secret in (b"", b"k", b"k" * 64, b"k" * 65, hashlib.sha256(b"k").digest()):
        token = signed(
            encode_segment(b'{"alg":"HS256","typ":"at+jwt"}'),
            encode_segment(written(plain_claims()).encode()),
            "sha256",
            secret,
        )
        assert native.Tokens(secret).verify(token) == (7, 3, 9)
        assert native.Tokens(secret + b"x").verify(token) is None
