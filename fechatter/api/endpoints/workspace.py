"""The workspace over HTTP."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from fechatter.accounts import workspace
from fechatter.api.bodies import read_body
from fechatter.api.identity import read, write
from fechatter.api.responses import json_response


async def show(request: Request) -> Response:
    """GET /api/workspace."""
    found, position = await read(request, workspace.show)
    return json_response(found, position=position)


async def update(request: Request) -> Response:
    """PATCH /api/workspace."""
    wanted = await read_body(request, workspace.WorkspaceChange)
    return json_response(await write(request, lambda tx, actor: workspace.update(tx, actor, wanted)))
