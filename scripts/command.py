"""Install the `fechatter` command of this checkout into the environment that runs this script.

An editable install would build the native extension a second time. A path file and a script of four lines are enough.
"""

import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

COMMAND = """\
#!{python}
import sys
from fechatter.cli import main
sys.exit(main())
"""


def main() -> None:
    """Write both files if they differ."""
    paths = sysconfig.get_paths()
    write(Path(paths["purelib"]) / "fechatter-checkout.pth", f"{ROOT}\n", mode=0o644)
    write(Path(paths["scripts"]) / "fechatter", COMMAND.format(python=sys.executable), mode=0o755)


def write(path: Path, text: str, *, mode: int) -> None:
    """Write the text to the file if it differs."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
        path.chmod(mode)


if __name__ == "__main__":
    main()
