"""Settings from defaults, the file and the environment."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fechatter.settings import SettingFault, Settings, SettingsError, describe, load_settings
from fechatter.settings.rules import without_password

SECRET = "a secret of at least 32 bytes ..."


def refusals(environ: dict[str, str], config: Path | None = None) -> list[SettingFault]:
    with pytest.raises(SettingsError) as caught:
        load_settings(config, environ)
    return caught.value.faults


def refusal(environ: dict[str, str], config: Path | None = None) -> SettingFault:
    [fault] = refusals(environ, config)
    return fault


def config_file(folder: Path, text: str) -> Path:
    path = folder / "chat.toml"
    path.write_text(text)
    return path


def test_all_settings_have_defaults() -> None:
    settings = load_settings(None, {})
    assert settings == Settings()
    assert (settings.host, settings.port, settings.data_dir) == ("127.0.0.1", 6688, Path("data"))
    assert settings.unused() == []


def test_the_environment_overrides_the_file_and_the_file_overrides_the_default(tmp_path: Path) -> None:
    path = config_file(tmp_path, 'port = 7000\nname = "Ours"\n')
    settings = load_settings(path, {"FECHATTER_PORT": "7001"})
    assert (settings.port, settings.name, settings.signup) == (7001, "Ours", "invitation")
    assert settings.sources == {"port": "environment FECHATTER_PORT", "name": f"file {path}"}


def test_environment_values_are_converted_to_the_type_of_their_setting() -> None:
    settings = load_settings(
        None,
        {
            "FECHATTER_RATE_LIMITS": "off",
            "FECHATTER_TRUSTED_PROXIES": "10.0.0.0/8, ::1",
            "FECHATTER_DATA_DIR": "/srv/chat",
            "FECHATTER_SESSION_DAYS": "90",
            "FECHATTER_PUBLIC_URL": "https://chat.example.org/",
        },
    )
    assert settings.rate_limits is False
    assert settings.trusted_proxies == ("10.0.0.0/8", "::1")
    assert settings.data_dir == Path("/srv/chat")
    assert settings.session_days == 90
    assert settings.public_url == "https://chat.example.org"


def test_origins_are_stored_as_browsers_send_them() -> None:
    settings = load_settings(None, {"FECHATTER_CORS_ORIGINS": "HTTPS://App.Example.org:443/, http://bücher.example, *"})
    assert settings.cors_origins == ("https://app.example.org", "http://xn--bcher-kva.example", "*")


def test_an_invisible_server_name_is_refused() -> None:
    assert refusal({"FECHATTER_NAME": "\u3164"}).reason == "is not a valid name: Enter at least one visible character."


@pytest.mark.parametrize("word", ["on", "ON", "true", "1"])
def test_the_usual_words_turn_a_switch_on(word: str) -> None:
    assert load_settings(None, {"ENABLE_CIRCUIT_BREAKER": word}).enable_circuit_breaker is True


@pytest.mark.parametrize(
    ("variable", "key", "text", "value"),
    [
        ("HOST", "host", "0.0.0.0", "0.0.0.0"),
        ("PORT", "port", "80", 80),
        ("DATABASE_URL", "database_url", "postgres://h/db", "postgres://h/db"),
        ("REDIS_URL", "redis_url", "redis://h", "redis://h"),
        ("NATS_URL", "nats_url", "nats://h:4222", "nats://h:4222"),
        ("MEILISEARCH_URL", "meilisearch_url", "http://h:7700", "http://h:7700"),
        ("MEILISEARCH_KEY", "meilisearch_key", "key", "key"),
        ("JWT_SECRET", "jwt_secret", SECRET, SECRET),
        ("TOKEN_EXPIRY_SECONDS", "token_expiry_seconds", "600", 600),
        ("CONNECTION_LIMIT", "connection_limit", "20", 20),
        ("CACHE_TTL_SECONDS", "cache_ttl_seconds", "60", 60),
        ("ENABLE_CIRCUIT_BREAKER", "enable_circuit_breaker", "false", False),
    ],
)
def test_the_original_setting_names_are_accepted(variable: str, key: str, text: str, value: object) -> None:
    settings = load_settings(None, {variable: text})
    assert getattr(settings, key) == value
    assert settings.sources == {key: f"environment {variable}"}


def test_the_prefixed_name_overrides_the_original_name() -> None:
    assert load_settings(None, {"FECHATTER_PORT": "2", "PORT": "1"}).port == 2


def test_an_empty_variable_counts_as_not_set() -> None:
    assert load_settings(None, {"FECHATTER_DATABASE_URL": "", "PORT": ""}) == Settings()


def test_an_unknown_variable_is_refused_with_a_suggestion() -> None:
    error = refusal({"FECHATTER_PROT": "1"})
    assert (error.path, error.reason) == (
        "FECHATTER_PROT",
        "there is no such setting; did you mean FECHATTER_PORT?",
    )


def test_an_unknown_key_in_the_file_is_refused(tmp_path: Path) -> None:
    path = config_file(tmp_path, "prot = 1")
    error = refusal({}, path)
    assert (error.path, error.reason) == (f"{path}: prot", "there is no such setting; did you mean port?")


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({"FECHATTER_PORT": "70000"}, "must be a whole number from 0 to 65535"),
        ({"PORT": "http"}, "must be a whole number from 0 to 65535"),
        ({"FECHATTER_SIGNUP": "closed"}, "must be one of invitation, open"),
        ({"FECHATTER_RATE_LIMITS": "maybe"}, "must be on or off"),
        ({"FECHATTER_IDEMPOTENCY_DAYS": "1"}, "must be a whole number from 7 to 3650"),
        ({"JWT_SECRET": "short"}, "is 5 bytes long; at least 32 are required"),
        ({"DATABASE_URL": "mysql://h/db"}, "must begin with postgres:// or postgresql:// or sqlite://"),
        ({"DATABASE_URL": "postgres://ada:ab/cd@h/db"}, "has an invalid port; in a password, write / as %2F"),
        ({"DATABASE_URL": "postgres:ada:secret@h"}, "must begin with postgres:// or postgresql:// or sqlite://"),
        ({"DATABASE_URL": "sqlite://"}, "must name a file, as in sqlite:///srv/chat/chat.db"),
        ({"FECHATTER_PUBLIC_URL": "https://h/chat"}, "must be scheme, host and port only"),
        ({"FECHATTER_TRUSTED_PROXIES": "proxy"}, "'proxy' is not an address or a network"),
        ({"NATS_URL": "nats://a,b"}, "must begin with nats:// or tls://"),
        ({"REDIS_URL": "redis://"}, "has no host"),
    ],
)
def test_an_invalid_value_is_refused_with_its_variable_and_a_reason(environ: dict[str, str], reason: str) -> None:
    error = refusal(environ)
    assert error.path == next(iter(environ))
    assert error.reason.startswith(reason)


@pytest.mark.parametrize(
    ("environ", "variable"),
    [
        ({"FECHATTER_TLS_KEY": "k"}, "FECHATTER_TLS_CERTIFICATE"),
        ({"FECHATTER_TLS_CERTIFICATE": "c"}, "FECHATTER_TLS_KEY"),
        ({"FECHATTER_PROXY_PROTOCOL": "on"}, "FECHATTER_TRUSTED_PROXIES"),
        (
            {
                "FECHATTER_PROXY_PROTOCOL": "on",
                "FECHATTER_TRUSTED_PROXIES": "::1",
                "FECHATTER_GATEWAY": "off",
            },
            "FECHATTER_PROXY_PROTOCOL",
        ),
        ({"FECHATTER_TLS_FOLDER": "f"}, "FECHATTER_TLS_CERTIFICATE"),
        (
            {"FECHATTER_GATEWAY": "off", "FECHATTER_TLS_CERTIFICATE": "c", "FECHATTER_TLS_KEY": "k"},
            "FECHATTER_TLS_CERTIFICATE",
        ),
    ],
)
def test_certificate_settings_that_do_not_fit_each_other_are_refused(environ: dict[str, str], variable: str) -> None:
    assert refusal(environ).path == variable


def test_an_invalid_value_in_the_file_is_refused(tmp_path: Path) -> None:
    path = config_file(tmp_path, 'port = "6688"')
    assert str(refusal({}, path)) == f"{path}: port: must be a whole number from 0 to 65535"


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    path = config_file(tmp_path, 'prot = 1\nsession_days = 0\nname = "Ours"\n')
    faults = refusals({"FECHATTER_SIGNUP": "closed", "HOST": "h", "PORT": "http", "FECHATTER_NOTHING": "1"}, path)
    assert [fault.path for fault in faults] == [
        f"{path}: prot",
        f"{path}: session_days",
        "FECHATTER_NOTHING",
        "PORT",
        "FECHATTER_SIGNUP",
    ]


def test_an_unreadable_or_malformed_file_is_refused(tmp_path: Path) -> None:
    assert refusal({}, tmp_path / "none.toml").reason == "cannot be read: No such file or directory"
    assert refusal({}, config_file(tmp_path, "port: 1")).reason.startswith("is not TOML")


def test_settings_without_effect_are_listed() -> None:
    settings = load_settings(None, {"REDIS_URL": "redis://h", "PORT": "1", "CACHE_TTL_SECONDS": "5"})
    assert settings.unused() == ["redis_url", "cache_ttl_seconds"]


def test_secrets_are_never_shown() -> None:
    settings = load_settings(
        None,
        {
            "JWT_SECRET": SECRET,
            "DATABASE_URL": "postgres://me:hunter2@h/db?password=hunter2",
            "MEILISEARCH_KEY": "hunter2",
        },
    )
    text = repr(settings) + str(list(settings.shown()))
    assert SECRET not in text
    assert "hunter2" not in text
    assert "postgres://********@h/db?********" in text


@given(password=st.text(st.characters(exclude_characters="*", min_codepoint=33, max_codepoint=126), min_size=1))
def test_every_password_in_an_address_is_masked(password: str) -> None:
    assert without_password(f"postgres://me:{password}@host/db") == "postgres://********@host/db"


def test_every_setting_has_a_description() -> None:
    for setting in describe():
        assert setting.description.endswith("."), setting.key
        assert setting.variable == f"FECHATTER_{setting.key.upper()}"


def test_the_example_file_names_existing_settings() -> None:
    example = Path(__file__).parents[2] / ".env.example"
    variables = [
        line.removeprefix("#").split("=")[0] for line in example.read_text().splitlines() if line[:11] == "#FECHATTER_"
    ]
    assert set(variables) <= {setting.variable for setting in describe()}
    assert variables
