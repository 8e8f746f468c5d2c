"""Tells whether the native extension fits the sources, and takes it from a wheel when one fits.

    native.py fresh         exits 0 when `fechatter.native` loads and is a release build
    native.py take FOLDER   exits 0 when a wheel of the folder held one that does

`fechatter.native` itself refuses an extension built from other sources; this asks it, in a process of its own.
"""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROBE = "import fechatter.native as native, sys; sys.exit(native.BUILD != 'release')"


def main(arguments: list[str]) -> int:
    """Do what the one argument says."""
    match arguments:
        case ["fresh"]:
            return 0 if is_fresh() else 1
        case ["take", folder]:
            return 0 if any(take(wheel) for wheel in wheels(ROOT / folder)) else 1
    print(__doc__, file=sys.stderr)
    return 2


def is_fresh() -> bool:
    """Whether the extension in the checkout is there, fits the sources and is a release build."""
    if not any((ROOT / "fechatter").glob("_native*.so")):
        return False
    probe = subprocess.run([sys.executable, "-c", PROBE], cwd=ROOT, capture_output=True, check=False, timeout=60)
    return probe.returncode == 0


def wheels(folder: Path) -> list[Path]:
    """The whole wheels of the folder, newest first."""
    found = filter(zipfile.is_zipfile, folder.glob("fechatter-*.whl"))
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def take(wheel: Path) -> bool:
    """Put the wheel's extension into the checkout; take it out again when it does not fit."""
    with zipfile.ZipFile(wheel) as archive:
        members = [name for name in archive.namelist() if name.startswith("fechatter/_native") and name.endswith(".so")]
        for member in members:
            replace(ROOT / member, archive.read(member))
    if is_fresh():
        print(f"setup: took the native extension from {wheel.relative_to(ROOT)}")
        return True
    for member in members:
        (ROOT / member).unlink()
    return False


def replace(path: Path, content: bytes) -> None:
    """Put a new file in the place of the old one: a running server has that one mapped into its memory."""
    new = path.with_suffix(".new")
    new.write_bytes(content)
    new.replace(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
