"""The gateway serves the files of the web client with the same answers as the app."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fechatter.web.files import files
from tests.gateway.doors import TOKEN, Servers, running_servers
from tests.journeys.client import Client
from tests.journeys.metrics import read_metrics
from tests.journeys.server import ServerProcess
from tests.journeys.wire import Answer, Wire, head

CHANGING = {"date", "server", "x-request-id", "connection", "keep-alive"}
ASSETS = [f"/static/{name}" for name, file in files().items() if file.media_type != "text/html"]
PATHS = ["/", "/setup", "/chats", "/chats/7/3", "/people/4", "/service-worker.js", ASSETS[0], ASSETS[-1]]
OTHERS = ["/chatsy", "/static/", "/static/index.html", "/static/../index.html", "/%73etup", "/signin/"]
CODINGS = ["", "gzip", "br, gzip", "br;q=0, gzip;q=0", "zstd"]


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with running_servers(tmp_path_factory.mktemp("doors"), metrics_token=TOKEN) as servers:
        yield servers


async def get(server: ServerProcess, path: str, **headers: str) -> Answer:
    wire = await Wire.open(server.port)
    given = {name.replace("_", "-"): value for name, value in headers.items() if value}
    return await wire.raw(head("GET", path, given))


def _comparable(answer: Answer) -> tuple[object, ...]:
    headers = {name: value for name, value in answer.headers.items() if name not in CHANGING}
    body = answer.body
    if answer.status >= 400:
        headers.pop("content-length")
        body = answer.code.encode()
    return answer.status, headers, body


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("path", [*PATHS, *OTHERS])
async def test_both_doors_return_the_same_file(doors: Servers, path: str, coding: str) -> None:
    by_app, by_gateway = [await get(server, path, accept_encoding=coding) for server in doors]
    assert _comparable(by_gateway) == _comparable(by_app)


@pytest.mark.parametrize("path", PATHS)
async def test_a_browser_that_has_the_file_gets_no_body(doors: Servers, path: str) -> None:
    tag = (await get(doors.gateway, path, accept_encoding="br")).headers["etag"]
    by_app, by_gateway = [
        await get(server, path, accept_encoding="br", if_none_match=f'"other", W/{tag}') for server in doors
    ]
    assert by_gateway.status == 304
    assert _comparable(by_gateway) == _comparable(by_app)


async def test_files_do_not_reach_the_app_but_are_counted(doors: Servers) -> None:
    before = await read_metrics(Client(doors.gateway), TOKEN)
    for path in PATHS:
        assert (await get(doors.gateway, path)).status == 200
    after = await read_metrics(Client(doors.gateway), TOKEN)
    # One of the requests for the metrics reached the app.
    assert after["fechatter_gateway_proxied_total"] == before["fechatter_gateway_proxied_total"] + 1
    counted = 'fechatter_requests_total{route="/chats/{rest}",method="GET",status="200"}'
    assert after[counted] == before.get(counted, 0) + 1


async def test_a_head_request_gets_the_headers_of_the_file(doors: Servers) -> None:
    whole = await get(doors.gateway, "/")
    wire = await Wire.open(doors.gateway.port)
    wire.writer.write(head("HEAD", "/", {"connection": "close"}))
    answer = await wire.reader.read()
    assert f"content-length: {len(whole.body)}".encode() in answer
    assert answer.endswith(b"\r\n\r\n")
