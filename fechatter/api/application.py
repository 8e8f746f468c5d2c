"""The Starlette app: every route behind the request boundary, and nothing else in between."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Lifespan

from fechatter.api.middleware.boundary import RequestBoundary
from fechatter.services import Services


class Application(Starlette):
    """
    Attributes:
        services: what endpoints may use; set before the first request.
    """

    services: Services

    def __init__(self, routes: Sequence[BaseRoute], lifespan: Lifespan[Application] | None = None) -> None:
        super().__init__(routes=routes, lifespan=lifespan)

    def build_middleware_stack(self) -> ASGIApp:
        """The boundary turns every error into an answer, so Starlette's own two layers for that would only cost time.

        They took a third of a send's time (benches/results).
        """
        return RequestBoundary(self.router)
