"""Recognises environment variables that begin with FECHATTER_ but are not settings.

Kubernetes sets variables in each container for every Service of its namespace. Docker does so for linked containers.
For a service named `fechatter` or `fechatter-web` they look like settings, but nobody wrote them, so
`fechatter.settings` ignores them.

Sources: https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables and
https://docs.docker.com/engine/network/links/#environment-variables.
"""

import re

CONFIG_FILE = "FECHATTER_CONFIG"
"""The environment variable with the path of the settings file; `fechatter.app:app` reads that file."""

_SERVICE = r"FECHATTER(?:_[A-Z0-9_]+?)?"
_OF_A_SERVICE = re.compile(
    rf"{_SERVICE}_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|"
    r"PORT_[0-9]+_[A-Z]+(?:_(?:ADDR|PORT|PROTO|START|END))*|ENV_.+)"
)
_ENDS_LIKE_A_LINK = re.compile(rf"{_SERVICE}_(?:PORT|NAME)")
_ADDRESS = re.compile(r"(?:tcp|udp|sctp)://\S+:[0-9]+(?:-[0-9]+)?", re.IGNORECASE)
_CONTAINER = re.compile(r"/[^/]+(?:/[^/]+)*/(?P<alias>[^/]+)")


def is_foreign(variable: str, value: str) -> bool:
    """Return whether this variable is not meant as a setting."""
    return variable == CONFIG_FILE or _is_service_link(variable, value)


def _is_service_link(variable: str, value: str) -> bool:
    """Whether Kubernetes or Docker set this variable to describe a service.

    `FECHATTER_PORT` and `FECHATTER_NAME` are settings too, so for such names the value decides. A link's value is an
    address such as `tcp://10.0.0.1:6688`, or a path such as `/consumer/fechatter` that ends with the link's alias.
    """
    if _OF_A_SERVICE.fullmatch(variable):
        return True
    if not _ENDS_LIKE_A_LINK.fullmatch(variable):
        return False
    if variable.endswith("_PORT"):
        return _ADDRESS.fullmatch(value.strip()) is not None
    link = _CONTAINER.fullmatch(value.strip())
    return link is not None and re.sub("[^A-Z0-9]", "_", link["alias"].upper()) == variable.removesuffix("_NAME")
