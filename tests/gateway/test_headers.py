"""Which headers pass the gateway, and which the gateway sets."""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.gateway.conftest import RunningGateway
from tests.gateway.upstream import Received, Upstream
from tests.journeys.wire import Wire

FORGED = {
    "x-fechatter-peer": "203.0.113.9:1",
    "X-Fechatter-Scheme": "https",
    "x-fechatter-": "a",
    "x-fechatter-user": "1",
}
HOP_BY_HOP = {
    "keep-alive": "timeout=5",
    "proxy-connection": "keep-alive",
    "proxy-authorization": "Basic YTpi",
    "te": "trailers",
    "trailer": "x-checksum",
    "upgrade": "websocket",
    "x-named": "by connection",
}


async def received(gateway: RunningGateway, upstream: Upstream, headers: dict[str, str]) -> Received:
    wire = await Wire.open(gateway.port)
    assert (await wire.request("GET", "/a?b=%20c", headers=headers)).status == 200
    return upstream.received[-1]


async def test_the_server_receives_the_address_and_scheme_of_the_client(
    gateway: RunningGateway, upstream: Upstream
) -> None:
    wire = await Wire.open(gateway.port)
    port = wire.writer.get_extra_info("sockname")[1]
    await wire.request("GET", "/", headers=FORGED)
    request = upstream.received[-1]
    assert request.values("x-fechatter-peer") == [f"127.0.0.1:{port}"]
    assert request.values("x-fechatter-scheme") == ["http"]
    assert {name for name, _ in request.headers if name.startswith("x-fechatter")} == {
        "x-fechatter-peer",
        "x-fechatter-scheme",
    }


async def test_headers_of_one_connection_are_not_forwarded(gateway: RunningGateway, upstream: Upstream) -> None:
    request = await received(gateway, upstream, {**HOP_BY_HOP, "connection": "keep-alive, X-Named , upgrade,, \x80"})
    assert not {*HOP_BY_HOP, "connection", "transfer-encoding"} & {name for name, _ in request.headers}


@pytest.mark.parametrize("named", ["host", "content-length", "x-fechatter-peer", "x-request-id"])
async def test_connection_cannot_remove_what_the_server_relies_on(
    gateway: RunningGateway, upstream: Upstream, named: str
) -> None:
    wire = await Wire.open(gateway.port)
    await wire.request("POST", "/", b"{}", {"connection": named})
    request = upstream.received[-1]
    assert len(request.values(named)) == 1
    assert request.body == b"{}"


async def test_all_other_headers_pass_unchanged(gateway: RunningGateway, upstream: Upstream) -> None:
    sent = {"authorization": "Bearer a", "cookie": "a=b; c=d", "x-forwarded-for": "203.0.113.9", "accept": "*/*, a;q=1"}
    request = await received(gateway, upstream, sent)
    assert request.target == "/a?b=%20c"
    assert {name: request.values(name) for name in sent} == {name: [value] for name, value in sent.items()}
    assert request.values("host") == ["127.0.0.1"]


async def test_repeated_headers_stay_repeated(gateway: RunningGateway, upstream: Upstream) -> None:
    wire = await Wire.open(gateway.port)
    await wire.raw(b"GET / HTTP/1.1\r\nhost: a\r\nauthorization: a\r\nx: 1\r\nauthorization: b\r\n\r\n")
    assert upstream.received[-1].values("authorization") == ["a", "b"]


async def test_a_valid_request_id_of_the_client_is_kept(gateway: RunningGateway, upstream: Upstream) -> None:
    for given in ("a.B:c_d-1", "x" * 64):
        assert (await received(gateway, upstream, {"x-request-id": given})).values("x-request-id") == [given]
    for given in ("", "a b", "x" * 65, "ä"):
        found = (await received(gateway, upstream, {"x-request-id": given})).values("x-request-id")
        assert re.fullmatch("[0-9a-f]{16}", *found), given


@pytest.mark.parametrize("version", ["1.1", "1.0"])
async def test_an_answer_keeps_its_headers_except_those_of_the_connection(
    gateway: RunningGateway, upstream: Upstream, version: str
) -> None:
    async def answer(_: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"HTTP/1.1 404 Not Found\r\nset-cookie: a=b\r\nset-cookie: c=d\r\nconnection: x-hop, close\r\nx-hop: 1\r\n"
            b'keep-alive: timeout=1\r\nproxy-authenticate: Basic\r\netag: W/"a"\r\ncontent-length: 0\r\n\r\n'
        )
        writer.close()

    upstream.answer = answer
    wire = await Wire.open(gateway.port)
    wire.writer.write(f"GET / HTTP/{version}\r\nhost: a\r\nconnection: close\r\n\r\n".encode())
    answered = (await wire.reader.read()).decode()
    head = answered.partition("\r\n\r\n")[0].split("\r\n")
    assert head[0] == f"HTTP/{version} 404 Not Found"
    assert [line for line in head if line.startswith("set-cookie")] == ["set-cookie: a=b", "set-cookie: c=d"]
    assert 'etag: W/"a"' in head
    assert not [line for line in head if line.startswith(("x-hop", "keep-alive", "proxy-"))]


async def test_a_malformed_answer_never_reaches_the_client(gateway: RunningGateway, upstream: Upstream) -> None:
    for malformed in (b"HTTP/1.1 200 OK\r\nx : y\r\n\r\n", b"nothing\r\n\r\n", b"HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n"):

        async def answer(
            _: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, malformed: bytes = malformed
        ) -> None:
            writer.write(malformed)

        upstream.answer = answer
        refused = await (await Wire.open(gateway.port)).request("GET", "/")
        assert (refused.status, refused.code) == (503, "upstream_unavailable")
        assert refused.headers["retry-after"] == "1"
