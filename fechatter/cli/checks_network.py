"""The checks of `fechatter doctor` for addresses, certificate and NATS."""

import asyncio
import errno
import ipaddress
import socket
import ssl
import time
from typing import Any
from urllib.parse import urlsplit

from fechatter.cli.findings import TIMEOUT_SECONDS, Finding
from fechatter.errors import StartError
from fechatter.gateway.certificates import ServedCertificates, certificate_pairs
from fechatter.settings import Settings
from fechatter.storage.folder import in_use

NATS_SECONDS = 2
RENEW_SECONDS = 14 * 24 * 3600
EVERYWHERE = ("0.0.0.0", "::")
EVERYBODY = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))


def port(settings: Settings) -> Finding:
    """Check that the server can listen on its address, or that it already does."""
    subject, where = "address", f"{settings.host}:{settings.port}"
    try:
        family, kind, _, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE and _is_running(settings):
            return Finding(subject, True, f"{where}: the server of this data folder is running")
        return Finding(
            subject, False, f"{where}: {error.strerror}", "Set host and port, or stop the program that listens there."
        )
    return Finding(subject, True, f"{where} is free")


def _is_running(settings: Settings) -> bool:
    """Return whether a server uses the data folder. The check `data_folder` reports errors."""
    try:
        return in_use(settings.data_dir)
    except OSError:
        return False


def public_address(settings: Settings) -> Finding:
    """Check that the public URL and the trusted proxies are plausible."""
    subject, shown = "public address", settings.public_url or "(not set)"
    if any(ipaddress.ip_network(each, strict=False) in EVERYBODY for each in settings.trusted_proxies):
        remedy = (
            "Set it to the proxy's address only. At present, any client can forge its address and evade rate limits."
        )
        return Finding(subject, False, "trusted_proxies contains every address", remedy)
    if settings.public_url is None:
        wide = settings.host in EVERYWHERE
        return Finding(
            subject, not wide, f"{shown}, listening on {settings.host}", "Set public_url to the URL that people use."
        )
    parts = urlsplit(settings.public_url)
    if parts.scheme == "http" and not _is_local(parts.hostname or ""):
        remedy = (
            "Serve HTTPS (tls_certificate, or a proxy) and set public_url. At present, passwords are not encrypted."
        )
        return Finding(subject, False, f"{shown} is not encrypted", remedy)
    if settings.tls_certificate is None and parts.scheme == "https" and not settings.trusted_proxies:
        remedy = "Set trusted_proxies to the proxy's address. Without it, rate limits treat all people as one client."
        return Finding(subject, False, f"{shown} is served by a proxy that is not in trusted_proxies", remedy)
    return Finding(subject, True, shown)


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def certificate(settings: Settings) -> Finding:
    """Check that each TLS certificate matches its key, is valid now and stays valid for two weeks."""
    subject, remedy = "certificate", "Renew it, and send SIGHUP to the server."
    try:
        pairs = certificate_pairs(settings)
        if not pairs:
            return Finding(subject, True, "not used: plain HTTP")
        ServedCertificates(settings)
    except StartError as error:
        return Finding(subject, False, str(error), "Correct tls_certificate, tls_key and tls_folder.")
    left = []
    for pair in pairs:
        try:
            left.append((_valid_until(str(pair.chain), str(pair.key)) - time.time(), pair.chain))
        except ssl.SSLError as error:
            return Finding(subject, False, f"{pair.chain}: {_reason(error)}", remedy)
    least, chain = min(left)
    named = f"{chain}: " if len(pairs) > 1 else ""
    return Finding(subject, least > RENEW_SECONDS, f"{named}valid for {least / 86400:.0f} more days", remedy)


def _valid_until(chain: str, key: str) -> float:
    """Return when the certificate expires, from a TLS handshake in memory. Raises ssl.SSLError: it is not valid now."""
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    server.load_cert_chain(chain, key)
    client.check_hostname = False
    client.load_verify_locations(chain)
    client.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(back, there), server.wrap_bio(there, back, server_side=True)]
    for _ in range(2):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    found: Any = ends[0].getpeercert()
    return ssl.cert_time_to_seconds(found["notAfter"])


def _reason(error: ssl.SSLError) -> str:
    return error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else str(error.reason)


def nats(settings: Settings) -> Finding:
    """Check that NATS accepts connections and has JetStream."""
    if settings.nats_url is None:
        return Finding("nats", True, "not used: there is one process")
    for url in settings.nats_url.split(","):
        parts = urlsplit(url.strip())
        try:
            # The NATS client waits two seconds after a refused connection, and does not name the server.
            socket.create_connection((parts.hostname or "", parts.port or 4222), TIMEOUT_SECONDS).close()
        except OSError as error:
            return Finding("nats", False, f"{parts.hostname}: {error}", "Start NATS, or correct nats_url.")
    return asyncio.run(_jetstream(settings.nats_url))


def nats_access(settings: Settings) -> Finding:
    """Check that NATS requires a password: every client that it accepts can read every event."""
    subject = "nats access"
    if settings.nats_url is None:
        return Finding(subject, True, "not used: there is one process")
    remedy = "Create NATS users with passwords and add one to nats_url. At present, any client can read every message."
    for server in settings.nats_url.split(","):
        if asyncio.run(_accepts_everybody(_without_user(server.strip()))):
            return Finding(subject, False, f"{urlsplit(server.strip()).hostname} accepts every client", remedy)
    return Finding(subject, True, "requires a password")


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


async def _accepts_everybody(url: str) -> bool:
    """Whether the server accepts a connection without a user; False if it cannot be reached."""
    from nats.aio.client import Client
    from nats.errors import Error as NatsError

    connection = Client()
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            try:
                await connection.connect([url], connect_timeout=NATS_SECONDS, allow_reconnect=False, error_cb=_quiet)
            finally:
                await connection.close()
    except (OSError, TimeoutError, NatsError):
        return False
    return True


async def _quiet(error: Exception) -> None:
    """Ignore the error; `connect` raises it too."""


async def _jetstream(url: str) -> Finding:
    from nats.aio.client import Client
    from nats.errors import Error as NatsError
    from nats.js.errors import Error as JetStreamError

    connection = Client()
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            try:
                servers = [each.strip() for each in url.split(",")]
                await connection.connect(servers, connect_timeout=NATS_SECONDS, allow_reconnect=False, error_cb=_quiet)
                await connection.jetstream(timeout=NATS_SECONDS).account_info()
            finally:
                await connection.close()
    except JetStreamError as error:
        return Finding(
            "nats", False, f"accepts connections, but has no JetStream ({error})", "Start NATS with --jetstream."
        )
    except (OSError, TimeoutError, NatsError) as error:
        return Finding("nats", False, f"accepts connections, but refuses this server ({error!r})", "Correct nats_url.")
    return Finding("nats", True, "accepts connections, with JetStream")
