"""The wheel, its installation and the locked requirements."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import pytest

from fechatter import __version__
from tests.servers.process import STOP_SECONDS, accepts, free_port, kill_all, wait_until

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as `make wheel` builds it. The extension is already compiled, so this only packs files."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "maturin", "build", "--release", "--locked", "--quiet", "--out", folder]
    subprocess.run(command, cwd=ROOT, check=True, timeout=110)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `fechatter` command in a fresh environment with the wheel. Dependencies come from the test environment."""
    fresh = tmp_path_factory.mktemp("fresh") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", fresh], check=True, timeout=60)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        fresh / "bin" / "python",
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
    ]
    subprocess.run([*pip, wheel], check=True, timeout=60)
    site = fresh / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    # A path file adds the dependencies. The environment's own folder would also add this checkout.
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return fresh / "bin" / "fechatter"


def plain_environment(**more: str) -> dict[str, str]:
    """An environment without cargo, checkout and settings."""
    return {"PATH": "/nonexistent", "HOME": os.environ.get("HOME", "/"), **more}


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def requirements(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.txt").read_text()


def pins(name: str) -> set[str]:
    """Return each `package==version`. A package may be pinned twice, for older and newer Pythons."""
    return {line.split()[0] for line in requirements(name).splitlines() if "==" in line.split(" ")[0]}


def test_one_wheel_fits_every_supported_python(wheel: Path) -> None:
    assert re.fullmatch(rf"fechatter-{re.escape(__version__)}-cp311-abi3-\w+\.whl", wheel.name)


def test_the_wheel_contains_only_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names} == {"fechatter", f"fechatter-{__version__}.dist-info"}
    assert "fechatter/_native.abi3.so" in names
    assert "fechatter/py.typed" in names


def test_the_wheel_contains_every_migration_and_every_page(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    migrations = {f"fechatter/{path.relative_to(ROOT)}" for path in (ROOT / "migrations").rglob("*.sql")}
    web = ROOT / "fechatter" / "web"
    pages = {str(path.relative_to(ROOT)) for path in (web / "dist").rglob("*.*")}
    assert migrations
    assert "fechatter/web/dist/index.html" in pages
    assert migrations | pages <= names
    assert not any(name.startswith("fechatter/web/client") for name in names)


def test_the_installed_command_prints_its_version_without_rust(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [installed, "--version"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        cwd=tmp_path,
        env=plain_environment(),
    )
    assert done.stdout == f"fechatter {__version__}\n"


def test_the_installed_command_serves(installed: Path, tmp_path: Path) -> None:
    port = free_port()
    environment = plain_environment(FECHATTER_PORT=str(port), FECHATTER_DATA_DIR=str(tmp_path / "data"))
    log = tmp_path / "log"
    with log.open("wb") as output:
        server = subprocess.Popen([installed, "serve"], stdout=output, stderr=output, cwd=tmp_path, env=environment)
    try:
        wait_until(lambda: accepts(port), server, log)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/simple", timeout=5) as response:
            assert json.load(response) == {"status": "ok"}
        server.terminate()
        assert server.wait(STOP_SECONDS) == 0, log.read_text()
    finally:
        kill_all(server)


def test_the_version_is_the_same_everywhere() -> None:
    native = tomllib.loads((ROOT / "native" / "Cargo.toml").read_text())
    assert project()["project"]["version"] == __version__ == native["package"]["version"]


@pytest.mark.parametrize("name", ["run", "build", "dev"])
def test_locked_requirements_are_pinned_and_hashed_and_contain_no_address(name: str) -> None:
    text = requirements(name)
    packages = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert packages
    assert all("==" in line and line.endswith("\\") for line in packages)
    assert text.count("--hash=sha256:") >= len(packages)
    assert "://" not in text


def test_every_direct_dependency_is_locked() -> None:
    names = [re.split(r"[><=\[]", requirement)[0] for requirement in project()["project"]["dependencies"]]
    assert set(names) <= {pin.split("==")[0] for pin in pins("run")}


def test_tests_run_with_the_same_versions_as_the_server() -> None:
    assert pins("run") <= pins("dev")


def test_make_without_a_target_lists_the_commands() -> None:
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    listed = {line.split()[1] for line in done.stdout.splitlines()}
    assert {"setup", "run", "test", "check", "prove", "bench", "wheel"} <= listed
