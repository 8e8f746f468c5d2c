"""TLS by the server itself, and what SIGHUP changes while people are connected."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from fechatter.cli import checks_network
from fechatter.settings import Settings
from tests.journeys.client import PASSWORD, Client, owner
from tests.journeys.server import ServerProcess
from tests.journeys.wire import Wire
from tests.servers.certificates import Certificates, anybody

OPEN_FILES = 400
HANDSHAKE_SECONDS = 10
FILE = """\
tls_certificate = "{chain}"
tls_key = "{key}"
log_level = "{level}"
name = "{name}"
"""


class Place:
    """A server behind https whose settings are in a file."""

    def __init__(self, folder: Path, open_files: int | None = None) -> None:
        self.certificates = Certificates(folder)
        self.file = folder / "fechatter.toml"
        self.first = self.certificates.renew()
        self.configure()
        self.server = ServerProcess(folder, open_files=open_files, tls=anybody(), arguments=["--config", str(self.file)])

    def configure(self, level: str = "info", name: str = "Fechatter", more: str = "") -> None:
        chain, key = self.certificates.chain, self.certificates.key
        self.file.write_text(FILE.format(chain=chain, key=key, level=level, name=name) + more)

    async def reload(self, last: str = "reloaded") -> str:
        """Ask for it; returns what the server says of it, up to this."""
        before = len(self.server.output)
        self.server.process.send_signal(signal.SIGHUP)
        await asyncio.to_thread(self.server.said, last, before)
        return self.server.output[before:]

    async def shown(self) -> bytes:
        """The certificate that a new connection is shown."""
        wire = await Wire.open(self.server.port, self.server.tls)
        assert (await wire.request("GET", "/health/simple")).status == 200
        shown: bytes = wire.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return shown


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    place = Place(tmp_path_factory.mktemp("tls"))
    try:
        place.server.start()
        yield place
    finally:
        place.server.kill()


async def test_a_new_certificate_is_served_and_an_open_stream_goes_on(place: Place) -> None:
    ada = await owner(place.server, setup_token=place.server.setup_token)
    chat = await ada.chat("private_channel")
    stream = await ada.listen()
    assert await place.shown() == place.first
    second = place.certificates.renew()
    await place.reload()
    assert [await place.shown() for _ in range(5)] == [second] * 5
    sent = await ada.send(chat["id"], "still here?")
    assert (await stream.until("message.created"))[-1].data["data"]["message"]["id"] == sent["id"]
    credentials = {"email": ada.session["user"]["email"], "password": PASSWORD}
    signed_in = await Client(place.server).ask("POST", "/api/signin", credentials, {"x-requested-with": "fechatter"})
    assert "; Secure" in signed_in.headers["set-cookie"]
    assert signed_in.headers["strict-transport-security"].startswith("max-age=")


async def test_nobody_is_turned_away_while_certificates_change(place: Place) -> None:
    done = asyncio.Event()

    async def connect() -> int:
        count = 0
        while not done.is_set():
            await place.shown()
            count += 1
        return count

    connecting = [asyncio.ensure_future(connect()) for _ in range(4)]
    for _ in range(2):
        place.certificates.renew()
        await place.reload()
    done.set()
    assert sum(await asyncio.gather(*connecting)) > 5


async def test_what_cannot_be_served_keeps_the_certificate_in_use(place: Place) -> None:
    known = await place.shown()
    files = (place.certificates.chain, place.certificates.key)
    before = [file.read_bytes() for file in files]
    place.certificates.renew(ec.SECP256K1())  # OpenSSL takes this curve, TLS has none such
    assert "not reloaded, nothing has changed: The certificate" in await place.reload()
    files[1].write_bytes(before[1])
    assert "not reloaded, nothing has changed: The certificate" in await place.reload()
    files[0].write_text("nothing of the kind")
    assert "not PEM of a certificate" in await place.reload()
    files[0].unlink()
    assert "cannot be read: No such file" in await place.reload()
    assert await place.shown() == known
    for file, content in zip(files, before, strict=True):
        file.write_bytes(content)


async def test_a_server_does_not_start_with_a_key_that_tls_has_no_use_for(tmp_path: Path) -> None:
    made = Certificates(tmp_path)
    made.renew(ec.SECP256K1())
    named = {"tls_certificate": str(made.chain), "tls_key": str(made.key)}
    said = await asyncio.to_thread(ServerProcess(tmp_path, **named).refused)
    assert said.splitlines() == [f"fechatter: The certificate {made.chain} cannot be used: TLS does not support its kind of key."]
    found = await asyncio.to_thread(checks_network.certificate, Settings(tls_certificate=made.chain, tls_key=made.key))
    assert not found.good


async def test_the_level_of_the_log_changes_and_what_needs_a_restart_is_named(place: Place) -> None:
    place.configure(level="warning", name="Another")
    said = await place.reload("the setting name has changed; it needs a restart")
    assert ": reloaded" not in said


async def test_a_bad_setting_changes_nothing(place: Place) -> None:
    place.configure(more='ports = "80"\n')
    assert "not reloaded, nothing has changed: " in await place.reload()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_no_older_version_than_1_2_is_spoken(place: Place) -> None:
    assert await asyncio.to_thread(_version, place, ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
    assert await asyncio.to_thread(_version, place, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
    with pytest.raises(ssl.SSLError, match=r"PROTOCOL_VERSION|HANDSHAKE_FAILURE"):
        await asyncio.to_thread(_version, place, ssl.TLSVersion.TLSv1_1)


@pytest.mark.prove
async def test_silent_handshakes_use_up_the_files_for_ten_seconds_and_no_processor(tmp_path: Path) -> None:
    place = Place(tmp_path, open_files=OPEN_FILES)
    silent = []
    try:
        await asyncio.to_thread(place.server.start)
        ada = await owner(place.server, setup_token=place.server.setup_token)
        chat, stream = await ada.chat("private_channel"), await ada.listen()
        for _ in range(OPEN_FILES * 2):
            silent.append(socket.socket())
            silent[-1].setblocking(False)
            silent[-1].connect_ex(("127.0.0.1", place.server.port))
        await asyncio.to_thread(place.server.said, "too many connections")
        before = place.server.cpu_seconds()
        sent = await ada.send(chat["id"], "still here?")
        assert (await stream.until("message.created"))[-1].data["data"]["message"]["id"] == sent["id"]
        tries = 0
        while not await _is_served(place):
            tries += 1
            assert tries < HANDSHAKE_SECONDS * 4
            await asyncio.sleep(0.5)
        assert place.server.cpu_seconds() - before < 2
    finally:
        for one in silent:
            one.close()
        place.server.kill()


async def _is_served(place: Place) -> bool:
    try:
        await place.shown()
    except OSError:
        return False
    return True


def _version(place: Place, version: ssl.TLSVersion) -> str | None:
    context = anybody()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", place.server.port), timeout=5) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as wrapped:
            return wrapped.version()
