"""The canonical form of IP addresses and networks."""

from __future__ import annotations

import pytest

from fechatter.canonical.networks import client_network, parse_network


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("::ffff:127.0.0.1", "127.0.0.1/32"),
        ("::FFFF:7f00:1", "127.0.0.1/32"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
        ("10.1.2.3/8", "10.0.0.0/8"),
        ("10.0.0.0/255.0.0.0", "10.0.0.0/8"),
        ("2001:DB8::1", "2001:db8::1/128"),
        ("::1", "::1/128"),
        ("::/0", "::/0"),
    ],
)
def test_a_network_has_one_canonical_form(text: str, network: str) -> None:
    assert str(parse_network(text)) == network


@pytest.mark.parametrize(
    "text",
    [
        "proxy",
        "",
        "10.0.0.0/33",
        "0.0.0.0",
        "::",
        "255.255.255.255",
        "224.0.0.0/4",
        "ff02::1",
        "fe80::1%eth0",
        "::127.0.0.1",
        "::ffff:10.0.0.0/8",
    ],
)
def test_a_network_without_possible_clients_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"can never match|is not an address"):
        parse_network(text)


def test_a_client_is_one_ipv4_address_or_one_ipv6_network() -> None:
    assert {client_network(text) for text in ("192.0.2.1", "::ffff:192.0.2.1", "::ffff:c000:201")} == {"192.0.2.1"}
    assert client_network("2001:db8::1") == client_network("2001:DB8:0:0:ffff::2") == "2001:db8::/64"
    assert client_network("42") == "42"
