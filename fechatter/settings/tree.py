"""Every setting of a server, in one frozen tree.

A setting is one line of `Settings`: its type, its limits, its meaning, its well-known alias, whether it is a secret, and
whether a part of the server reads it.
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
Role = Literal["api", "workers"]


def _key(description: str, *, alias: str | None = None, secret: bool = False, unused: bool = False, **limits: Any) -> msgspec.Meta:
    """What is known of a setting beside its type; `unused` means no part of the server reads it yet."""
    return msgspec.Meta(description=description, extra={"alias": alias, "secret": secret, "unused": unused}, **limits)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one server, checked.

    `sources` tells for each key that was set where its value came from; a key it lacks has its default.
    """

    data_dir: Annotated[Path, _key("Folder of everything the server keeps: database, files, secrets.")] = Path("data")
    host: Annotated[str, _key("Address to listen on.", alias="HOST", min_length=1)] = "127.0.0.1"
    port: Annotated[int, _key("Port to listen on; 0 takes a free one.", alias="PORT", ge=0, le=65535)] = 6688
    public_url: Annotated[str | None, _key("Address people reach the server at; links and cookies follow it.")] = None
    tls_certificate: Annotated[
        Path | None, _key("PEM file of the certificate and those above it, to serve https; SIGHUP reads it again.")
    ] = None
    tls_key: Annotated[Path | None, _key("PEM file of the certificate's private key; SIGHUP reads it again.")] = None
    name: Annotated[str, _key("Name of this server, shown to people.", min_length=1, max_length=64)] = "Fechatter"
    signup: Annotated[Signup, _key("Who may sign up: by `invitation`, or `open` to new workspaces.")] = "invitation"
    trusted_proxies: Annotated[tuple[str, ...], _key("Networks whose X-Forwarded-* headers are believed.")] = ()
    cors_origins: Annotated[tuple[str, ...], _key("Origins whose pages may call the API with a token; `*` means all.")] = ()
    rate_limits: Annotated[bool, _key("Limit how often guessing may fail, and how much one person or address may ask.")] = True
    requests_per_minute: Annotated[int, _key("Most requests of one person, but for sends.", ge=60, le=10_000_000)] = 6_000
    messages_per_minute: Annotated[int, _key("Most messages one person sends.", ge=60, le=10_000_000)] = 6_000
    stranger_requests_per_minute: Annotated[
        int, _key("Most requests of one address to what answers without sign-in.", ge=60, le=10_000_000)
    ] = 6_000
    stranger_requests_at_once: Annotated[int, _key("Most such requests of one address at the same time.", ge=1, le=100_000)] = 1_500
    roles: Annotated[tuple[Role, ...], _key("Parts of the server this process runs.", unused=True, min_length=1)] = ("api",)

    database_url: Annotated[
        str | None,
        _key(
            "postgres://… or sqlite:///path; not set means SQLite in the data folder.",
            alias="DATABASE_URL",
            secret=True,
        ),
    ] = None
    connection_limit: Annotated[int, _key("Most connections to the database.", alias="CONNECTION_LIMIT", ge=3, le=1000)] = 10
    nats_url: Annotated[str | None, _key("NATS with JetStream; not set means one process.", alias="NATS_URL", secret=True)] = None
    redis_url: Annotated[str | None, _key("Valkey or Redis, for what many nodes share.", alias="REDIS_URL", secret=True, unused=True)] = (
        None
    )
    meilisearch_url: Annotated[str | None, _key("Meilisearch, for search at scale.", alias="MEILISEARCH_URL", unused=True)] = None
    meilisearch_key: Annotated[str | None, _key("Key of Meilisearch.", alias="MEILISEARCH_KEY", secret=True, unused=True)] = None
    cache_ttl_seconds: Annotated[int, _key("How long a cached answer is kept.", alias="CACHE_TTL_SECONDS", unused=True, ge=1)] = 300
    enable_circuit_breaker: Annotated[
        bool,
        _key("Rest a failing outside service before asking it again.", alias="ENABLE_CIRCUIT_BREAKER", unused=True),
    ] = True

    jwt_secret: Annotated[
        str | None,
        _key("Signs access tokens, 32 bytes or more; not set means one made and kept.", alias="JWT_SECRET", secret=True),
    ] = None
    token_expiry_seconds: Annotated[int, _key("Life of an access token.", alias="TOKEN_EXPIRY_SECONDS", ge=60, le=86_400)] = 900
    session_days: Annotated[int, _key("Life of a session that is not used.", ge=1, le=3650)] = 30

    event_log_days: Annotated[int, _key("How long events are kept for replay.", ge=1, le=3650)] = 30
    replay_events: Annotated[int, _key("Most events one replay delivers.", ge=1, le=100_000)] = 1000
    replay_scan_events: Annotated[int, _key("Most events one replay looks at.", ge=1, le=10_000_000)] = 50_000
    streams_per_person: Annotated[int, _key("Most live streams of one person at once on one node.", ge=1, le=100_000)] = 20
    heartbeat_seconds: Annotated[int, _key("Pause between the heartbeats of a live stream.", ge=1, le=300)] = 20
    idempotency_days: Annotated[int, _key("How long an idempotency key is remembered.", ge=7, le=3650)] = 7

    message_retention_days: Annotated[int, _key("Messages older than this many days are emptied; 0 keeps them.", ge=0, le=36_500)] = 0
    audit_days: Annotated[int, _key("How long administrative acts stay in the audit log.", ge=1, le=36_500)] = 365

    metrics_token: Annotated[str | None, _key("Bearer token that reads /metrics, 16 characters or more.", secret=True)] = None

    log_level: Annotated[LogLevel, _key("Least severe line that is logged.")] = "info"
    access_log: Annotated[bool, _key("Log a line for each request; under load that costs nearly as much as a send.")] = False
    log_format: Annotated[LogFormat, _key("`text`, `json`, or `auto`: text on a terminal, else json.")] = "auto"

    sources: dict[str, str] = {}

    @property
    def database_address(self) -> str:
        """`database_url`, or the database file in the data folder as `sqlite:///path`."""
        return self.database_url or f"sqlite://{(self.data_dir / 'fechatter.db').absolute()}"

    def unused(self) -> list[str]:
        """Names of the settings that were set though no part of the server reads them yet, in order."""
        return [setting.key for setting in describe() if setting.unused and setting.key in self.sources]

    def shown(self) -> Iterator[tuple[str, str, str]]:
        """Key, value and source of each setting, fit to be shown: secrets are masked."""
        for setting in describe():
            value = getattr(self, setting.key)
            yield setting.key, shown(value, secret=setting.secret), self.sources.get(setting.key, "default")

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{key}={value}' for key, value, _ in self.shown())})"


class Setting(NamedTuple):
    """What the table of settings says of one of them."""

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
    """Every setting, in the order of the tree."""
    return list(_SETTINGS.values())


def shown(value: Any, *, secret: bool = False) -> str:
    """A setting's value as text for people; of a secret address only what is none, of another secret nothing."""
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
