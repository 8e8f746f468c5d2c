"""Rules for the values of settings, beyond their types. Only `fechatter.settings` calls them."""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from msgspec import inspect

from fechatter.canonical.names import name_errors
from fechatter.canonical.networks import Network, parse_network
from fechatter.canonical.web_origins import parse_origin

DATABASE_SCHEMES = ("postgres", "postgresql", "sqlite")
SECRET_BYTES = 32
NAME_CHARACTERS = 64
UNIX = "unix"
"""The name of the clients of a Unix socket in `trusted_proxies`."""


def unknown(name: str, known: list[str], prefix: str = "") -> str:
    """Return the error for a name that is not a setting. It suggests the most similar setting."""
    close = difflib.get_close_matches(name.removeprefix(prefix), [key.removeprefix(prefix) for key in known], n=1)
    return "there is no such setting" + (f"; did you mean {prefix}{close[0]}?" if close else "")


def check(key: str, value: Any) -> Any:
    """Return the value of a key in the form that the server uses.

    Raises:
        ValueError: the value is invalid; the message states why.
    """
    if isinstance(value, Path) and "\0" in str(value):
        raise ValueError("contains a null character, which paths cannot contain")
    rule = _RULES.get(key)
    return value if rule is None or value is None else rule(value)


def check_together(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each key that is missing or does not fit the others, and why."""
    for key, other in (("tls_key", "tls_certificate"), ("tls_certificate", "tls_key")):
        if other in values and key not in values:
            yield key, f"is required because {other} is set"
    if "tls_folder" in values and "tls_certificate" not in values:
        yield "tls_certificate", "is required because tls_folder is set: clients that ask for another name receive it"
    if not values.get("gateway", True):
        if "tls_certificate" in values:
            yield "tls_certificate", "needs gateway = on; with gateway = off, your own proxy does TLS"
        yield from ((key, "needs gateway = on") for key in ("unix_socket", "proxy_protocol") if values.get(key))
    if values.get("proxy_protocol") and not values.get("trusted_proxies"):
        yield "trusted_proxies", "is required because proxy_protocol is set: only these proxies may send the header"


def without_password(url: str) -> str:
    """Return the URL with its credentials masked, and its query too, which may contain credentials.

    The URL is not parsed, so that a password that was not escaped stays hidden as well.
    """
    return re.sub(r"[?#].*", "?********", re.sub(r"//.*@", "//********@", url))


def wanted(kind: inspect.Type) -> str:
    """Describe the values of this type."""
    match kind:
        case inspect.BoolType():
            return "on or off"
        case inspect.IntType(ge=least, le=most):
            return f"a whole number of {least} or more" if most is None else f"a whole number from {least} to {most}"
        case inspect.LiteralType(values=values):
            return f"one of {', '.join(map(str, values))}"
        case inspect.StrType(max_length=int(most)):
            return f"text of 1 to {most} characters"
        case inspect.VarTupleType(item_type=item):
            return f"a list, each {wanted(item)}"
        case inspect.UnionType(types=types):
            return wanted(next(part for part in types if not isinstance(part, inspect.NoneType)))
        case inspect.CustomType():
            return "a path"
    return "text"


def _address(url: str, schemes: tuple[str, ...]) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise ValueError("is not a valid URL") from error
    if parts.scheme not in schemes:
        raise ValueError(f"must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    return parts


def _needs_host(*schemes: str) -> Callable[[str], str]:
    def rule(url: str) -> str:
        if not _address(url, schemes).hostname:
            raise ValueError("has no host")
        return url

    return rule


def _public_url(url: str) -> str:
    return str(parse_origin(url))


def _database_url(url: str) -> str:
    # A URL for PostgreSQL may name several hosts or none, so only the driver can check the rest.
    if url.startswith(("postgres://", "postgresql://")):
        _check_ports(url)
        return url
    # Without its slashes, as in `postgres:ada@h`, a URL is not a file name.
    parts = _address(url if url.startswith("sqlite://") else "", DATABASE_SCHEMES)
    if parts.netloc or parts.path in ("", "/"):
        raise ValueError("must name a file, as in sqlite:///srv/chat/chat.db")
    return url


def _check_ports(url: str) -> None:
    """Raises ValueError: a port is not a number, for example because a password contains `/`.

    The driver's own error would contain the password.
    """
    authority = re.split("[/?#]", url.partition("://")[2], maxsplit=1)[0]
    for host in authority.rpartition("@")[2].split(","):
        port = host.rpartition("]")[2].partition(":")[2]
        if not re.fullmatch("[0-9]{0,5}", port):
            raise ValueError("has an invalid port; in a password, write / as %2F, ? as %3F, # as %23")


def _origins(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(value if value == "*" else _public_url(value) for value in values)


def _proxies(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(value if value == UNIX else _shortest(parse_network(value)) for value in values)


def _shortest(network: Network) -> str:
    """Return the network as text; a network with one address is returned as that address."""
    return str(network.network_address if network.prefixlen == network.max_prefixlen else network)


def _secret(value: str) -> str:
    if (count := len(value.encode())) < SECRET_BYTES:
        raise ValueError(f"is {count} bytes long; at least {SECRET_BYTES} are required")
    return value


def _metrics_token(value: str) -> str:
    if not re.fullmatch(r"[\x21-\x7e]{16,}", value):
        raise ValueError("must be at least 16 ASCII characters without spaces")
    return value


def _nats_url(value: str) -> str:
    for url in value.split(","):
        _needs_host("nats", "tls")(url.strip())
    return value


def _name(value: str) -> str:
    for error in name_errors("", value, NAME_CHARACTERS):
        raise ValueError(f"is not a valid name: {error.detail}")
    return value


_RULES: dict[str, Callable[[Any], Any]] = {
    "cors_origins": _origins,
    "database_url": _database_url,
    "jwt_secret": _secret,
    "meilisearch_url": _needs_host("http", "https"),
    "metrics_token": _metrics_token,
    "name": _name,
    "nats_url": _nats_url,
    "public_url": _public_url,
    "redis_url": _needs_host("redis", "rediss"),
    "trusted_proxies": _proxies,
}
