"""Check whether the native extension was built from these sources, or copy it from a wheel.

    native.py fresh         exit code 0 if `fechatter.native` loads and is a release build
    native.py take FOLDER   exit code 0 if a wheel in the folder contained such an extension

`fechatter.native` refuses an extension that was built from other sources. This script imports it in a separate
process.
"""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROBE = "import fechatter.native as native, sys; sys.exit(native.BUILD != 'release')"


def main(arguments: list[str]) -> int:
    """Run one of the two commands; returns the exit code."""
    match arguments:
        case ["fresh"]:
            return 0 if is_fresh() else 1
        case ["take", folder]:
            return 0 if any(take(wheel) for wheel in wheels(ROOT / folder)) else 1
    print(__doc__, file=sys.stderr)
    return 2


def is_fresh() -> bool:
    """Return whether the checkout contains a release build of the extension from these sources."""
    if not any((ROOT / "fechatter").glob("_native*.so")):
        return False
    probe = subprocess.run([sys.executable, "-c", PROBE], cwd=ROOT, capture_output=True, check=False, timeout=60)
    return probe.returncode == 0


def wheels(folder: Path) -> list[Path]:
    """Return the complete wheels in the folder, newest first."""
    found = filter(zipfile.is_zipfile, folder.glob("fechatter-*.whl"))
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def take(wheel: Path) -> bool:
    """Copy the wheel's extension into the checkout; remove it again if it was built from other sources.

    Returns whether the checkout now has a fresh extension.
    """
    with zipfile.ZipFile(wheel) as archive:
        members = [name for name in archive.namelist() if name.startswith("fechatter/_native") and name.endswith(".so")]
        for member in members:
            replace(ROOT / member, archive.read(member))
    if is_fresh():
        print(f"setup: using the native extension from {wheel.relative_to(ROOT)}")
        return True
    for member in members:
        (ROOT / member).unlink()
    return False


def replace(path: Path, content: bytes) -> None:
    """Replace the file by a new one, because a running server has the old one mapped into its memory."""
    new = path.with_suffix(".new")
    new.write_bytes(content)
    new.replace(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
