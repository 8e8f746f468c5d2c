"""The gateway and the server behind it agree where each request begins and ends."""

from __future__ import annotations

import asyncio

import pytest

from tests.gateway.conftest import RunningGateway
from tests.gateway.upstream import Upstream
from tests.journeys.wire import Wire
from tests.servers.process import PATIENCE_SECONDS

POST = b"POST /a HTTP/1.1\r\nhost: a\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n"
MALFORMED = {
    "length and chunks": POST + b"content-length: 4\r\n" + CHUNKED + b"\r\n0\r\n\r\n",
    "chunks and length": POST + CHUNKED + b"content-length: 4\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"content-length: 2\r\ncontent-length: 40\r\n\r\n{}",
    "the same length twice": POST + b"content-length: 2\r\ncontent-length: 2\r\n\r\n{}",
    "a list of lengths": POST + b"content-length: 2, 2\r\n\r\n{}",
    "a negative length": POST + b"content-length: -2\r\n\r\n{}",
    "a length with a sign": POST + b"content-length: +2\r\n\r\n{}",
    "a length in hexadecimal": POST + b"content-length: 0x2\r\n\r\n{}",
    "a length with a fraction": POST + b"content-length: 2.0\r\n\r\n{}",
    "a length with a space": POST + b"content-length: 1 2\r\n\r\n{}",
    "an empty length": POST + b"content-length:\r\n\r\n{}",
    "a huge length": POST + b"content-length: 99999999999999999999999\r\n\r\n{}",
    "a space before the colon": POST + b"content-length : 2\r\n\r\n{}",
    "a tab before the colon": POST + b"transfer-encoding\t: chunked\r\n\r\n0\r\n\r\n",
    "a space before the name": POST + b" content-length: 2\r\n\r\n{}",
    "a folded line": POST + b"x: a\r\n content-length: 2\r\n\r\n{}",
    "a folded encoding": POST + b"transfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "a line without a colon": POST + b"content-length\r\n\r\n",
    "an empty name": POST + b": a\r\n\r\n",
    "chunked twice": POST + CHUNKED * 2 + b"\r\n0\r\n\r\n",
    "chunked, then another": POST + b"transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "another, then chunked": POST + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "an unknown encoding": POST + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a quoted encoding": POST + b'transfer-encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "an encoding with a vertical tab": POST + b"transfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "an encoding with a CR": POST + b"transfer-encoding: chunked\r\r\n\r\n0\r\n\r\n",
    "chunks of HTTP/1.0": b"POST /a HTTP/1.0\r\n" + CHUNKED + b"\r\n0\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
    "two hosts of HTTP/1.0": b"GET / HTTP/1.0\r\nhost: a\r\nhost: b\r\n\r\n",
    "a line feed alone": b"GET / HTTP/1.1\nhost: a\n\n",
    "a line feed in a head": b"GET / HTTP/1.1\r\nhost: a\nx: y\r\n\r\n",
    "a line feed at the end": b"GET / HTTP/1.1\r\nhost: a\r\n\n",
    "a CR in a value": POST + b"x: a\rb\r\n\r\n",
    "a CR in a name": POST + b"x\ry: a\r\n\r\n",
    "a NUL in a value": POST + b"x: a\0b\r\n\r\n",
    "a NUL in a name": POST + b"x\0: a\r\n\r\n",
    "a non-ASCII name": POST + b"x\x80: a\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/2 as a version": b"GET / HTTP/2.0\r\nhost: a\r\n\r\n",
    "HTTP/1.2": b"GET / HTTP/1.2\r\nhost: a\r\n\r\n",
    "a version in lower case": b"GET / http/1.1\r\nhost: a\r\n\r\n",
    "two spaces": b"GET  / HTTP/1.1\r\nhost: a\r\n\r\n",
    "a tab between": b"GET\t/ HTTP/1.1\r\nhost: a\r\n\r\n",
    "a space in the target": b"GET /a b HTTP/1.1\r\nhost: a\r\n\r\n",
    "a control character in the target": b"GET /\x01 HTTP/1.1\r\nhost: a\r\n\r\n",
    "no method": b" / HTTP/1.1\r\nhost: a\r\n\r\n",
    "a tunnel": b"CONNECT a:80 HTTP/1.1\r\nhost: a\r\n\r\n",
    "many empty lines": b"\r\n" * 8,
    "a CR alone": b"\rGET / HTTP/1.1\r\nhost: a\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n",
}
BAD_CHUNKS = {
    "a huge size": b"fffffffffffffffff\r\n{}",
    "a negative size": b"-1\r\n",
    "a size with a prefix": b"0x2\r\n{}\r\n0\r\n\r\n",
    "a size with a space": b"2 \r\n{}\r\n0\r\n\r\n",
    "no size": b"\r\n{}\r\n0\r\n\r\n",
    "a line feed alone after the size": b"2\n{}\r\n0\r\n\r\n",
    "a line feed alone after an extension": b"2;a\n{}\r\n0\r\n\r\n",
    "a CR alone after an extension": b"2;a\rb\r\n{}\r\n0\r\n\r\n",
    "more data than the size": b"2\r\n{}}\r\n0\r\n\r\n",
    "a line feed alone after the data": b"2\r\n{}\n0\r\n\r\n",
    "no line after the last chunk": b"0\r\nGET / HTTP/1.1\r\n",
    "a folded trailer": b"0\r\nx: a\r\n b\r\n\r\n",
}
WELL_FORMED = {
    "no body": (b"GET /a HTTP/1.1\r\nhost: a\r\n\r\n", b""),
    "a length": (POST + b"Content-Length: 2\r\n\r\n{}", b"{}"),
    "a length with spaces around": (POST + b"content-length: \t2 \r\n\r\n{}", b"{}"),
    "a length with zeros": (POST + b"content-length: 0002\r\n\r\n{}", b"{}"),
    "chunks": (POST + CHUNKED + b"\r\n1\r\n{\r\n01\r\n}\r\n0\r\n\r\n", b"{}"),
    "chunks with extensions and trailers": (POST + CHUNKED + b"\r\n2;a=b\r\n{}\r\n0;c\r\nx: y\r\n\r\n", b"{}"),
    "chunks in capitals": (POST + b"Transfer-Encoding: Chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
    "an empty line before": (b"\r\n" + POST + b"content-length: 2\r\n\r\n{}", b"{}"),
    "a body with GET": (b"GET /a HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}", b"{}"),
    "chunks with GET": (b"GET /a HTTP/1.1\r\nhost: a\r\n" + CHUNKED + b"\r\n2\r\n{}\r\n0\r\n\r\n", b"{}"),
    "an absolute target": (b"GET http://b/a HTTP/1.1\r\nhost: a\r\n\r\n", b""),
}


async def exchange(gateway: RunningGateway, data: bytes, step: int = 1 << 20) -> bytes:
    """Send the data in steps and return everything until the gateway closes."""
    wire = await Wire.open(gateway.port)
    for first in range(0, len(data), step):
        wire.writer.write(data[first : first + step])
        await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await wire.reader.read()


@pytest.mark.parametrize("name", MALFORMED)
async def test_an_ambiguous_head_is_refused_and_nothing_reaches_the_server(
    gateway: RunningGateway, upstream: Upstream, name: str
) -> None:
    answered = await exchange(gateway, MALFORMED[name] + SMUGGLED)
    assert answered.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answered.count(b"HTTP/1.1") == 1
    assert b'"code":"malformed_' in answered
    assert upstream.received == []
    assert sum(gateway.counters.refused.values()) == 1


@pytest.mark.parametrize("name", BAD_CHUNKS)
async def test_malformed_chunks_end_the_request_and_the_connection(
    gateway: RunningGateway, upstream: Upstream, name: str
) -> None:
    answered = await exchange(gateway, POST + CHUNKED + b"\r\n" + BAD_CHUNKS[name] + SMUGGLED)
    assert answered.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answered.count(b"HTTP/1.1") == 1
    assert b'"code":"incomplete_body"' in answered
    assert upstream.received == []


@pytest.mark.parametrize("name", WELL_FORMED)
@pytest.mark.parametrize("step", [1, 1 << 20])
async def test_a_well_formed_request_arrives_unchanged_with_one_framing(
    gateway: RunningGateway, upstream: Upstream, name: str, step: int
) -> None:
    data, body = WELL_FORMED[name]
    answered = await exchange(gateway, data + b"GET /b HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", step)
    assert answered.count(b"HTTP/1.1 200 OK") == 2
    first, second = upstream.received
    assert (first.target, first.body, second.target) == ("/a", body, "/b")
    assert len(first.values("content-length")) + len(first.values("transfer-encoding")) == (1 if body else 0)


async def test_a_length_that_covers_the_next_request_makes_it_part_of_the_body(
    gateway: RunningGateway, upstream: Upstream
) -> None:
    data = POST + b"connection: close\r\ncontent-length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED
    assert (await exchange(gateway, data)).count(b"HTTP/1.1") == 1
    assert [(request.target, request.body) for request in upstream.received] == [("/a", SMUGGLED)]


async def test_a_refused_request_does_not_take_the_answers_of_the_requests_before_it(
    gateway: RunningGateway, upstream: Upstream
) -> None:
    good = b"GET /%d HTTP/1.1\r\nhost: a\r\n\r\n"
    answered = await exchange(gateway, good % 1 + good % 2 + MALFORMED["two lengths"] + SMUGGLED)
    assert [answered.count(b"HTTP/1.1 %d" % status) for status in (200, 400)] == [2, 1]
    assert answered.rindex(b"HTTP/1.1 400") > answered.rindex(b"HTTP/1.1 200")
    assert [request.target for request in upstream.received] == ["/1", "/2"]


async def test_pipelined_requests_are_answered_in_order(gateway: RunningGateway, upstream: Upstream) -> None:
    wire = await Wire.open(gateway.port)
    wire.writer.write(b"".join(b"GET /%d HTTP/1.1\r\nhost: a\r\n\r\n" % number for number in range(200)))
    assert {(await wire.answer()).status for _ in range(200)} == {200}
    assert [request.target for request in upstream.received] == [f"/{number}" for number in range(200)]
    # One request at a time needs one connection.
    assert upstream.connections == 1
