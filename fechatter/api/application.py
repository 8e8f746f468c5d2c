"""The Starlette app: the router behind the request boundary, with nothing between them."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.types import ASGIApp, Lifespan

from fechatter import native
from fechatter.api.middleware.boundary import RequestBoundary
from fechatter.api.middleware.requests import Requests
from fechatter.api.readings import DatabaseFigures
from fechatter.api.receiving import BodyReader
from fechatter.api.router import Route, Router
from fechatter.api.waiting import WaitingClients
from fechatter.services import Services
from fechatter.settings import Settings


class Application(Starlette):
    """The ASGI app, with the objects that its requests share.

    Attributes:
        services: what endpoints may use; set before the first request.
        requests: counts of the requests so far.
        figures: the database's figures for the metrics.
        bodies: reads request bodies.
        waits: the requests that wait for a turn.
        ids: ids for problems outside a request.
    """

    services: Services

    def __init__(
        self,
        routes: Sequence[Route],
        lifespan: Lifespan[Application] | None = None,
        settings: Settings | None = None,
    ) -> None:
        super().__init__()
        self.router = Router(routes, lifespan)
        self._settings = settings or Settings()
        self.requests = Requests()
        self.figures = DatabaseFigures()
        self.bodies = BodyReader()
        self.waits = WaitingClients()
        self.ids = native.RequestIds()

    def build_middleware_stack(self) -> ASGIApp:
        """The boundary renders every error, so Starlette's own two error layers are left out."""
        return RequestBoundary(self.router, self.requests, self._settings)
