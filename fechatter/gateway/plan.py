"""The plan of a stand-alone gateway: upstreams, routes, filters and checks, from a TOML file and the command line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from fechatter.errors import StartError

METHODS = re.compile(r"[A-Z]{1,20}")
MAX_UPSTREAMS = 256
SYSTEM_ROOTS = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
"""Usual files with the system's CA certificates, if Python's OpenSSL names no file."""


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The routes file. `docs/gateway.md` explains each field.

    Attributes:
        upstreams: addresses of the servers for every path that no route names.
        routes: addresses of servers by the beginning of the path.
        deny: requests that are refused: `/path` or `METHOD /path`.
        health_path: `GET` of this path must succeed; "" disables the checks.
        failures: failed requests in a row, or failed checks in a row, after which a server receives no requests.
        pause_seconds: the first pause of such a server. Each failed trial doubles the pause, up to the longest pause.
        upstream_ca: PEM file with the CA certificates for https upstreams; "" uses the system's CA certificates.
    """

    upstreams: tuple[str, ...] = ()
    routes: dict[str, tuple[str, ...]] = {}
    deny: tuple[str, ...] = ()
    health_path: str = "/health/simple"
    health_interval_seconds: float = 2.0
    health_timeout_seconds: float = 1.0
    failures: int = 3
    pause_seconds: float = 1.0
    longest_pause_seconds: float = 30.0
    answer_seconds: float = 60.0
    head_bytes: int = 65_536
    upstream_ca: str = ""

    @property
    def addresses(self) -> list[str]:
        """Every upstream once, as it was written."""
        return list(dict.fromkeys([*self.upstreams, *(each for some in self.routes.values() for each in some)]))


def read_plan(file: Path | None, upstreams: list[str], routes: list[str], deny: list[str]) -> Plan:
    """Read the file and add the arguments of the command line. Raises StartError."""
    try:
        plan = Plan() if file is None else msgspec.convert(tomllib.loads(file.read_text("utf-8")), Plan, strict=True)
    except OSError as error:
        raise StartError(f"{file} cannot be read: {error.strerror}.") from error
    except (ValueError, msgspec.ValidationError) as error:
        raise StartError(f"{file}: {error}.") from error
    plan = msgspec.structs.replace(
        plan,
        upstreams=(*plan.upstreams, *upstreams),
        routes=plan.routes | dict(map(_route, routes)),
        deny=(*plan.deny, *deny),
    )
    _check(plan)
    return plan


def _route(text: str) -> tuple[str, tuple[str, ...]]:
    prefix, _, upstreams = text.partition("=")
    return prefix, tuple(filter(None, upstreams.split(",")))


def _check(plan: Plan) -> None:
    if not plan.addresses:
        raise StartError("A gateway needs at least one upstream: --upstream http://127.0.0.1:6688.")
    if len(plan.addresses) > MAX_UPSTREAMS:
        raise StartError(f"A gateway has at most {MAX_UPSTREAMS} upstreams.")
    for prefix, upstreams in plan.routes.items():
        if not prefix.startswith("/") or not upstreams:
            raise StartError(f"The route {prefix!r} needs a path and upstreams: /path=http://host:port,unix:/path.")
    if plan.health_path and not plan.health_path.startswith("/"):
        raise StartError(f"health_path {plan.health_path!r} must begin with a slash.")
    for name, value in msgspec.structs.asdict(plan).items():
        if isinstance(value, int | float) and not 0 < value < 2**31:
            raise StartError(f"{name} must be positive.")


def native_plan(plan: Plan) -> dict[str, Any]:
    """Return the configuration that the native gateway reads. Raises StartError."""
    checks = {
        "path": plan.health_path,
        "interval_seconds": plan.health_interval_seconds,
        "timeout_seconds": plan.health_timeout_seconds,
        "failures": plan.failures,
    }
    alone = {
        "routes": [
            {"prefix": prefix, "upstreams": list(map(_address, upstreams))} for prefix, upstreams in plan.routes.items()
        ],
        "denied": list(map(_denied, plan.deny)),
        "checks": checks if plan.health_path else None,
        "failures": plan.failures,
        "pause_seconds": plan.pause_seconds,
        "longest_pause_seconds": plan.longest_pause_seconds,
        "answer_seconds": plan.answer_seconds,
        "roots": _roots(plan),
    }
    return {"upstreams": list(map(_address, plan.upstreams)), "alone": alone}


def _address(text: str) -> str:
    """Return the native form of `unix:/path`, `http://host:port`, `https://host:port` or `host:port`."""
    if text.startswith("unix:/"):
        return text
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/") or parts.query:
        raise StartError(f"{text!r} is not an upstream: unix:/path, http://host:port or https://host:port.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    secure = parts.scheme == "https"
    return f"{'tls' if secure else 'tcp'}:{host}:{port or (443 if secure else 80)}"


def _denied(text: str) -> dict[str, str | None]:
    method, _, prefix = text.rpartition(" ")
    if not prefix.startswith("/") or (method and not METHODS.fullmatch(method)):
        raise StartError(f"{text!r} is not a request to deny: /path or 'METHOD /path'.")
    return {"method": method or None, "prefix": prefix}


def _roots(plan: Plan) -> str:
    if not any(address.startswith("https:") for address in plan.addresses):
        return ""
    # Imported here because few gateways need it.
    import ssl

    paths = ssl.get_default_verify_paths()
    usual = [Path(each) for each in (paths.cafile, paths.openssl_cafile, *SYSTEM_ROOTS) if each]
    file = Path(plan.upstream_ca or next((each for each in usual if each.is_file()), usual[0]))
    try:
        return file.read_text("ascii")
    except (OSError, ValueError) as error:
        raise StartError(f"{file} with the certificates for https upstreams cannot be read: {error}.") from error
