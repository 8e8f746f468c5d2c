"""A server that also listens on a Unix socket, and servers that share a port."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import orjson
import pytest

from tests.journeys.client import PASSWORD, owner
from tests.journeys.server import ServerProcess
from tests.journeys.wire import Wire, head
from tests.servers.process import free_port


async def over(path: Path) -> Wire:
    return Wire(*await asyncio.open_unix_connection(str(path)))


async def test_a_client_of_the_socket_is_served_and_named_by_its_proxy(tmp_path: Path) -> None:
    path = tmp_path / "fechatter.sock"
    how = {"gateway": "on", "unix_socket": str(path), "trusted_proxies": "unix"}
    with ServerProcess(tmp_path, **how) as server:
        host = await owner(server, "Acme", setup_token=server.setup_token)
        assert path.is_socket()
        assert path.stat().st_mode & 0o777 == 0o660
        named = {"authorization": f"Bearer {host.token}", "x-forwarded-for": "203.0.113.9"}
        wire = await over(path)
        assert (await wire.raw(head("GET", "/api/users/me", named))).status == 200
        signin = {"content-type": "application/json", "x-forwarded-for": "203.0.113.9"}
        body = orjson.dumps({"email": host.session["user"]["email"], "password": PASSWORD})
        assert (await wire.request("POST", "/api/signin", body, signin)).status == 200
        sessions = (await host.ask("GET", "/api/sessions")).json["items"]
        assert "203.0.113.9" in {each["address"] for each in sessions}
        server.stop()
    assert not path.exists()


async def test_the_socket_of_a_server_that_was_killed_is_replaced_and_one_in_use_is_not(tmp_path: Path) -> None:
    path = tmp_path / "fechatter.sock"
    how = {"gateway": "on", "unix_socket": str(path)}
    with ServerProcess(tmp_path, **how) as server:
        server.kill()
        assert path.exists()
        server.start()
        assert (await (await over(path)).raw(head("GET", "/health/simple", {}))).status == 200
        (tmp_path / "other").mkdir()
        output = ServerProcess(tmp_path / "other", **how).expect_failed_start()
        assert f"The socket {path} is in use" in output
        assert (await (await over(path)).raw(head("GET", "/health/simple", {}))).status == 200


@pytest.mark.parametrize("gateway", ["on", "off"])
async def test_servers_share_a_port_only_if_each_of_them_agrees(tmp_path: Path, gateway: str) -> None:
    port = free_port()
    with socket.socket() as first:
        first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        first.bind(("127.0.0.1", port))
        (tmp_path / "off").mkdir()
        refused = ServerProcess(tmp_path / "off", gateway=gateway)
        refused.settings["port"] = str(port)
        assert f"Port {port}" in refused.expect_failed_start()
        (tmp_path / "on").mkdir()
        shared = ServerProcess(tmp_path / "on", gateway=gateway, reuse_port="on")
        shared.port, shared.settings["port"] = port, str(port)
        with shared:
            assert (await (await Wire.open(port)).raw(head("GET", "/health/simple", {}))).status == 200
