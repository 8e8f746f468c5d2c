"""TLS by the server itself. SIGHUP renews the certificate while clients are connected."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from fechatter.cli import checks_network
from fechatter.settings import Settings
from tests.journeys.client import PASSWORD, Client, owner
from tests.journeys.senders import wait_until_true
from tests.journeys.server import ServerProcess
from tests.journeys.wire import Wire
from tests.servers.certificates import Certificates, trust_any_certificate

FILE = """\
tls_certificate = "{chain}"
tls_key = "{key}"
log_level = "{level}"
name = "{name}"
"""


class TlsServer:
    """An https server with its settings in a file."""

    def __init__(self, folder: Path, more: str = "") -> None:
        self.certificates = Certificates(folder)
        self.file = folder / "fechatter.toml"
        self.first = self.certificates.renew()
        self.configure(more=more)
        self.server = ServerProcess(
            folder,
            tls=trust_any_certificate(),
            arguments=["--config", str(self.file)],
            gateway="on",
        )

    def configure(self, level: str = "info", name: str = "Fechatter", more: str = "") -> None:
        chain, key = self.certificates.chain, self.certificates.key
        self.file.write_text(FILE.format(chain=chain, key=key, level=level, name=name) + more)

    async def reload(self, last: str = "reloaded") -> str:
        """Send SIGHUP and return the output up to the text `last`."""
        before = len(self.server.output)
        self.server.process.send_signal(signal.SIGHUP)
        await asyncio.to_thread(self.server.wait_for_output, last, before)
        return self.server.output[before:]

    async def served_certificate(self, name: str = "localhost") -> bytes:
        """Return the certificate that a new connection receives if it asks for this name."""
        wire = await Wire.open(self.server.port, self.server.tls, name)
        assert (await wire.request("GET", "/health/simple")).status == 200
        served_certificate: bytes = wire.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return served_certificate


@pytest.fixture(scope="module")
def tls_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsServer]:
    tls_server = TlsServer(tmp_path_factory.mktemp("tls"))
    try:
        tls_server.server.start()
        yield tls_server
    finally:
        tls_server.server.kill()


async def test_a_new_certificate_is_served_and_open_streams_continue(tls_server: TlsServer) -> None:
    ada = await owner(tls_server.server, setup_token=tls_server.server.setup_token)
    chat = await ada.chat("private_channel")
    stream = await ada.listen()
    assert await tls_server.served_certificate() == tls_server.first
    second = tls_server.certificates.renew()
    await tls_server.reload()
    assert [await tls_server.served_certificate() for _ in range(5)] == [second] * 5
    sent = await ada.send(chat["id"], "still here?")
    assert (await stream.until("message.created"))[-1].data["data"]["message"]["id"] == sent["id"]
    credentials = {"email": ada.session["user"]["email"], "password": PASSWORD}
    signed_in = await Client(tls_server.server).ask(
        "POST", "/api/signin", credentials, {"x-requested-with": "fechatter"}
    )
    assert "; Secure" in signed_in.headers["set-cookie"]
    assert signed_in.headers["strict-transport-security"].startswith("max-age=")


async def test_no_connection_is_refused_while_certificates_change(tls_server: TlsServer) -> None:
    done, count = asyncio.Event(), 0

    async def connect() -> None:
        nonlocal count
        while not done.is_set():
            await tls_server.served_certificate()
            count += 1

    connecting = [asyncio.ensure_future(connect()) for _ in range(4)]

    def is_over(expected: int) -> bool:
        return count >= expected or any(one.done() for one in connecting)

    for _ in range(2):
        tls_server.certificates.renew()
        await tls_server.reload()
        await wait_until_true(partial(is_over, count + 8))
    done.set()
    await asyncio.gather(*connecting)


async def test_an_invalid_certificate_leaves_the_current_one_in_use(tls_server: TlsServer) -> None:
    known = await tls_server.served_certificate()
    files = (tls_server.certificates.chain, tls_server.certificates.key)
    before = [file.read_bytes() for file in files]
    tls_server.certificates.renew(ec.SECP256K1())  # OpenSSL accepts this curve, but TLS does not support it.
    assert "not reloaded, nothing has changed: The certificate" in await tls_server.reload()
    files[1].write_bytes(before[1])
    assert "not reloaded, nothing has changed: The certificate" in await tls_server.reload()
    files[0].write_text("nothing of the kind")
    assert "not PEM of a certificate" in await tls_server.reload()
    files[0].unlink()
    assert "cannot be read: No such file" in await tls_server.reload()
    assert await tls_server.served_certificate() == known
    for file, content in zip(files, before, strict=True):
        file.write_bytes(content)


async def test_the_server_refuses_to_start_with_an_unusable_key(tmp_path: Path) -> None:
    made = Certificates(tmp_path)
    made.renew(ec.SECP256K1())
    named = {"tls_certificate": str(made.chain), "tls_key": str(made.key)}
    output = await asyncio.to_thread(ServerProcess(tmp_path, gateway="on", **named).expect_failed_start)
    assert output.splitlines() == [
        f"fechatter: The certificate {made.chain} with the key {made.key} cannot be used: "
        "TLS does not support its kind of key."
    ]
    found = await asyncio.to_thread(checks_network.certificate, Settings(tls_certificate=made.chain, tls_key=made.key))
    assert not found.good


async def test_a_reload_changes_the_log_level_and_reports_settings_that_need_a_restart(tls_server: TlsServer) -> None:
    tls_server.configure(level="warning", name="Another")
    output = await tls_server.reload("the setting name has changed; it needs a restart")
    assert ": reloaded" not in output


async def test_an_invalid_setting_changes_nothing(tls_server: TlsServer) -> None:
    tls_server.configure(more='ports = "80"\n')
    assert "not reloaded, nothing has changed: " in await tls_server.reload()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_tls_versions_below_1_2_are_refused(tls_server: TlsServer) -> None:
    assert await asyncio.to_thread(_version, tls_server, ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
    assert await asyncio.to_thread(_version, tls_server, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
    with pytest.raises(ssl.SSLError, match=r"PROTOCOL_VERSION|HANDSHAKE_FAILURE"):
        await asyncio.to_thread(_version, tls_server, ssl.TLSVersion.TLSv1_1)


def _version(tls_server: TlsServer, version: ssl.TLSVersion) -> str | None:
    context = trust_any_certificate()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", tls_server.server.port), timeout=5) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as wrapped:
            return wrapped.version()
