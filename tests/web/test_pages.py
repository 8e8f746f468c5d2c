"""The pages as browsers get them: what may run in them, what is cached, what is not there."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser

import httpx2
import pytest

from fechatter.api.application import Application
from fechatter.api.routes import ROUTES
from fechatter.web.files import FOLDERS, files

FOLDER = FOLDERS[0]
PAGES_FILES = {path: file for path, file in files().items() if (FOLDER / path).exists()}

PAGES = ["/", "/setup", "/join", "/signin"]
ASSETS = [f"/static/{path}" for path in PAGES_FILES if not path.endswith(".html")]
SCRIPTS = [path for path in PAGES_FILES if path.endswith(".js")]


class Tags(HTMLParser):
    """What a page loads, and everything in it that would run or style from inside it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline: list[str] = []
        self.forms: list[dict[str, str | None]] = []
        self._inside: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self._inside = tag
        self.inline += [name for name in values if name.startswith("on") or name == "style"]
        self.loaded += [str(values[name]) for name in ("src", "href") if name in values and tag != "a"]
        if tag == "form":
            self.forms.append(values)

    def handle_data(self, data: str) -> None:
        if self._inside in ("script", "style") and data.strip():
            self.inline.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._inside = None


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(Application(ROUTES)), base_url="http://server") as made:
        yield made


def directives(answer: httpx2.Response) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in answer.headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in parts}


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_html_that_runs_only_our_own_files(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = directives(answer)
    assert policy["default-src"] == policy["form-action"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", [*PAGES, *ASSETS])
async def test_every_file_tells_browsers_to_guess_nothing_and_ask_again(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["referrer-policy"] == "same-origin"
    again = await client.get(path, headers={"if-none-match": f'"other", W/{answer.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == answer.headers["etag"]
    other = await client.get(path, headers={"if-none-match": '"other"'})
    assert other.status_code == 200


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_holds_nothing_inline_and_all_it_loads_is_here(client: httpx2.AsyncClient, path: str) -> None:
    tags = Tags((await client.get(path)).text)
    assert tags.inline == []
    assert tags.loaded
    for address in tags.loaded:
        assert address in ASSETS


@pytest.mark.parametrize("path", PAGES)
async def test_no_form_puts_a_password_into_an_address(client: httpx2.AsyncClient, path: str) -> None:
    forms = Tags((await client.get(path)).text).forms
    assert forms
    assert all(form.get("method") == "post" for form in forms)


@pytest.mark.parametrize("path", SCRIPTS)
def test_a_script_writes_no_markup_and_runs_no_text(path: str) -> None:
    source = files()[path].contents["identity"].decode()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|srcdoc", source)


@pytest.mark.parametrize("path", SCRIPTS)
def test_what_a_script_imports_is_here(path: str) -> None:
    for address in re.findall(r'from "(.+?)"', files()[path].contents["identity"].decode()):
        target = (FOLDER / path).parent / address
        assert target.resolve().relative_to(FOLDER.resolve()).as_posix() in SCRIPTS


async def test_each_kind_of_file_has_its_type(client: httpx2.AsyncClient) -> None:
    types = {path: (await client.get(f"/static/{path}")).headers["content-type"] for path in ("icon.svg", "base.css", "script/api.js")}
    assert types == {
        "icon.svg": "image/svg+xml",
        "base.css": "text/css; charset=utf-8",
        "script/api.js": "text/javascript; charset=utf-8",
    }


@pytest.mark.parametrize(
    "path",
    ["/static/", "/static/nothing.js", "/static/chat.html", "/static/../static.py", "/static/%2e%2e/static.py", "/static//etc/passwd"],
)
async def test_nothing_but_the_assets_is_served(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", [*PAGES, "/static/base.css"])
async def test_pages_are_only_read(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.post(path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
