"""The settings of a server.

`load_settings` is called once, by the command line; all other code receives a `Settings`. An unknown key or an invalid
value stops the start with `SettingsError`, which lists every fault with its place.
"""

from fechatter.settings.reading import SettingFault, SettingsError, load_settings
from fechatter.settings.tree import LogFormat, Setting, Settings, describe, shown

__all__ = ["LogFormat", "Setting", "SettingFault", "Settings", "SettingsError", "describe", "load_settings", "shown"]
