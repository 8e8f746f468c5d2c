"""Finds the endpoint of a request. Every request passes through this router.

Starlette's own router costs a fifth of the requests that a server without a store can answer (benches/results).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette import routing
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from fechatter.api.counting import Guard
from fechatter.api.middleware.requests import label
from fechatter.errors import MethodNotAllowed, NotFound
from fechatter.model import MAX_ID


class IdConvertor(Convertor[int]):
    """Converts an id in a path: 1 to 16 digits."""

    regex = "[0-9]{1,16}"

    def convert(self, value: str) -> int:
        """Raises NotFound if the number is too large for an id."""
        number = int(value)
        if number > MAX_ID:
            raise NotFound()
        return number

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("id", IdConvertor())


class Route:
    """One path.

    Args:
        path: may contain parameters, `{name:convertor}`.
        methods: the ASGI app of each method. GET also answers HEAD.
        guards: entered around the app of a method, before anything else of the request is read.
    """

    def __init__(self, path: str, methods: Mapping[str, ASGIApp], guards: Mapping[str, Guard] | None = None) -> None:
        self.path = path
        self.label = label(path)
        self._pattern, _, convertors = routing.compile_path(path)
        self._convertors = [(name, convertor.convert) for name, convertor in convertors.items()]
        guards = guards or {}
        self.apps = {method: (app, guards.get(method)) for method, app in methods.items()}
        if "GET" in self.apps:
            self.apps["HEAD"] = self.apps["GET"]

    def match(self, path: str) -> dict[str, Any] | None:
        """Return the parameters in `path`, or None if it does not match. Raises NotFound: an id is too large."""
        found = self._pattern.fullmatch(path)
        if found is None:
            return None
        parameters = {}
        for name, convert in self._convertors:
            parameters[name] = convert(found[name])
        return parameters


class Router(routing.Router):
    """Looks up paths without parameters first, then tries the other routes in their order."""

    def __init__(self, routes: Sequence[Route], lifespan: Lifespan[Any] | None = None) -> None:
        super().__init__(lifespan=lifespan)
        self._fixed = {route.path: route for route in routes if "{" not in route.path}
        self._patterns = [route for route in routes if "{" in route.path]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises NotFound, MethodNotAllowed."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        route = self._find(scope)
        scope["state"]["route"] = route.label
        found = route.apps.get(scope["method"])
        if found is None:
            raise MethodNotAllowed(allow=sorted(route.apps))
        app, guard = found
        if guard is None:
            await app(scope, receive, send)
            return
        with guard(HTTPConnection(scope)):
            await app(scope, receive, send)

    def _find(self, scope: Scope) -> Route:
        path = scope["path"]
        if root := scope.get("root_path"):
            path = path.removeprefix(root)
        route = self._fixed.get(path)
        if route is not None:
            scope["path_params"] = {}
            return route
        for route in self._patterns:
            parameters = route.match(path)
            if parameters is not None:
                scope["path_params"] = parameters
                return route
        raise NotFound
