"""The workspace of the session."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from fechatter.accounts import workspace
from fechatter.api.identity import read, write
from fechatter.api.operations import Answer, operation
from fechatter.api.responses import json_response
from fechatter.model import Workspace


@operation("showWorkspace", Answer(Workspace, position=True))
async def show(request: Request) -> Response:
    """Show the workspace"""
    found, position = await read(request, workspace.show)
    return json_response(found, position=position)


@operation("updateWorkspace", Answer(Workspace), refuses=("forbidden",))
async def update(request: Request, wanted: workspace.WorkspaceChange) -> Response:
    """Rename the workspace, or choose the channel that new people join

    The slug stays the same. People who are already in the workspace do not join the channel. For owners and admins.
    """
    return json_response(await write(request, lambda tx, actor: workspace.update(tx, actor, wanted)))
