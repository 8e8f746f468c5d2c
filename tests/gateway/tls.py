"""What the tests of TLS share: clients."""

from __future__ import annotations

import ssl

from tests.gateway.conftest import RunningGateway
from tests.journeys.wire import Wire
from tests.servers.certificates import trust_any_certificate

HTTP_1, HTTP_2 = "http/1.1", "h2"


def client(*protocols: str) -> ssl.SSLContext:
    context = trust_any_certificate()
    if protocols:
        context.set_alpn_protocols(protocols)
    return context


def session(wire: Wire) -> ssl.SSLObject:
    found: ssl.SSLObject = wire.writer.get_extra_info("ssl_object")
    return found


async def served(gateway: RunningGateway, name: str = "localhost", tls: ssl.SSLContext | None = None) -> bytes | None:
    """Return the certificate that a client receives who asks for this name."""
    wire = await Wire.open(gateway.port, tls or client(), name)
    assert (await wire.request("GET", "/")).status == 200
    return session(wire).getpeercert(binary_form=True)
