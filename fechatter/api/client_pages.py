"""The files of the web client as the gateway serves them, by the paths of `api/routes.py`."""

from __future__ import annotations

from fechatter.api.middleware.requests import label
from fechatter.api.routes import STATIC, TABLE
from fechatter.native import ClientPage
from fechatter.web import static
from fechatter.web.files import files

REST = "{rest:path}"


def client_pages() -> list[ClientPage]:
    """Return every file with its paths; empty if the client is not built."""
    routes: dict[str, list[tuple[str, str]]] = {name: [] for name in files()}
    for path, methods in TABLE.items():
        page = methods.get("GET")
        if isinstance(page, static.WebPage) and page.name in routes:
            routes[page.name].append((path.replace(REST, "*"), label(path)))
    for name, file in files().items():
        if static.is_asset(file):
            routes[name].append((STATIC.replace("{path:path}", name), label(STATIC)))
    return [(routes[name], static.variants(file)) for name, file in files().items()]
