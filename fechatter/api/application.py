"""The Starlette app: every route behind the request boundary, and nothing else in between."""

from __future__ import annotations

import re
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from fechatter.api.endpoints.messages import SendMessage
from fechatter.api.middleware.boundary import RequestBoundary
from fechatter.api.middleware.requests import Requests, label
from fechatter.api.readings import DatabaseFigures
from fechatter.services import Services
from fechatter.settings import Settings

_SENDING = re.compile("/api/chat/([0-9]{1,15})/messages")
_SENDING_ROUTE = label("/api/chat/{chat_id:id}/messages")


class Application(Starlette):
    """
    Attributes:
        services: what endpoints may use; set before the first request.
        requests: what was asked of it so far.
        figures: what its metrics tell of the database.
    """

    services: Services

    def __init__(
        self, routes: Sequence[BaseRoute], lifespan: Lifespan[Application] | None = None, settings: Settings | None = None
    ) -> None:
        super().__init__(routes=routes, lifespan=lifespan)
        self._settings = settings or Settings()
        self.requests = Requests()
        self.figures = DatabaseFigures()
        self._send_message = SendMessage()

    def build_middleware_stack(self) -> ASGIApp:
        """The boundary turns every error into an answer, so Starlette's own two layers for that would only cost time."""
        return RequestBoundary(self._dispatch, self.requests, self._settings)

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand sends to their endpoint at once, as the router would, and everything else to the router.

        The router's way there costs a fifth of the requests that a server without a store can answer (benches/results).
        """
        if scope["type"] == "http" and scope["method"] == "POST" and (found := _SENDING.fullmatch(scope["path"])):
            scope["path_params"] = {"chat_id": int(found[1])}
            scope["state"]["route"] = _SENDING_ROUTE
            await self._send_message(scope, receive, send)
        else:
            await self.router(scope, receive, send)
