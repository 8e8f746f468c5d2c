"""Every setting of a server, in one frozen tree.

A setting is one line of `Settings`: its type, its limits, its meaning, its well-known alias, whether it is a secret,
and whether a part of the server reads it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from fechatter.settings import rules

PREFIX = "FECHATTER_"
MASK = "********"

Signup = Literal["invitation", "open"]
LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["auto", "text", "json"]
ProxyHeaders = Literal["x-forwarded", "forwarded"]
Role = Literal["api", "workers"]


def _key(
    description: str, *, alias: str | None = None, secret: bool = False, unused: bool = False, **limits: Any
) -> msgspec.Meta:
    """Describe a setting. `unused` means that no part of the server reads it yet; a test compares it with the code."""
    return msgspec.Meta(description=description, extra={"alias": alias, "secret": secret, "unused": unused}, **limits)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The checked settings of one server.

    `sources` maps each key that was set to the source of its value. Every other key has its default value.
    """

    data_dir: Annotated[Path, _key("Folder for the database, files and secrets.")] = Path("data")
    host: Annotated[str, _key("Address to listen on.", alias="HOST", min_length=1)] = "127.0.0.1"
    port: Annotated[int, _key("Port to listen on; 0 selects a free port.", alias="PORT", ge=0, le=65535)] = 6688
    unix_socket: Annotated[
        Path | None, _key("Unix socket to listen on too, for a proxy on the same machine; needs the gateway.")
    ] = None
    reuse_port: Annotated[
        bool, _key("Let several servers listen on the same port; the kernel distributes connections (SO_REUSEPORT).")
    ] = False
    public_url: Annotated[str | None, _key("URL at which people reach the server; links and cookies use it.")] = None
    tls_certificate: Annotated[
        Path | None, _key("PEM file with the certificate chain, to serve HTTPS; changes are loaded.")
    ] = None
    tls_key: Annotated[Path | None, _key("PEM file with the certificate's private key; changes are loaded.")] = None
    tls_folder: Annotated[
        Path | None,
        _key("Folder of more certificates, each a folder with fullchain.pem and privkey.pem, as certbot writes them."),
    ] = None
    gateway: Annotated[
        bool, _key("`on`: the Rust gateway accepts the connections; `off`: Granian does, without TLS, behind a proxy.")
    ] = True
    connections_per_address: Annotated[
        int, _key("Maximum connections of one client address to the gateway; 0: a quarter of all.", ge=0, le=1_000_000)
    ] = 0
    response_cache_bytes: Annotated[
        int, _key("Memory in which the gateway keeps responses, to repeat them; 0: none.", ge=0, le=1 << 40)
    ] = 64 << 20
    name: Annotated[str, _key("Name of this server, shown to people.", min_length=1, max_length=64)] = "Fechatter"
    signup: Annotated[
        Signup, _key("Who can sign up: `invitation`, invited people only; `open`, anyone, with a new workspace.")
    ] = "invitation"
    trusted_proxies: Annotated[
        tuple[str, ...], _key("Proxies that name the client: networks, or `unix` for clients of a Unix socket.")
    ] = ()
    proxy_headers: Annotated[
        ProxyHeaders,
        _key(
            "Headers that these proxies set: `x-forwarded`, X-Forwarded-For and X-Forwarded-Proto; `forwarded`, "
            "Forwarded (RFC 7239)."
        ),
    ] = "x-forwarded"
    proxy_protocol: Annotated[
        bool, _key("Whether connections of these proxies begin with a PROXY protocol header; needs the gateway.")
    ] = False
    cors_origins: Annotated[
        tuple[str, ...], _key("Origins whose pages may call the API with a token; `*` allows all.")
    ] = ()
    rate_limits: Annotated[
        bool,
        _key(
            "Limit failed sign-ins and similar attempts, and requests per person or address; share the server fairly."
        ),
    ] = True
    requests_per_minute: Annotated[
        int, _key("Maximum requests per person and minute, sends excluded.", ge=60, le=10_000_000)
    ] = 6_000
    messages_per_minute: Annotated[
        int, _key("Maximum messages that one person can send per minute.", ge=60, le=10_000_000)
    ] = 6_000
    stranger_requests_per_minute: Annotated[
        int, _key("Maximum requests per address and minute to endpoints that need no sign-in.", ge=60, le=10_000_000)
    ] = 6_000
    stranger_requests_at_once: Annotated[
        int, _key("Maximum concurrent requests per address to endpoints that need no sign-in.", ge=1, le=100_000)
    ] = 1_500
    roles: Annotated[
        tuple[Role, ...], _key("Parts of the server that this process runs.", unused=True, min_length=1)
    ] = ("api",)

    database_url: Annotated[
        str | None,
        _key(
            "postgres://… or sqlite:///path; not set: SQLite in the data folder.",
            alias="DATABASE_URL",
            secret=True,
        ),
    ] = None
    connection_limit: Annotated[
        int, _key("Maximum connections to the database.", alias="CONNECTION_LIMIT", ge=3, le=1000)
    ] = 10
    nats_url: Annotated[
        str | None,
        _key(
            "NATS with JetStream, which connects several processes; not set: one process.",
            alias="NATS_URL",
            secret=True,
        ),
    ] = None
    redis_url: Annotated[
        str | None, _key("Valkey or Redis, for data that nodes share.", alias="REDIS_URL", secret=True, unused=True)
    ] = None
    meilisearch_url: Annotated[
        str | None, _key("Meilisearch, for full-text search.", alias="MEILISEARCH_URL", unused=True)
    ] = None
    meilisearch_key: Annotated[
        str | None, _key("API key of Meilisearch.", alias="MEILISEARCH_KEY", secret=True, unused=True)
    ] = None
    cache_ttl_seconds: Annotated[
        int, _key("Lifetime of a cached response.", alias="CACHE_TTL_SECONDS", unused=True, ge=1)
    ] = 300
    enable_circuit_breaker: Annotated[
        bool,
        _key("Pause requests to an external service that fails.", alias="ENABLE_CIRCUIT_BREAKER", unused=True),
    ] = True

    jwt_secret: Annotated[
        str | None,
        _key(
            "Key that signs access tokens, at least 32 bytes; not set: a generated key in the data folder.",
            alias="JWT_SECRET",
            secret=True,
        ),
    ] = None
    token_expiry_seconds: Annotated[
        int, _key("Lifetime of an access token.", alias="TOKEN_EXPIRY_SECONDS", ge=60, le=86_400)
    ] = 900
    session_days: Annotated[int, _key("Lifetime of an unused session.", ge=1, le=3650)] = 30

    event_log_days: Annotated[int, _key("How long events stay available for replay.", ge=1, le=3650)] = 30
    replay_events: Annotated[int, _key("Maximum events that one replay delivers.", ge=1, le=100_000)] = 1000
    replay_scan_events: Annotated[int, _key("Maximum events that one replay examines.", ge=1, le=10_000_000)] = 50_000
    streams_per_person: Annotated[int, _key("Maximum live streams per person and node.", ge=1, le=100_000)] = 20
    heartbeat_seconds: Annotated[int, _key("Interval between the heartbeats of a live stream.", ge=1, le=300)] = 20
    idempotency_days: Annotated[int, _key("How long an idempotency key is remembered.", ge=7, le=3650)] = 7

    message_retention_days: Annotated[
        int, _key("Age at which messages are emptied; 0 keeps all messages.", ge=0, le=36_500)
    ] = 0
    audit_days: Annotated[int, _key("How long entries stay in the audit log.", ge=1, le=36_500)] = 365

    metrics_token: Annotated[str | None, _key("Bearer token for /metrics, at least 16 characters.", secret=True)] = None

    log_level: Annotated[LogLevel, _key("Least severe level that is logged.")] = "info"
    access_log: Annotated[
        bool, _key("Log one line per request; under load, a line of the app costs nearly as much as a send.")
    ] = False
    log_format: Annotated[LogFormat, _key("`text`, `json`, or `auto`: text on a terminal, otherwise JSON.")] = "auto"

    sources: dict[str, str] = {}

    @property
    def database_address(self) -> str:
        """`database_url`, or the URL of the SQLite file in the data folder."""
        return self.database_url or f"sqlite://{(self.data_dir / 'fechatter.db').absolute()}"

    def unused(self) -> list[str]:
        """Return the settings that were set although no part of the server reads them yet, in order."""
        return [setting.key for setting in describe() if setting.unused and setting.key in self.sources]

    def shown(self) -> Iterator[tuple[str, str, str]]:
        """Yield key, value and source of each setting for display; secrets are masked."""
        for setting in describe():
            value = getattr(self, setting.key)
            yield setting.key, shown(value, secret=setting.secret), self.sources.get(setting.key, "default")

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{key}={value}' for key, value, _ in self.shown())})"


class Setting(NamedTuple):
    """The description of one setting.

    Attributes:
        key: its name in the settings file and in `Settings`.
        type, annotation: the type as `msgspec` describes it, and as declared.
        variable: the environment variable, with the prefix `FECHATTER_`.
        alias: a second environment variable, or None.
        secret: whether the value is masked where it is shown.
        unused: whether no part of the server reads the setting yet.
    """

    key: str
    description: str
    type: msgspec.inspect.Type
    annotation: Any
    default: Any
    variable: str
    alias: str | None
    secret: bool
    unused: bool


def describe() -> list[Setting]:
    """Return every setting, in the order of the tree."""
    return list(_SETTINGS.values())


def shown(value: Any, *, secret: bool = False) -> str:
    """Return a setting's value as text. Secrets are masked; a secret URL keeps its scheme, host and path."""
    if value is None:
        return "(not set)"
    if secret:
        return rules.without_password(value) if "://" in value else MASK
    if isinstance(value, bool):
        return "on" if value else "off"
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _setting(field: msgspec.structs.FieldInfo) -> Setting:
    meta: dict[str, Any] = {}
    for part in field.type.__metadata__:
        meta = {"description": part.description, **part.extra}
    kind = msgspec.inspect.type_info(field.type)
    while isinstance(kind, msgspec.inspect.Metadata):
        kind = kind.type
    return Setting(
        key=field.name,
        type=kind,
        annotation=field.type,
        default=field.default,
        variable=PREFIX + field.name.upper(),
        **meta,
    )


_SETTINGS = {field.name: _setting(field) for field in msgspec.structs.fields(Settings) if field.name != "sources"}
