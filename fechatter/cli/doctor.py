"""`fechatter doctor`: looks at what the server stands on and says, line by line, what is wrong and what helps."""

from fechatter.cli import checks
from fechatter.settings import Settings

MARKS = {True: "ok    ", False: "WRONG "}


def doctor(settings: Settings) -> int:
    """Print every finding; 1 when one of them is wrong."""
    findings = [check(settings) for check in checks.ALL]
    for finding in findings:
        print(f"{MARKS[finding.good]}{finding.subject}: {finding.state}")
        if not finding.good:
            print(f"      → {finding.remedy}")
    if settings.unused():
        print(f"note  set, but not used by this version: {', '.join(settings.unused())}")
    return 0 if all(finding.good for finding in findings) else 1
