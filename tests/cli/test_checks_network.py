"""Doctor's checks of the port, NATS, the public address and the certificate."""

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from msgspec.structs import replace

from fechatter.cli import checks_network
from fechatter.gateway.certificates import CHAIN, KEY
from fechatter.settings import Settings
from fechatter.storage.folder import locked_folder
from tests.servers.nats import Nats


def test_an_occupied_port_is_reported_with_its_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        finding = checks_network.port(Settings(port=listener.getsockname()[1], data_dir=tmp_path))
    assert not finding.good
    assert "port" in finding.remedy


def test_a_port_in_use_by_the_server_of_this_data_folder_is_good(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings = Settings(port=listener.getsockname()[1], data_dir=tmp_path)
        with locked_folder(tmp_path):
            assert checks_network.port(settings).state.endswith("the server of this data folder is running")
            assert checks_network.port(settings).good
        assert not checks_network.port(settings).good


def test_a_nats_server_is_checked_for_jetstream(nats_url: str) -> None:
    assert checks_network.nats(Settings(nats_url=nats_url)).state == "accepts connections, with JetStream"
    assert not checks_network.nats(Settings(nats_url="nats://127.0.0.1:1")).good


def test_a_nats_server_without_passwords_is_reported(nats_url: str) -> None:
    finding = checks_network.nats_access(Settings(nats_url=nats_url))
    assert (finding.good, "127.0.0.1 accepts every client") == (False, finding.state)
    assert checks_network.nats_access(Settings()).good


def test_a_nats_server_with_passwords_is_good() -> None:
    server = Nats(user="fechatter:secret")
    try:
        server.start()
        settings = Settings(nats_url=server.url)
        assert checks_network.nats_access(settings).good
        assert checks_network.nats(settings).good
    finally:
        server.remove()


def test_a_nats_server_without_jetstream_is_reported() -> None:
    server = Nats(jetstream=False)
    try:
        server.start()
        finding = checks_network.nats(Settings(nats_url=server.url))
    finally:
        server.remove()
    assert (finding.good, finding.remedy) == (False, "Start NATS with --jetstream.")


def test_a_server_that_is_not_nats_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks_network, "TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        finding = checks_network.nats(Settings(nats_url=f"nats://127.0.0.1:{listener.getsockname()[1]}"))
    assert "refuses this server" in finding.state


@pytest.mark.parametrize(
    ("settings", "report"),
    [
        (Settings(public_url="https://chat.example.org"), "Set trusted_proxies"),
        (
            Settings(public_url="http://chat.example.org", trusted_proxies=("10.0.0.1",)),
            "passwords are not encrypted",
        ),
        (Settings(public_url="https://chat.example.org", trusted_proxies=("0.0.0.0/0",)), "any client can forge"),
        (Settings(host="0.0.0.0"), "Set public_url"),
    ],
)
def test_an_unsafe_or_missing_public_url_is_reported(settings: Settings, report: str) -> None:
    finding = checks_network.public_address(settings)
    assert not finding.good
    assert report in finding.remedy


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(public_url="http://localhost:6688"),
        Settings(public_url="https://chat.example.org", trusted_proxies=("10.0.0.0/8",)),
        Settings(public_url="https://chat.example.org", tls_certificate=Path("chain"), tls_key=Path("key")),
    ],
)
def test_a_consistent_public_url_is_good(settings: Settings) -> None:
    assert checks_network.public_address(settings).good


def _settings_with_certificate(folder: Path, days: float, begun_days_ago: float = 30) -> Settings:
    """Create a certificate that expires in `days` days."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "chat.example.org")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=begun_days_ago))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    chain, secret = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    unencrypted = serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unencrypted))
    return Settings(tls_certificate=chain, tls_key=secret)


def test_every_certificate_of_the_gateway_is_checked(tmp_path: Path) -> None:
    settings = _settings_with_certificate(tmp_path, 60.5)
    more = tmp_path / "more" / "chat"
    more.mkdir(parents=True)
    _settings_with_certificate(more, 10.5)
    settings = replace(settings, gateway=True, tls_folder=more.parent)
    (more / "chain.pem").rename(more / CHAIN)
    (more / "key.pem").rename(more / KEY)
    assert checks_network.certificate(settings).state == f"{more / CHAIN}: valid for 10 more days"
    (more / KEY).write_bytes((tmp_path / "key.pem").read_bytes())
    assert checks_network.certificate(settings).state == (
        f"The certificate {more / CHAIN} with the key {more / KEY} cannot be used: they do not belong together."
    )


def test_a_certificate_with_less_than_two_weeks_left_is_reported(tmp_path: Path) -> None:
    assert checks_network.certificate(_settings_with_certificate(tmp_path, 60.5)).state == "valid for 60 more days"
    assert checks_network.certificate(_settings_with_certificate(tmp_path, 60.5)).good
    assert not checks_network.certificate(_settings_with_certificate(tmp_path, 10)).good
    assert "expired" in checks_network.certificate(_settings_with_certificate(tmp_path, -1)).state
    assert (
        "not yet valid" in checks_network.certificate(_settings_with_certificate(tmp_path, 10, begun_days_ago=-1)).state
    )
    (tmp_path / "key.pem").write_text("no key")
    assert not checks_network.certificate(
        Settings(tls_certificate=tmp_path / "chain.pem", tls_key=tmp_path / "key.pem")
    ).good
