"""TLS by the gateway of a running server: files that change without a signal, and several certificates."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from fechatter.gateway.certificates import CHAIN, KEY
from tests.journeys.client import Client, owner
from tests.journeys.test_tls import TlsServer
from tests.servers.certificates import Certificates


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[TlsServer]:
    folder = tmp_path / "more"
    folder.mkdir()
    tls_server = TlsServer(tmp_path, more=f'tls_folder = "{folder}"\n')
    try:
        tls_server.server.start()
        yield tls_server
    finally:
        tls_server.server.kill()


async def part(ada: Client) -> dict[str, str]:
    """Return the state of the certificates in /health."""
    answer = await ada.ask("GET", "/health")
    found: dict[str, str] = answer.json["parts"]["certificate_files"]
    return found


async def test_changed_files_are_served_and_broken_files_show_in_health(tls_server: TlsServer) -> None:
    server, certificates = tls_server.server, tls_server.certificates
    ada = await owner(server, setup_token=server.setup_token)
    chat, stream = await ada.chat("private_channel"), await ada.listen()
    second = certificates.renew()
    await asyncio.to_thread(server.wait_for_output, "the certificate has changed")
    assert await tls_server.served_certificate() == second
    good = certificates.pair
    certificates.key.write_text("no key")
    await asyncio.to_thread(server.wait_for_output, "certificate_files failed and will be retried")
    found = await part(ada)
    assert found["state"] == "degraded"
    assert f"The certificate {certificates.chain} with the key {certificates.key} cannot be used" in found["detail"]
    assert await tls_server.served_certificate() == second
    certificates.key.write_bytes(good[1])
    await asyncio.to_thread(server.wait_for_output, "certificate_files works again")
    assert (await part(ada))["state"] == "ok"
    sent = await ada.send(chat["id"], "still here?")
    assert (await stream.until("message.created"))[-1].data["data"]["message"]["id"] == sent["id"]


async def test_a_folder_adds_certificates_that_clients_choose_by_name(tls_server: TlsServer) -> None:
    folder = tls_server.file.parent / "more"
    (folder / "README").write_text("not a certificate")
    (folder / "empty").mkdir()
    (folder / "chat").mkdir()
    chat = Certificates(folder / "chat", "chat.example.org", chain=CHAIN, key=KEY)
    second = chat.renew()
    await tls_server.reload()
    assert await tls_server.served_certificate("chat.example.org") == second
    assert await tls_server.served_certificate("localhost") == tls_server.first
    chat.key.unlink()
    output = await tls_server.reload("not reloaded, nothing has changed")
    assert f"The certificate file {chat.key} cannot be read" in output
    assert await tls_server.served_certificate("chat.example.org") == second
    chat.chain.unlink()
    await tls_server.reload()
    assert await tls_server.served_certificate("chat.example.org") == tls_server.first
