"""The PROXY protocol: trusted proxies name their clients, and nobody else can."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest

from fechatter.native import Certificates
from tests.gateway.conftest import RunningGateway, StartGateway
from tests.gateway.tls import client
from tests.gateway.upstream import Upstream
from tests.journeys.senders import wait_until_true
from tests.journeys.wire import Wire, head

TRUSTING: dict[str, object] = {"trusted_proxies": ["127.0.0.1"], "proxy_protocol": True}
ELSEWHERE: dict[str, object] = {"trusted_proxies": ["192.0.2.7"], "proxy_protocol": True}
CLIENT = "203.0.113.9"
LINE = f"PROXY TCP4 {CLIENT} 127.0.0.1 4711 80\r\n".encode()
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
REQUEST = head("GET", "/", {})


def binary(client: str = CLIENT, command: int = 0x21, more: bytes = b"") -> bytes:
    """Return a header of version 2."""
    addresses = socket.inet_aton(client) + socket.inet_aton("127.0.0.1") + struct.pack("!HH", 4711, 80)
    return SIGNATURE + struct.pack("!BBH", command, 0x11, len(addresses + more)) + addresses + more


TLS_AT_PROXY = b"\x20" + struct.pack("!HBI", 5, 1, 0)


@pytest.fixture
def trusting(start_gateway: StartGateway) -> RunningGateway:
    return start_gateway(options=TRUSTING)


async def closed(wire: Wire) -> bool:
    """Whether the gateway closes the connection without an answer."""
    try:
        return await wire.reader.read() == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize(
    ("header", "peer", "scheme"),
    [
        (LINE, f"{CLIENT}:4711", "http"),
        (b"PROXY TCP6 2001:db8::9 ::1 4711 80\r\n", "[2001:db8::9]:4711", "http"),
        (binary(), f"{CLIENT}:4711", "http"),
        (binary(more=TLS_AT_PROXY), f"{CLIENT}:4711", "https"),
    ],
)
async def test_a_trusted_proxy_names_the_client(
    trusting: RunningGateway, upstream: Upstream, header: bytes, peer: str, scheme: str
) -> None:
    wire = await Wire.open(trusting.port)
    assert (await wire.raw(header + REQUEST)).status == 200
    assert (await wire.raw(REQUEST)).status == 200
    for request in upstream.received:
        assert (request.values("x-fechatter-peer"), request.values("x-fechatter-scheme")) == ([peer], [scheme])


@pytest.mark.parametrize("header", [b"PROXY UNKNOWN\r\n", binary(command=0x20)])
async def test_a_proxy_may_connect_for_itself(trusting: RunningGateway, upstream: Upstream, header: bytes) -> None:
    wire = await Wire.open(trusting.port)
    # The proxy does not name a client, so these headers may come from the client itself.
    forged = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https", "forwarded": "for=203.0.113.9"}
    for request in (header + head("GET", "/", forged), head("GET", "/", forged)):
        assert (await wire.raw(request)).status == 200
        port = wire.writer.get_extra_info("sockname")[1]
        received = upstream.received[-1]
        assert received.values("x-fechatter-peer") == [f"127.0.0.1:{port}"]
        assert [received.values(name) for name in forged] == [[], [], []]


async def test_a_header_may_arrive_in_parts(trusting: RunningGateway, upstream: Upstream) -> None:
    for header in (LINE, binary()):
        wire = await Wire.open(trusting.port)
        for byte in header[:-1]:
            wire.writer.write(bytes([byte]))
            await wire.writer.drain()
        assert (await wire.raw(header[-1:] + REQUEST)).status == 200
        assert upstream.received[-1].values("x-fechatter-peer") == [f"{CLIENT}:4711"]


@pytest.mark.parametrize(
    "start",
    [
        REQUEST,
        LINE.replace(b"TCP4", b"TCP6"),
        LINE.replace(b" 80", b""),
        LINE.lower(),
        LINE[:-2] + b"\n" + REQUEST,
        b"PROXY UNKNOWN " + b"x" * 200,
        binary(command=0x11),
        SIGNATURE + struct.pack("!BBH", 0x21, 0x11, 65535),
        binary(more=b"\x20\xff\xff"),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
    ],
)
async def test_a_proxy_that_sends_no_valid_header_is_closed(
    trusting: RunningGateway, upstream: Upstream, start: bytes
) -> None:
    wire = await Wire.open(trusting.port)
    wire.writer.write(start)
    assert await closed(wire)
    assert not upstream.received
    await wait_until_true(lambda: trusting.counters.proxy_headers_refused == 1)
    await wait_until_true(lambda: trusting.counters.open == 0)


async def test_a_silent_proxy_is_closed_in_time(start_gateway: StartGateway) -> None:
    gateway = start_gateway(options=TRUSTING, head_seconds=0.2)
    for start in (b"", LINE[:20], binary()[:20]):
        wire = await Wire.open(gateway.port)
        wire.writer.write(start)
        assert await closed(wire)


@pytest.mark.parametrize("options", [ELSEWHERE, {**TRUSTING, "proxy_protocol": False}])
@pytest.mark.parametrize("header", [LINE, binary()])
async def test_a_header_that_nobody_may_send_is_malformed(
    start_gateway: StartGateway, upstream: Upstream, options: dict[str, object], header: bytes
) -> None:
    gateway = start_gateway(options=options)
    wire = await Wire.open(gateway.port)
    refused = await wire.raw(header + REQUEST)
    assert (refused.status, refused.code) == (400, "malformed_head")
    assert not upstream.received
    assert (await (await Wire.open(gateway.port)).raw(REQUEST)).status == 200


async def test_the_connections_of_a_client_behind_a_proxy_are_limited(start_gateway: StartGateway) -> None:
    gateway = start_gateway(options=TRUSTING, connections_per_address=1)
    busy = await Wire.open(gateway.port)
    assert (await busy.raw(LINE + REQUEST)).status == 200
    # Half of a request occupies the place of this client.
    busy.writer.write(head("POST", "/", {"content-length": "10"}) + b"half")
    await wait_until_true(lambda: gateway.counters.requests == 2)
    refused = await (await Wire.open(gateway.port)).raw(LINE + REQUEST)
    assert (refused.status, refused.code) == (429, "too_many_from_address")
    other = await Wire.open(gateway.port)
    assert (await other.raw(LINE.replace(CLIENT.encode(), b"203.0.113.10") + REQUEST)).status == 200


async def test_tls_follows_the_header(
    start_gateway: StartGateway, upstream: Upstream, certificates: Certificates
) -> None:
    gateway = start_gateway(certificates, options=TRUSTING)
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(binary())
    await writer.start_tls(client(), server_hostname="localhost")
    wire = Wire(reader, writer)
    assert (await wire.raw(REQUEST)).status == 200
    request = upstream.received[-1]
    assert request.values("x-fechatter-peer") == [f"{CLIENT}:4711"]
    assert request.values("x-fechatter-scheme") == ["https"]
