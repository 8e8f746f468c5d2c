"""TLS by the gateway: protocols, certificates by name, their replacement, and clients that abuse the handshake."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from fechatter.native import Certificates
from tests.gateway.conftest import RunningGateway, StartGateway
from tests.gateway.frames import Http2, request
from tests.gateway.test_limits import until_closed
from tests.gateway.tls import HTTP_1, HTTP_2, client, served, session
from tests.gateway.upstream import Upstream
from tests.journeys.senders import wait_until_true
from tests.journeys.wire import Wire, head
from tests.servers.certificates import Certificates as Files


async def test_a_client_chooses_its_protocol(tls_gateway: RunningGateway, upstream: Upstream) -> None:
    for offered in ((), (HTTP_1,), (HTTP_1, HTTP_2), (HTTP_2,)):
        wire = await Wire.open(tls_gateway.port, client(*offered))
        chosen = session(wire).selected_alpn_protocol()
        assert chosen == (HTTP_2 if HTTP_2 in offered else HTTP_1 if offered else None)
        if chosen != HTTP_2:
            assert (await wire.request("GET", "/")).status == 200
    http2 = await Http2.open(tls_gateway.port, client(HTTP_2))
    http2.send(request(1))
    assert await http2.status() == 200
    assert {one.values("x-fechatter-scheme")[0] for one in upstream.received} == {"https"}


async def test_a_client_without_a_known_protocol_is_refused(tls_gateway: RunningGateway) -> None:
    with pytest.raises(ssl.SSLError, match=r"(?i)no.application.protocol"):
        await Wire.open(tls_gateway.port, client("spdy/3"))
    await wait_until_true(lambda: tls_gateway.counters.handshakes_failed == 1)
    assert tls_gateway.counters.open == 0


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize(
    ("version", "name"),
    [(ssl.TLSVersion.TLSv1_3, "TLSv1.3"), (ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_1, None)],
)
async def test_old_versions_of_tls_are_refused(
    tls_gateway: RunningGateway, version: ssl.TLSVersion, name: str | None
) -> None:
    tls = client()
    tls.set_ciphers("ALL:@SECLEVEL=0")
    tls.minimum_version = tls.maximum_version = version
    if name is None:
        with pytest.raises(ssl.SSLError, match=r"PROTOCOL_VERSION|HANDSHAKE_FAILURE"):
            await Wire.open(tls_gateway.port, tls)
    else:
        assert session(await Wire.open(tls_gateway.port, tls)).version() == name


async def test_plain_http_is_not_served(tls_gateway: RunningGateway, upstream: Upstream) -> None:
    wire = await Wire.open(tls_gateway.port)
    wire.writer.write(head("GET", "/", {}))
    assert b"HTTP/" not in await until_closed(wire)
    assert upstream.received == []


async def test_a_client_receives_the_certificate_with_the_name_that_it_asks_for(
    start_gateway: StartGateway, tmp_path: Path
) -> None:
    all_files = [
        Files(tmp_path, *names, chain=f"{names[0]}.pem", key=f"{names[0]}.key")
        for names in (("chat.example.org", "talk.example.org"), ("*.example.org",), ("localhost",))
    ]
    chat, wildcard, default = [files.renew() for files in all_files]
    gateway = start_gateway(Certificates([files.pair for files in all_files]))
    for name, certificate in {
        "chat.example.org": chat,
        "talk.example.org": chat,
        "CHAT.example.org": chat,
        "other.example.org": wildcard,
        "a.b.example.org": default,
        "example.net": default,
        "127.0.0.1": default,
    }.items():
        assert await served(gateway, name) == certificate, name


async def test_a_client_receives_a_certificate_whose_key_it_supports(
    start_gateway: StartGateway, tmp_path: Path
) -> None:
    elliptic, classic = Files(tmp_path, chain="ec.pem", key="ec.key"), Files(tmp_path)
    first, second = elliptic.renew(), classic.renew(key=rsa.generate_private_key(65537, 2048))
    gateway = start_gateway(Certificates([elliptic.pair, classic.pair]))
    assert await served(gateway) == first
    only_rsa = client()
    only_rsa.maximum_version = ssl.TLSVersion.TLSv1_2
    only_rsa.set_ciphers("ECDHE-RSA-AES256-GCM-SHA384")
    assert await served(gateway, tls=only_rsa) == second


async def test_replaced_certificates_are_served_and_open_connections_continue(
    tls_gateway: RunningGateway, certificates: Certificates, files: Files
) -> None:
    before = await Wire.open(tls_gateway.port, client())
    first = session(before).getpeercert(binary_form=True)
    assert (await before.request("GET", "/")).status == 200
    second = files.renew()
    certificates.replace([files.pair])
    assert await served(tls_gateway) == second
    assert (await before.request("GET", "/")).status == 200
    assert session(before).getpeercert(binary_form=True) == first


def _encrypted(files: Files) -> bytes:
    key = serialization.load_pem_private_key(files.key.read_bytes(), None)
    password = serialization.BestAvailableEncryption(b"secret")
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, password)


async def test_an_unusable_pair_changes_nothing(
    tls_gateway: RunningGateway, certificates: Certificates, files: Files, tmp_path: Path
) -> None:
    known, good = await served(tls_gateway), files.pair
    other, strange = Files(tmp_path, key="other.key", chain="other.pem"), Files(tmp_path, key="s.key", chain="s.pem")
    other.renew()
    strange.renew(ec.SECP256K1())
    for broken, reason in [
        ((b"", good[1]), "they are not PEM of a certificate and its key"),
        ((good[0], b""), "they are not PEM of a certificate and its key"),
        ((good[0][:300], good[1]), "they are not PEM of a certificate and its key"),
        ((good[0], good[0]), "they are not PEM of a certificate and its key"),
        ((good[0], other.pair[1]), "they do not belong together"),
        ((good[0], _encrypted(files)), "the key is encrypted"),
        (strange.pair, "TLS does not support its kind of key"),
    ]:
        with pytest.raises(ValueError, match=reason) as raised:
            certificates.replace([good, broken])
        assert raised.value.args == (1, reason)
    with pytest.raises(ValueError, match="there is no certificate"):
        certificates.replace([])
    assert await served(tls_gateway) == known
