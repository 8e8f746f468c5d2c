"""The client's address behind any number of proxies. No client can choose its own address."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from fechatter.api.clients import address, public_address
from fechatter.settings import Settings, load_settings

PROXIES = Settings(trusted_proxies=("10.0.0.0/8", "2001:db8:1::/48", "192.0.2.7"))
CLIENT, OTHER = "203.0.113.9", "198.51.100.66"


def request(peer: str | None, *headers: tuple[str, str]) -> Request:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    client = None if peer is None else (peer, 4711)
    return Request(
        {
            "type": "http",
            "method": "GET",
            "path": "/",
            "scheme": "http",
            "query_string": b"",
            "headers": raw,
            "client": client,
        }
    )


def seen(peer: str | None, *forwarded: str, settings: Settings = PROXIES) -> str:
    return address(request(peer, *(("X-Forwarded-For", value) for value in forwarded)), settings)


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", [CLIENT], CLIENT),
        ("10.0.0.1", [f"{OTHER}, {CLIENT}, 10.0.0.2,10.1.2.3"], CLIENT),
        ("10.0.0.1", [f"{OTHER}, {CLIENT}", "10.0.0.2"], CLIENT),
        ("10.0.0.1", [f"{CLIENT}:51234"], CLIENT),
        ("10.0.0.1", ["[2001:db8:9::1]:443"], "2001:db8:9::1"),
        ("10.0.0.1", ["2001:db8:9::1, 2001:db8:1::5"], "2001:db8:9::1"),
        ("2001:db8:1::1", [CLIENT], CLIENT),
        ("::ffff:10.0.0.1", [CLIENT], CLIENT),
        ("10.0.0.1", [f"::ffff:{CLIENT}"], CLIENT),
        ("10.0.0.1", ["10.0.0.2, 10.0.0.3"], "10.0.0.2"),
    ],
)
def test_the_nearest_address_that_is_not_our_proxy_is_the_client(peer: str, forwarded: list[str], client: str) -> None:
    assert seen(peer, *forwarded) == client


@pytest.mark.parametrize(
    "peer", [CLIENT, f"::ffff:{CLIENT}", "2001:db8:2::1", "11.0.0.1", "192.0.2.8", "fe80::1%eth0", "somewhere", ""]
)
def test_headers_of_other_hosts_than_our_proxies_are_ignored(peer: str) -> None:
    assert seen(peer, OTHER) == peer.removeprefix("::ffff:")
    assert seen("10.0.0.1", OTHER, settings=Settings()) == "10.0.0.1"


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        ",,,",
        "unknown",
        "_hidden",
        "localhost",
        "10.0.0.1.2",
        "256.1.1.1",
        "1.2.3.4/8",
        "[::1",
        "::1]:1",
        "1.2.3.4:x",
        "\xff\xfe",
        "a" * 9000,
    ],
)
def test_an_invalid_address_leaves_the_proxy_that_added_it(garbage: str) -> None:
    assert seen("10.0.0.1", garbage) == "10.0.0.1"
    assert seen("10.0.0.1", f"{OTHER}, {garbage}, 10.0.0.9") == "10.0.0.9"
    assert seen("10.0.0.1", f"{garbage}, {CLIENT}") == CLIENT


def test_other_headers_do_not_name_the_client() -> None:
    for name in ("Forwarded", "X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP", "X-Forwarded"):
        assert (
            address(request("10.0.0.1", (name, OTHER if name != "Forwarded" else f"for={OTHER};proto=https")), PROXIES)
            == "10.0.0.1"
        )


def test_a_proxy_that_sets_forwarded_names_the_client_and_its_scheme() -> None:
    settings = Settings(trusted_proxies=PROXIES.trusted_proxies, proxy_headers="forwarded")
    host, forged = ("Host", "chat.example"), ("X-Forwarded-For", OTHER)
    named = request("10.0.0.1", host, forged, ("Forwarded", f'for={OTHER}, for="{CLIENT}:4711";proto=https'))
    assert (address(named, settings), public_address(named, settings)) == (CLIENT, "https://chat.example")
    hidden = request("10.0.0.1", host, forged, ("Forwarded", "for=unknown"), ("X-Forwarded-Proto", "https"))
    assert (address(hidden, settings), public_address(hidden, settings)) == ("10.0.0.1", "http://chat.example")
    stranger = request(CLIENT, host, ("Forwarded", f"for={OTHER};proto=https"))
    assert (address(stranger, settings), public_address(stranger, settings)) == (CLIENT, "http://chat.example")


def test_the_clients_of_a_unix_socket_are_a_proxy_only_if_the_settings_state_it() -> None:
    settings = load_settings(None, {"FECHATTER_TRUSTED_PROXIES": "unix"})
    assert seen(None, CLIENT, settings=settings) == CLIENT
    assert seen("127.0.0.1", CLIENT, settings=settings) == "127.0.0.1"
    assert seen("unix", CLIENT, settings=settings) == "unix"


def test_thousands_of_forged_addresses_cost_little_and_do_not_hide_the_client() -> None:
    assert seen("10.0.0.1", "10.0.0.2," * 5000 + CLIENT) == CLIENT
    assert seen(CLIENT, "10.0.0.2," * 5000 + OTHER) == CLIENT


def test_only_a_proxy_can_set_the_scheme_to_https() -> None:
    headers = (("Host", "chat.example"), ("X-Forwarded-Proto", "https"))
    assert public_address(request("10.0.0.1", *headers), PROXIES) == "https://chat.example"
    assert public_address(request("::ffff:10.0.0.1", *headers), PROXIES) == "https://chat.example"
    assert public_address(request(CLIENT, *headers), PROXIES) == "http://chat.example"
    assert (
        public_address(request("10.0.0.1", headers[0], ("X-Forwarded-Proto", "javascript")), PROXIES)
        == "http://chat.example"
    )
    assert (
        public_address(request("10.0.0.1", headers[0], ("Forwarded", "proto=https")), PROXIES) == "http://chat.example"
    )


@pytest.mark.parametrize(
    ("sent", "scheme"),
    [
        (["https, http"], "https"),
        (["http, https"], "http"),
        (["https", "http"], "https"),
        ([" HTTPS ,http"], "https"),
        ([",, https"], "https"),
        (['"https"'], "https"),
        (["wss, http"], "https"),
        (["javascript, https"], "http"),
        ([""], "http"),
    ],
)
def test_the_outermost_of_several_proxies_determines_the_scheme(sent: list[str], scheme: str) -> None:
    headers = [("Host", "chat.example"), *(("X-Forwarded-Proto", value) for value in sent)]
    assert public_address(request("10.0.0.1", *headers), PROXIES) == f"{scheme}://chat.example"
    assert public_address(request(CLIENT, *headers), PROXIES) == "http://chat.example"


def test_a_link_begins_with_the_origin_that_the_browser_shows() -> None:
    assert public_address(request(CLIENT, ("Host", "CHAT.example:80")), PROXIES) == "http://chat.example"
    assert public_address(request(CLIENT, ("Host", "[2001:DB8::1]:6688")), PROXIES) == "http://[2001:db8::1]:6688"
    for host in ("", "evil.example/path", "a b", "ada@evil.example"):
        assert public_address(request(CLIENT, ("Host", host)), PROXIES) == "http://127.0.0.1:6688"
    assert public_address(request(CLIENT), Settings(host="::", port=0)) == "http://localhost"


def test_a_proxy_may_be_configured_as_a_mapped_address() -> None:
    settings = load_settings(None, {"FECHATTER_TRUSTED_PROXIES": "::ffff:127.0.0.1, ::ffff:10.0.0.0/104"})
    assert settings.trusted_proxies == ("127.0.0.1", "10.0.0.0/8")
    for peer in ("127.0.0.1", "::ffff:127.0.0.1", "::FFFF:7f00:1", "10.9.9.9"):
        assert seen(peer, CLIENT, settings=settings) == CLIENT


def test_the_address_is_empty_without_a_peer() -> None:
    assert seen(None, OTHER) == ""
