"""A small app behind the request boundary: one endpoint reads a body, the other raises errors."""

from __future__ import annotations

from typing import Any

import httpx2
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import request_response

from fechatter.api.application import Application
from fechatter.api.bodies import Body, read_body
from fechatter.api.responses import json_response
from fechatter.api.router import Route
from fechatter.errors import NotFound, TooManyRequests, Unauthorized
from fechatter.settings import Settings
from fechatter.storage.engines.errors import StorageFull, StorageUnavailable


class Named(Body, frozen=True):
    name: str


ERRORS: dict[str, Exception] = {
    "unexpected": ValueError("secret detail"),
    "hidden": NotFound(),
    "stranger": Unauthorized(),
    "often": TooManyRequests(retry_after_seconds=7),
    "full": StorageFull("disk"),
    "cut": StorageUnavailable("host db.internal"),
}


async def fail(request: Request) -> Response:
    raise ERRORS[request.path_params["name"]]


async def greet(request: Request) -> Response:
    return json_response({"hello": (await read_body(request, Named, limit=1000)).name})


APP_ROUTES = [
    Route("/greet", {"POST": request_response(greet)}),
    Route("/fail/{name}", {"GET": request_response(fail)}),
]


def serving(**settings: Any) -> httpx2.AsyncClient:
    """Return a client of an app with these settings."""
    app = Application(APP_ROUTES, settings=Settings(**settings))
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://server")
