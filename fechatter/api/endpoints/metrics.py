"""The metrics of the server."""

from __future__ import annotations

import hmac

from starlette.requests import Request
from starlette.responses import Response

from fechatter.api.identity import bearer_token, read, services
from fechatter.api.operations import Answer, operation
from fechatter.api.readings import read_all
from fechatter.errors import Forbidden, Unauthorized
from fechatter.model import Actor
from fechatter.rights.table import WorkspaceAction
from fechatter.rights.workspace import may
from fechatter.settings import Settings
from fechatter.storage.engines.base import Transaction
from fechatter.telemetry.exposition import MEDIA_TYPE, render


@operation(
    "showMetrics",
    Answer(str, media_type=MEDIA_TYPE),
    refuses=("unauthorized", "session_ended", "forbidden"),
    token="required",
)
async def show(request: Request) -> Response:
    """Get the server's metrics

    In Prometheus' text format. The bearer token is the server's `metrics_token`. On servers without open sign-up,
    owners and admins may also use their own access token.
    """
    found = services(request)
    if not _has_token(request, found.settings):
        await _check_admin(request, found.settings)
    figures = await request.app.figures.get(found)
    text = render(read_all(found, request.app.requests, figures))
    return Response(text, headers={"cache-control": "no-store"}, media_type=MEDIA_TYPE)


def _has_token(request: Request, settings: Settings) -> bool:
    """Whether the bearer token is the `metrics_token` of the settings. This check needs no database."""
    if settings.metrics_token is None:
        return False
    try:
        given = bearer_token(request.headers.get("authorization", "").encode("latin-1"))
    except Unauthorized:
        return False
    return hmac.compare_digest(given.encode(), settings.metrics_token.encode())


async def _check_admin(request: Request, settings: Settings) -> None:
    """Check for an owner or admin on a server without open sign-up. Metrics describe the whole server."""

    async def work(tx: Transaction, actor: Actor) -> bool:
        return may(actor.role, WorkspaceAction.SEE_HEALTH)

    allowed, _ = await read(request, work)
    if not allowed or settings.signup == "open":
        raise Forbidden("Use the server's metrics_token to read the metrics.")
