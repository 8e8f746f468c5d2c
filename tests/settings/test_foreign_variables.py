"""Variables that Kubernetes and Docker set for a service named `fechatter` are not settings."""

from __future__ import annotations

import pytest

from fechatter.settings import Settings, SettingsError, load_settings

KUBERNETES = {
    "FECHATTER_SERVICE_HOST": "10.0.0.1",
    "FECHATTER_SERVICE_PORT": "6688",
    "FECHATTER_SERVICE_PORT_HTTP": "6688",
    "FECHATTER_SERVICE_PORT_HTTP_METRICS": "9100",
    "FECHATTER_PORT": "tcp://10.0.0.1:6688",
    "FECHATTER_PORT_6688_TCP": "tcp://10.0.0.1:6688",
    "FECHATTER_PORT_6688_TCP_PROTO": "tcp",
    "FECHATTER_PORT_6688_TCP_PORT": "6688",
    "FECHATTER_PORT_6688_TCP_ADDR": "10.0.0.1",
    "FECHATTER_PORT_5353_UDP": "udp://10.0.0.1:5353",
    "FECHATTER_PORT_132_SCTP_ADDR": "fd00::1",
}
OTHER_SERVICES = {
    "FECHATTER_WEB_SERVICE_HOST": "10.0.0.2",
    "FECHATTER_WEB_SERVICE_PORT": "80",
    "FECHATTER_WEB_PORT": "tcp://[fd00::2]:80",
    "FECHATTER_WEB_PORT_80_TCP_ADDR": "fd00::2",
    "FECHATTER_NATS_0_SERVICE_PORT_CLIENT": "4222",
}
DOCKER = {
    "FECHATTER_NAME": "/bot/fechatter",
    "FECHATTER_PORT": "tcp://172.17.0.5:6688",
    "FECHATTER_PORT_6688_TCP": "tcp://172.17.0.5:6688",
    "FECHATTER_PORT_6688_TCP_START": "tcp://172.17.0.5:6688",
    "FECHATTER_PORT_6688_TCP_PORT_END": "6690",
    "FECHATTER_ENV_JWT_SECRET": "what the other container has",
    "FECHATTER_DB_ENV_POSTGRES_PASSWORD": "x",
    "FECHATTER_DB_NAME": "/fechatter/fechatter-db",
}


@pytest.mark.parametrize("environ", [KUBERNETES, OTHER_SERVICES, DOCKER])
def test_variables_of_a_service_with_the_programs_name_are_ignored(environ: dict[str, str]) -> None:
    assert load_settings(None, environ) == Settings()


def test_settings_among_foreign_variables_are_read() -> None:
    settings = load_settings(
        None, {**KUBERNETES, "FECHATTER_PORT": "8000", "FECHATTER_NAME": "Ours", "FECHATTER_CONFIG": "chat.toml"}
    )
    assert (settings.port, settings.name) == (8000, "Ours")
    assert load_settings(None, {**KUBERNETES, "PORT": "8000"}).port == 8000


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("FECHATTER_PORT", "http://10.0.0.1", "must be a whole number"),
        ("FECHATTER_PORT", "tcp://", "must be a whole number"),
        ("FECHATTER_PORTS", "tcp://10.0.0.1:6688", "did you mean FECHATTER_PORT?"),
        ("FECHATTER_SERVICE", "fechatter", "there is no such setting"),
        ("FECHATTER_TLS_CERT", "/srv/chat.pem", "did you mean FECHATTER_TLS_CERTIFICATE?"),
        ("FECHATTER_WEB_NAME", "Ours", "there is no such setting"),
    ],
)
def test_a_variable_that_could_be_a_mistyped_setting_is_refused(variable: str, value: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=f"^{variable}: .*{reason}".replace("?", "\\?")):
        load_settings(None, {variable: value})


def test_a_name_that_looks_like_a_path_is_a_name() -> None:
    assert load_settings(None, {"FECHATTER_NAME": "/dev/null"}).name == "/dev/null"
