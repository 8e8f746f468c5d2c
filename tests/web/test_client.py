"""The built client as browsers receive it: encodings, caching, security headers and missing files."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from html.parser import HTMLParser

import httpx2
import pytest

from fechatter.api.application import Application
from fechatter.api.routes import CLIENT, ROUTES
from fechatter.web.files import DIST, files

ADDRESSES = [path.replace("{rest:path}", "7/messages/9") for path in CLIENT]
HASHED = [f"/static/{path}" for path, file in files().items() if file.immutable]
BIG = max(
    (path for path in files() if path.startswith("assets/")),
    key=lambda path: len(files()[path].contents["identity"]),
    default="",
)


class Tags(HTMLParser):
    """Collects the files that a page loads, and all inline scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline: list[str] = []
        self._inside: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self._inside = tag
        self.inline += [name for name in values if name.startswith("on") or name == "style"]
        self.loaded += [str(values[name]) for name in ("src", "href") if name in values and tag != "a"]

    def handle_data(self, data: str) -> None:
        if self._inside in ("script", "style") and data.strip():
            self.inline.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._inside = None


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(Application(ROUTES)), base_url="http://server"
    ) as made:
        yield made


def directives(answer: httpx2.Response) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in answer.headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in parts}


async def raw(client: httpx2.AsyncClient, path: str, accept_encoding: str) -> tuple[httpx2.Response, bytes]:
    """Return the response and its bytes as sent over the network."""
    async with client.stream("GET", path, headers={"accept-encoding": accept_encoding}) as answer:
        return answer, b"".join([part async for part in answer.aiter_raw()])


def test_the_client_is_built() -> None:
    assert HASHED, "make web builds it"


@pytest.mark.parametrize("path", ADDRESSES)
async def test_every_address_of_the_client_returns_its_page_without_inline_scripts(
    client: httpx2.AsyncClient, path: str
) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["cache-control"] == "no-cache"
    tags = Tags(answer.text)
    assert tags.inline == []
    for address in tags.loaded:
        assert (await client.get(address)).status_code == 200


async def test_only_own_files_run_and_framing_is_forbidden(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/chats")
    policy = directives(answer)
    assert policy["default-src"] == policy["form-action"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["worker-src"] == "'self'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in answer.headers["content-security-policy"]


async def test_files_with_a_digest_in_their_name_are_cached_forever(client: httpx2.AsyncClient) -> None:
    for path in HASHED:
        answer = await client.get(path)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert (await client.get("/static/boot.js")).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("BR", "br"),
        ("", None),
        ("identity", None),
        ("deflate", None),
    ],
)
async def test_the_best_accepted_encoding_is_sent(
    client: httpx2.AsyncClient, accepted: str, coding: str | None
) -> None:
    answer, body = await raw(client, f"/static/{BIG}", accepted)
    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["vary"] == "Accept-Encoding"
    assert body == files()[BIG].contents[coding or "identity"]


async def test_compressed_copies_have_the_same_content_and_their_own_etags(client: httpx2.AsyncClient) -> None:
    plain, content = await raw(client, f"/static/{BIG}", "")
    packed, body = await raw(client, f"/static/{BIG}", "gzip")
    assert gzip.decompress(body) == content
    assert plain.headers["etag"] != packed.headers["etag"]
    for accepted, tag in (("", plain.headers["etag"]), ("gzip", packed.headers["etag"])):
        again = await client.get(
            f"/static/{BIG}", headers={"accept-encoding": accepted, "if-none-match": f'"x", W/{tag}'}
        )
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/static/index.html",
        f"/static/{BIG}.br",
        f"/static/{BIG}.gz",
        "/static/assets/",
        "/static/assets/../../static.py",
        "/static/%2e%2e/files.py",
        "/chatsx",
    ],
)
async def test_nothing_else_is_served(client: httpx2.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize("path", [*ADDRESSES, "/static/boot.js"])
async def test_pages_can_only_be_read(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.post(path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_every_file_has_security_headers_and_the_right_type(client: httpx2.AsyncClient) -> None:
    types = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
    for path in files():
        answer = await client.get("/" if path == "index.html" else f"/static/{path}")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        expected = types.get("." + path.rpartition(".")[2])
        assert expected is None or answer.headers["content-type"] == expected


def test_no_source_map_is_shipped() -> None:
    assert not list(DIST.rglob("*.map"))
