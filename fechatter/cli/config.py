"""`fechatter config`: whether the settings are good, what they are and where each came from, what each means."""

from fechatter.cli.terminal import show as print_line
from fechatter.settings import Setting, Settings, describe, shown
from fechatter.settings.rules import wanted


def check(settings: Settings) -> int:
    """Say that the settings are good: they were checked when they were read."""
    print_line("The settings are good.")
    if settings.unused():
        print_line(f"Set, but not used by this version: {', '.join(settings.unused())}.")
    return 0


def show(settings: Settings) -> int:
    """Print one line a setting: `key = value  (source)`, secrets masked."""
    lines = list(settings.shown())
    widths = [max(len(line[column]) for line in lines) for column in (0, 1)]
    for key, value, source in lines:
        print_line(f"{key:<{widths[0]}}  {value:<{widths[1]}}  {source}")
    return 0


def docs() -> int:
    """Print the settings as a table in Markdown; one that nothing uses only where operators know its name from before."""
    print_line("| key | environment | value | default | meaning |")
    print_line("|---|---|---|---|---|")
    for setting in describe():
        if setting.unused and setting.alias is None:
            continue
        print_line(f"| {' | '.join(_cells(setting))} |")
    return 0


def _cells(setting: Setting) -> list[str]:
    names = [setting.variable] + ([setting.alias] if setting.alias else [])
    meaning = setting.description + (" (Not used by this version.)" if setting.unused else "")
    return [
        f"`{setting.key}`",
        ", ".join(f"`{name}`" for name in names),
        wanted(setting.type),
        f"`{shown(setting.default)}`",
        meaning,
    ]
