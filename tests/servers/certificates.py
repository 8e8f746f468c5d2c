"""Self-signed certificates for `localhost`."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


class Certificates:
    """The certificate and key files of a server."""

    def __init__(self, folder: Path, *names: str, chain: str = "chain.pem", key: str = "key.pem") -> None:
        self.chain = folder / chain
        self.key = folder / key
        self.names = names or ("localhost",)

    @property
    def pair(self) -> tuple[bytes, bytes]:
        """The contents of both files."""
        return self.chain.read_bytes(), self.key.read_bytes()

    def renew(
        self, curve: ec.EllipticCurve | None = None, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | None = None
    ) -> bytes:
        """Write a new certificate and key, and return the certificate as DER."""
        key = key or ec.generate_private_key(curve or ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        now = datetime.datetime.now(datetime.UTC)
        unsigned = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - DAY, now + DAY)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in self.names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        )
        certificate = unsigned.sign(key, hashes.SHA256())
        pem = serialization.Encoding.PEM
        self.chain.write_bytes(certificate.public_bytes(pem))
        self.key.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return certificate.public_bytes(serialization.Encoding.DER)


def trust_any_certificate() -> ssl.SSLContext:
    """Return a client context that accepts any certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
