"""Reads the settings: defaults, overridden by the TOML file, overridden by the environment.

In the environment a key is `FECHATTER_<KEY>`. Lists are separated by commas, switches are `on` or `off`, and an empty
value counts as not set.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from fechatter.canonical.decoding import is_text, text_of
from fechatter.errors import StartError
from fechatter.settings import rules
from fechatter.settings.foreign_variables import is_foreign
from fechatter.settings.tree import PREFIX, Setting, Settings, describe


class SettingFault(NamedTuple):
    """A setting with which the server cannot start.

    Attributes:
        path: where the setting was read, such as `FECHATTER_PORT` or `chat.toml: port`.
        reason: an explanation for the operator.
    """

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class SettingsError(StartError):
    """The settings are invalid; `faults` lists every fault, at least one."""

    def __init__(self, faults: list[SettingFault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


def load_settings(config_path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read the settings of this server.

    Args:
        config_path: a TOML file of settings, or None.
        environ: the process's environment.

    Raises:
        SettingsError: the file cannot be read, a key is unknown or a value is bad.
    """
    reading = _Reading()
    if config_path is not None:
        reading.file(config_path)
    reading.environment(environ)
    reading.together()
    if reading.faults:
        raise SettingsError(reading.faults)
    return Settings(**reading.values, sources=reading.sources)


_BY_KEY = {setting.key: setting for setting in describe()}


class _Reading:
    """The values that were read so far, their sources and all faults."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.sources: dict[str, str] = {}
        self.faults: list[SettingFault] = []

    def file(self, path: Path) -> None:
        for key, value in self._document(path).items():
            place = f"{path}: {key}"
            if key in _BY_KEY:
                self._take(place, _BY_KEY[key], value, f"file {path}", strict=True)
            else:
                self.faults.append(SettingFault(place, rules.unknown(key, list(_BY_KEY))))

    def environment(self, environ: Mapping[str, str]) -> None:
        """Read the aliases first, so that our own names override them."""
        environ = {name: value for name, value in environ.items() if not is_foreign(name, value)}
        ours = {setting.variable: setting for setting in describe()}
        unknown = [variable for variable in environ if variable.startswith(PREFIX) and variable not in ours]
        self.faults += [SettingFault(variable, rules.unknown(variable, list(ours), PREFIX)) for variable in unknown]
        aliases = {setting.alias: setting for setting in describe() if setting.alias is not None}
        for variable, setting in (aliases | ours).items():
            if text := environ.get(variable):
                self._take(variable, setting, _parsed(setting, text), f"environment {variable}", strict=False)

    def together(self) -> None:
        """Check values that are valid separately but not in combination."""
        self.faults += [SettingFault(PREFIX + key.upper(), reason) for key, reason in rules.check_together(self.values)]

    def _document(self, path: Path) -> dict[str, Any]:
        try:
            return tomllib.loads(text_of(path.read_bytes()))
        except OSError as error:
            self.faults.append(SettingFault(str(path), f"cannot be read: {error.strerror}"))
        except ValueError as error:
            self.faults.append(SettingFault(str(path), f"is not TOML: {error}"))
        return {}

    def _take(self, place: str, setting: Setting, value: Any, source: str, *, strict: bool) -> None:
        try:
            self.values[setting.key] = _checked(setting, value, strict=strict)
            self.sources[setting.key] = source
        except ValueError as error:
            self.faults.append(SettingFault(place, str(error)))


def _parsed(setting: Setting, text: str) -> Any:
    """Convert a variable's text to a switch or a list. Other text is returned unchanged, and `_checked` checks it."""
    match setting.type:
        case msgspec.inspect.BoolType():
            return {"on": True, "off": False}.get(text.lower(), text)
        case msgspec.inspect.VarTupleType():
            return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _checked(setting: Setting, value: Any, *, strict: bool) -> Any:
    """Convert a value to its type. With `strict`, text is not accepted as a number, because a file can contain numbers.

    Raises:
        ValueError: the value is invalid; the message states why.
    """
    if not (isinstance(setting.type, msgspec.inspect.CustomType) or is_text(str(value))):
        raise ValueError("is not UTF-8")
    try:
        converted = msgspec.convert(value, setting.annotation, strict=strict, dec_hook=_decode)
    except msgspec.ValidationError as error:
        raise ValueError(f"must be {rules.wanted(setting.type)}") from error
    return rules.check(setting.key, converted)


def _decode(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str) and value:
        return Path(value).expanduser()
    raise ValueError("not a path")
