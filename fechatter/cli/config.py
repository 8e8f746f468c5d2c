"""`fechatter config`: checks the settings, shows their values and sources, and documents them."""

from fechatter.cli.terminal import show as print_line
from fechatter.settings import Setting, Settings, describe, shown
from fechatter.settings.rules import wanted


def check(settings: Settings) -> int:
    """Report that the settings are valid; reading them has checked them."""
    print_line("The settings are valid.")
    if settings.unused():
        print_line(f"These settings have no effect in this version: {', '.join(settings.unused())}.")
    return 0


def show(settings: Settings) -> int:
    """Print one line per setting: key, value and source. Secrets are masked."""
    lines = list(settings.shown())
    widths = [max(len(line[column]) for line in lines) for column in (0, 1)]
    for key, value, source in lines:
        print_line(f"{key:<{widths[0]}}  {value:<{widths[1]}}  {source}")
    return 0


def docs() -> int:
    """Print the settings as a table in Markdown. An unused setting is listed only if it has an alias."""
    print_line("| key | environment | value | default | meaning |")
    print_line("|---|---|---|---|---|")
    for setting in describe():
        if setting.unused and setting.alias is None:
            continue
        print_line(f"| {' | '.join(_cells(setting))} |")
    return 0


def _cells(setting: Setting) -> list[str]:
    names = [setting.variable] + ([setting.alias] if setting.alias else [])
    meaning = setting.description + (" (No effect in this version.)" if setting.unused else "")
    return [
        f"`{setting.key}`",
        ", ".join(f"`{name}`" for name in names),
        wanted(setting.type),
        f"`{shown(setting.default)}`",
        meaning,
    ]
