"""Write the contract to fechatter/api/contract/openapi.json.

`--check` changes nothing; the exit code is then 1 if the file is not current.
"""

import json
import sys
from pathlib import Path

from fechatter.api.contract.document import document

FILE = Path(__file__).resolve().parent.parent / "fechatter" / "api" / "contract" / "openapi.json"


def main() -> int:
    """Write or check; returns the exit code."""
    made = json.dumps(document(), ensure_ascii=False, indent=1) + "\n"
    if "--check" in sys.argv[1:]:
        return 0 if FILE.exists() and FILE.read_text(encoding="utf-8") == made else 1
    FILE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
