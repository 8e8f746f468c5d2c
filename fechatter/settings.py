"""Every setting, in one frozen tree: defaults < TOML file < environment.

`load_settings` is called once, by the command line; everything else is handed a `Settings`. An unknown key or a bad
value stops the start with `SettingsError`, which names all of them: where each stands and what is wrong with it. A setting is one
line of `Settings`: its type, its limits, what it means, the name operators may know it by, and whether it is a secret.

In the environment a key is `FECHATTER_<KEY>`; lists are separated by commas, switches are on/off, and an empty value
counts as not set.
"""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from fechatter import settings_rules as rules
from fechatter.decoding import is_text, text_of
from fechatter.errors import StartError
from fechatter.foreign_variables import is_foreign

PREFIX = "FECHATTER_"
MASK = "********"

Signup = Literal["invitation", "open"]
LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["auto", "text", "json"]
Role = Literal["api", "workers"]


class Fault(NamedTuple):
    """What the server cannot start with.

    Attributes:
        path: where it stands: `FECHATTER_PORT`, or `chat.toml: port`.
        reason: what is wrong with it, in words for an operator.
    """

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class SettingsError(StartError):
    """Settings that the server cannot start with: every fault that was found, at least one."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


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


def load_settings(config_path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read the settings of this server.

    Args:
        config_path: a TOML file of keys, or None for none.
        environ: the process's environment.

    Raises:
        SettingsError: the file cannot be read, a key is unknown or a value is bad.
    """
    reading = _Reading()
    if config_path is not None:
        reading.file(config_path)
    reading.environment(environ)
    reading.together()
    if reading.faults:
        raise SettingsError(reading.faults)
    return Settings(**reading.values, sources=reading.sources)


class _Reading:
    """What was read so far: the values, where each came from, and all that is wrong."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.sources: dict[str, str] = {}
        self.faults: list[Fault] = []

    def file(self, path: Path) -> None:
        for key, value in self._document(path).items():
            place = f"{path}: {key}"
            if key in _SETTINGS:
                self._take(place, _SETTINGS[key], value, f"file {path}", strict=True)
            else:
                self.faults.append(Fault(place, rules.unknown(key, list(_SETTINGS))))

    def environment(self, environ: Mapping[str, str]) -> None:
        """Read the well-known names first, so that our own names win."""
        environ = {name: value for name, value in environ.items() if not is_foreign(name, value)}
        ours = {setting.variable: setting for setting in describe()}
        unknown = [variable for variable in environ if variable.startswith(PREFIX) and variable not in ours]
        self.faults += [Fault(variable, rules.unknown(variable, list(ours), PREFIX)) for variable in unknown]
        aliases = {setting.alias: setting for setting in describe() if setting.alias is not None}
        for variable, setting in (aliases | ours).items():
            if text := environ.get(variable):
                self._take(variable, setting, _parsed(setting, text), f"environment {variable}", strict=False)

    def together(self) -> None:
        """What is wrong with values that are each good by themselves."""
        self.faults += [Fault(PREFIX + key.upper(), reason) for key, reason in rules.check_together(self.values)]

    def _document(self, path: Path) -> dict[str, Any]:
        try:
            return tomllib.loads(text_of(path.read_bytes()))
        except OSError as error:
            self.faults.append(Fault(str(path), f"cannot be read: {error.strerror}"))
        except ValueError as error:
            self.faults.append(Fault(str(path), f"is not TOML: {error}"))
        return {}

    def _take(self, place: str, setting: Setting, value: Any, source: str, *, strict: bool) -> None:
        try:
            self.values[setting.key] = _checked(setting, value, strict=strict)
            self.sources[setting.key] = source
        except ValueError as error:
            self.faults.append(Fault(place, str(error)))


def _parsed(setting: Setting, text: str) -> Any:
    """The value that a variable's text stands for; what it cannot be is left as text, for the check to refuse."""
    match setting.type:
        case msgspec.inspect.BoolType():
            return {"on": True, "off": False}.get(text.lower(), text)
        case msgspec.inspect.VarTupleType():
            return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _checked(setting: Setting, value: Any, *, strict: bool) -> Any:
    """The value in its type; `strict` takes no text for a number, as a file has numbers of its own.

    Raises:
        ValueError: what is wrong with it.
    """
    if not (isinstance(setting.type, msgspec.inspect.CustomType) or is_text(str(value))):
        raise ValueError("is not UTF-8")
    try:
        converted = msgspec.convert(value, setting.annotation, strict=strict, dec_hook=_decode)
    except msgspec.ValidationError as error:
        raise ValueError(f"must be {rules.wanted(setting.type)}") from error
    return rules.check(setting.key, converted)


def _decode(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str) and value:
        return Path(value).expanduser()
    raise ValueError("not a path")


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
