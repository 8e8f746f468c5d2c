"""Request ids, security headers and error responses are those of the reference."""

import itertools
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fechatter import native
from fechatter.api import problems
from fechatter.codes import PROBLEMS
from fechatter.errors import Invalid, MethodNotAllowed, Problem, TooManyRequests, Unauthorized, Unavailable, titles
from fechatter.model import encode
from tests.native import http_reference
from tests.native.bodies import TRICKY

texts = st.text(st.sampled_from(TRICKY) | st.characters(exclude_categories=["Cs"]), max_size=40)
values = st.recursive(st.none() | st.booleans() | st.integers(0, 2**53) | texts, st.lists, max_leaves=4)


@given(st.binary(max_size=70) | st.text("aZ09._:-/ \n", max_size=66).map(str.encode))
@example(b"a" * 64)
@example(b"a" * 65)
def test_a_client_may_choose_the_ids_of_the_reference(value: bytes) -> None:
    assert native.is_request_id(value) == http_reference.is_request_id(value)


def test_ids_have_the_distance_of_the_reference() -> None:
    ids = [int(value, 16) for value in itertools.islice(native.RequestIds(), 5)]
    assert {(later - earlier) % 2**64 for earlier, later in itertools.pairwise(ids)} == {http_reference.GOLDEN}
    assert native.is_request_id(next(native.RequestIds()).encode())


@given(st.sampled_from(sorted(PROBLEMS)), texts, texts, texts, st.dictionaries(texts, values, max_size=3))
def test_a_body_is_that_of_the_reference(
    code: str, title: str, detail: str, request_id: str, data: dict[str, Any]
) -> None:
    status = PROBLEMS[code].status
    found = native.problem_body(status, title, code, detail, request_id, encode(data)[1:-1])
    own = {"type", "title", "status", "code", "detail", "request_id"}
    if own.isdisjoint(data):
        assert found == http_reference.problem_body(status, title, code, detail, request_id, data)


@given(
    st.sampled_from([400, 401, 405, 429, 503]),
    st.none() | st.integers(0, 2**40),
    st.none() | st.tuples(st.text("abc-", min_size=1), st.integers(1, 10**6), st.integers(1, 3600)),
    st.none() | st.just("GET, HEAD"),
)
def test_headers_are_those_of_the_reference(
    status: int, retry_after_seconds: int | None, limit: tuple[str, int, int] | None, allow: str | None
) -> None:
    if retry_after_seconds is None:
        limit = None
    found = native.problem_headers(status, retry_after_seconds, limit, allow)
    assert dict(found) == http_reference.problem_headers(status, retry_after_seconds, limit, allow)


@pytest.mark.parametrize(
    ("problem", "names"),
    [
        (Unauthorized(), {"www-authenticate"}),
        (MethodNotAllowed(allow=["GET", "HEAD"]), {"allow"}),
        (Unavailable(), {"retry-after"}),
        (TooManyRequests(policy=("messages", 60, 60)), {"retry-after", "ratelimit", "ratelimit-policy"}),
        (Invalid.field("/name", "empty", "must not be empty"), set()),
    ],
)
def test_both_entry_points_render_a_problem_alike(problem: Problem, names: set[str]) -> None:
    response = problems.render(problem, "id")
    status, code, headers, body = problems.render_for_gateway(problem, "id")
    assert (status, code, body) == (response.status_code, problem.code, response.body)
    assert dict(headers).keys() == {"content-type", "cache-control", *names}
    assert dict(headers) | {"content-length": str(len(body))} == dict(response.headers)


def test_every_status_of_a_code_has_a_title() -> None:
    assert {code.status for code in PROBLEMS.values() if code.public} <= titles().keys()


def test_only_https_and_only_data_have_a_security_header_of_their_own() -> None:
    page, data = native.security_headers(False, True), native.security_headers(False, False)
    assert data == [*page, (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")]
    [*plain, hsts] = native.security_headers(True, True)
    assert (plain, hsts) == (page, (b"strict-transport-security", b"max-age=31536000"))
