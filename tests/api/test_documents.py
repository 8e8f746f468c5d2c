"""The pages of the contract are complete, run no scripts, and have no dead links."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx2
import pytest

from fechatter.api.application import Application
from fechatter.api.routes import ROUTES, TABLE
from fechatter.codes import FIELDS, PROBLEMS

PAGES = ["/docs", "/docs/problems"]


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(Application(ROUTES)), base_url="http://server"
    ) as made:
        yield made


async def anchors(client: httpx2.AsyncClient, path: str) -> set[str]:
    return set(re.findall(r' id="([^"]+)"', (await client.get(path)).text))


@pytest.mark.parametrize("path", PAGES)
async def test_pages_contain_no_scripts_and_no_inline_styles(client: httpx2.AsyncClient, path: str) -> None:
    page = await client.get(path)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert not re.search(r"<script|<style|<img|<iframe| style=| on[a-z]+=|https?://[^\s\"]*\.(?:js|css)", page.text)
    assert (await client.get(path, headers={"if-none-match": page.headers["etag"]})).status_code == 304


@pytest.mark.parametrize("path", PAGES)
async def test_pages_have_no_dead_links(client: httpx2.AsyncClient, path: str) -> None:
    known = {page: await anchors(client, page) for page in PAGES}
    links = set(re.findall(r'href="([^"]+)"', (await client.get(path)).text))
    assert len(links) > 20
    for link in links:
        page, _, anchor = link.partition("#")
        assert not anchor or anchor in known[page or path], link
        assert not page or (await client.get(page)).status_code == 200, link


async def test_the_pages_list_every_operation_and_every_code(client: httpx2.AsyncClient) -> None:
    declared = {app.operation.id for methods in TABLE.values() for app in methods.values() if hasattr(app, "operation")}
    assert declared <= await anchors(client, "/docs")
    assert len(declared) > 40
    public = {name for name, code in PROBLEMS.items() if code.public} | {f"field-{name}" for name in FIELDS}
    assert public <= await anchors(client, "/docs/problems")


async def test_the_contract_contains_every_path_for_programs() -> None:
    undeclared = {path for path, methods in TABLE.items() for app in methods.values() if not hasattr(app, "operation")}
    assert not {path for path in undeclared if path.startswith(("/api", "/events", "/health", "/metrics"))}
