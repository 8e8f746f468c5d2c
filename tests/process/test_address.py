"""The listening address in messages of the server."""

from __future__ import annotations

import pytest

from fechatter.errors import StartError
from fechatter.process.address import bind
from fechatter.settings import Settings, load_settings
from fechatter.settings.urls import local_url


def test_an_unusable_host_is_reported_with_the_variable_that_set_it() -> None:
    with pytest.raises(
        StartError, match=r"on no\.invalid \(from environment HOST\) cannot be used .*; set FECHATTER_HOST"
    ):
        bind(load_settings(None, {"HOST": "no.invalid"}))


def test_a_default_value_is_reported_without_a_source() -> None:
    with pytest.raises(StartError, match=r"^Port 6688 on no\.invalid cannot be used"):
        bind(Settings(host="no.invalid"))


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:6688"),
        ("chat.local", "http://chat.local:6688"),
        ("0.0.0.0", "http://127.0.0.1:6688"),
        ("::", "http://[::1]:6688"),
        ("fe80::1", "http://[fe80::1]:6688"),
    ],
)
def test_the_printed_address_can_be_opened_on_this_machine(host: str, address: str) -> None:
    assert local_url(host, 6688) == address
