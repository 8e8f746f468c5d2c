"""Clients of TLS that abuse the handshake, do not read, or are connected at a stop."""

from __future__ import annotations

import asyncio
import socket
import ssl

import pytest

from fechatter.native import Certificates
from tests.gateway.conftest import RunningGateway, StartGateway
from tests.gateway.test_limits import KIBIBYTE, SHORT, Waiting, until_closed
from tests.gateway.tls import HTTP_1, HTTP_2, client, served
from tests.gateway.upstream import Received, Upstream
from tests.journeys.senders import wait_until_true
from tests.journeys.wire import Wire, head
from tests.servers.process import PATIENCE_SECONDS


async def test_silent_and_half_handshakes_are_closed_in_time(
    start_gateway: StartGateway, certificates: Certificates, upstream: Upstream
) -> None:
    gateway = start_gateway(certificates, head_seconds=SHORT)
    silent, half = await Wire.open(gateway.port), await Wire.open(gateway.port)
    half.writer.write(hello()[:100])
    assert [await until_closed(wire) for wire in (silent, half)] == [b"", b""]
    begun = await Wire.open(gateway.port)
    begun.writer.write(hello())
    assert await until_closed(begun) != b""
    idle = await Wire.open(gateway.port, client())
    assert await until_closed(idle) == b""
    await wait_until_true(lambda: gateway.counters.open == 0)
    # On a busy machine, the bytes of `half` may arrive after its time; it then counts as silent.
    assert gateway.counters.handshakes_failed in (1, 2)
    assert upstream.received == []


def hello() -> bytes:
    """Return the first message of a handshake."""
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = client().wrap_bio(received, sent, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        connection.do_handshake()
    return sent.read()


@pytest.mark.parametrize("bytes_sent", [0, 100, 10_000])
async def test_unfinished_handshakes_do_not_keep_others_out(
    start_gateway: StartGateway, certificates: Certificates, bytes_sent: int
) -> None:
    gateway = start_gateway(certificates, connections=8, head_seconds=PATIENCE_SECONDS)
    working = await Wire.open(gateway.port, client())
    assert (await working.request("GET", "/")).status == 200
    for _ in range(50):
        unfinished = await Wire.open(gateway.port)
        unfinished.writer.write(hello()[:bytes_sent])
    await wait_until_true(lambda: gateway.counters.accepted == 51)
    assert await served(gateway) is not None
    assert (await working.request("GET", "/")).status == 200
    # An evicted connection is closed at once, so that its file is free.
    await wait_until_true(lambda: gateway.counters.open <= 8)
    assert gateway.counters.evicted >= 43
    assert gateway.counters.refused == {}


@pytest.mark.parametrize("offered", [(), (HTTP_1, HTTP_2)])
async def test_a_connection_without_a_place_is_refused_over_tls(
    start_gateway: StartGateway, certificates: Certificates, upstream: Upstream, offered: tuple[str, ...]
) -> None:
    gateway, waiting = start_gateway(certificates, connections=2), Waiting(upstream)
    working = [await Wire.open(gateway.port, client()) for _ in range(2)]
    for wire in working:
        wire.writer.write(head("GET", "/", {}))
    await wait_until_true(lambda: len(upstream.received) == 2)
    refused = await (await Wire.open(gateway.port, client(*offered))).answer()
    assert (refused.status, refused.code) == (503, "too_many_connections")
    waiting.allowed.set()
    assert [(await wire.answer()).status for wire in working] == [200, 200]


async def test_no_size_of_an_answer_keeps_a_client_that_does_not_read(
    start_gateway: StartGateway, certificates: Certificates, upstream: Upstream
) -> None:
    """Some answers wait in the gateway, some in TLS, and the smallest fit into the kernel."""
    gateway = start_gateway(certificates, write_seconds=1, idle_seconds=1)

    async def answer(request: Received, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = int(request.target[1:])
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size + b"a" * size)

    upstream.answer = answer
    sizes = [*range(8 * KIBIBYTE, 512 * KIBIBYTE, 8 * KIBIBYTE), 8192 * KIBIBYTE]
    for size in sizes:
        wire = await _open_with_small_buffer(gateway.port)
        wire.writer.transport.pause_reading()
        wire.writer.write(head("GET", f"/{size}", {}))
    await wait_until_true(lambda: len(upstream.received) == len(sizes))
    await wait_until_true(lambda: gateway.counters.open == 0)
    assert 0 < gateway.counters.stalled < len(sizes)


async def _open_with_small_buffer(port: int) -> Wire:
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * KIBIBYTE)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=plain, ssl=client(), server_hostname="localhost", limit=1024)
    return Wire(reader, writer)


async def test_a_request_in_progress_is_answered_at_a_stop(
    tls_gateway: RunningGateway, upstream: Upstream, certificates: Certificates
) -> None:
    waiting = Waiting(upstream)
    working, silent = await Wire.open(tls_gateway.port, client()), await Wire.open(tls_gateway.port)
    working.writer.write(head("GET", "/", {}))
    await wait_until_true(lambda: len(upstream.received) == 1)
    tls_gateway.stop_accepting()
    assert await until_closed(silent) == b""
    waiting.allowed.set()
    assert (await working.answer()).status == 200
    await wait_until_true(lambda: tls_gateway.counters.open == 0)


async def test_a_handshake_that_has_begun_ends_at_a_stop_with_its_answer(tls_gateway: RunningGateway) -> None:
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = client().wrap_bio(received, sent, server_hostname="localhost")
    wire = await Wire.open(tls_gateway.port)
    with pytest.raises(ssl.SSLWantReadError):
        connection.do_handshake()
    wire.writer.write(sent.read())
    received.write(await wire.reader.read(1 << 16))
    tls_gateway.stop_accepting()
    connection.do_handshake()
    connection.write(head("GET", "/", {}))
    wire.writer.write(sent.read())
    received.write(await until_closed(wire))
    assert connection.read(1 << 16).startswith(b"HTTP/1.1 200 OK\r\n")


async def test_large_bodies_pass_in_both_directions(tls_gateway: RunningGateway, upstream: Upstream) -> None:
    body = bytes(range(256)) * 8192

    async def echo(received: Received, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(received.body) + received.body)

    upstream.answer = echo
    for _ in range(2):
        wire = await Wire.open(tls_gateway.port, client())
        for _ in range(2):
            assert (await wire.request("POST", "/", body)).body == body


async def test_a_client_that_leaves_ends_its_request(tls_gateway: RunningGateway, upstream: Upstream) -> None:
    Waiting(upstream)
    wire = await Wire.open(tls_gateway.port, client())
    wire.writer.write(head("GET", "/", {}))
    await wait_until_true(lambda: len(upstream.received) == 1)
    await wire.abort()
    await wait_until_true(lambda: tls_gateway.counters.abandoned == 1)
