"""The canonical form of web origins."""

from __future__ import annotations

import pytest

from fechatter.canonical.web_origins import find_origin, parse_origin


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://chat.example.org:443", "https://chat.example.org"),
        ("http://chat.example.org:080/", "http://chat.example.org"),
        ("HTTPS://Chat.Example.ORG", "https://chat.example.org"),
        ("https://chat.example.org:8443", "https://chat.example.org:8443"),
        ("https://chat.example.org:", "https://chat.example.org"),
        ("http://chat.example.org:443", "http://chat.example.org:443"),
        ("https://Bücher.example", "https://xn--bcher-kva.example"),
        ("https://bu\u0308cher。example", "https://xn--bcher-kva.example"),
        ("https://faß.example", "https://xn--fa-hia.example"),
        ("http://[2001:DB8:0:0::0001]:6688", "http://[2001:db8::1]:6688"),
        ("http://127.0.0.1:6688", "http://127.0.0.1:6688"),
        ("http://my_host:80", "http://my_host"),
        ("http://localhost", "http://localhost"),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(text: str, origin: str) -> None:
    assert str(parse_origin(text)) == origin
    assert parse_origin(origin) == parse_origin(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "chat.example.org",
        "ftp://chat.example.org",
        "https://",
        "https://chat.example.org/path",
        "https://chat.example.org?",
        "https://chat.example.org#",
        "https://ada@chat.example.org",
        "https://@chat.example.org",
        "https://chat.example.org:0",
        "https://chat.example.org:65536",
        "https://chat.example.org:http",
        "https://chat..example.org",
        "https://-chat.example.org",
        "https://chat.example.org\\@evil.example",
        "https://chat example.org",
        " https://chat.example.org",
        "https://chat.example.org\n",
        "http://[::1",
        "http://[fe80::1%25eth0]",
        "http://127.1",
        "http://1.2.3.4.5",
        "https://%65vil.example",
        "https://\u200b.example",
    ],
)
def test_an_invalid_origin_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"must|names|contains|cannot|is not|has no"):
        parse_origin(text)
    assert find_origin(text) is None
