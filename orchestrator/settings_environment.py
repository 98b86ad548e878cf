"""Settings from environment variables: ``TANDEM__SECTION__KEY=value``."""

from collections.abc import Mapping
from typing import Any

from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from orchestrator.settings import Settings
from orchestrator.settings_keys import unknown_key

PREFIX = "TANDEM__"
_DELIMITER = "__"

Path = tuple[str, ...]


class _Environment(Settings, BaseSettings):
    """The same fields, read by pydantic-settings; used for its parsing only, never instantiated."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter=_DELIMITER, frozen=True, extra="forbid")


def environment_values(
    environment: Mapping[str, str], written: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[Path, str], list[tuple[str, str]]]:
    """Values to lay over what is ``written`` in the file.

    Returns the nested values, the variable that each key path came from, and (variable, message) for those that name
    nothing. Names are matched without regard to case, model names against the ones in the file.
    """
    ours = {name: value for name, value in environment.items() if name.upper().startswith(PREFIX)}
    if not ours:
        return {}, {}, []
    values: dict[str, Any] = {}
    origins: dict[Path, str] = {}
    strays: list[tuple[str, str]] = []
    for name, value in ours.items():
        path = _as_written(tuple(name[len(PREFIX) :].split(_DELIMITER)), written)
        if path[0] not in Settings.model_fields:
            strays.append((name, unknown_key(Settings, path[:1])))
            continue
        try:
            parsed = _parse(path, value)
        except SettingsError as error:
            strays.append((name, f"{value!r} cannot be parsed ({error.__cause__ or error})"))
            continue
        _set(values, path, parsed)
        origins[path] = name
    return values, origins, strays


def _parse(path: Path, value: str) -> Any:
    """``value`` as pydantic-settings decodes it for that field (JSON for lists and tables, text for the rest)."""
    source = EnvSettingsSource(_Environment)
    source.env_vars = {(PREFIX + _DELIMITER.join(path)).lower(): value}
    found: Any = source()
    for key in path:
        found = next((inner for name, inner in found.items() if name.lower() == key.lower()), value)
        if not isinstance(found, dict):
            break
    return found


def _as_written(path: Path, written: Mapping[str, Any]) -> Path:
    spelled: list[str] = []
    table: Any = written
    for key in path:
        names = list(table) if isinstance(table, Mapping) else []
        name = next((name for name in names if name.lower() == key.lower()), key.lower())
        spelled.append(name)
        table = table.get(name) if isinstance(table, Mapping) else None
    return tuple(spelled)


def _set(values: dict[str, Any], path: Path, value: Any) -> None:
    for key in path[:-1]:
        values = values.setdefault(key, {})
    values[path[-1]] = value
