"""Load the settings: ``tandem.toml`` with environment variables on top, each problem with its line and value."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from orchestrator.settings import Settings
from orchestrator.settings_consistency import Fault, faults
from orchestrator.settings_environment import environment_values
from orchestrator.settings_keys import unknown_key
from orchestrator.toml_lines import key_lines

CONFIG_VARIABLE = "TANDEM_CONFIG"
DEFAULT_FILE = "tandem.toml"
DEFAULT_PROFILE = "cpu"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with the settings. ``place`` is a file and line, or an environment variable."""

    place: str
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.key}: {self.message}" if self.key else f"{self.place}: {self.message}"


class SettingsInvalid(Exception):
    """The settings cannot be used; the message lists every problem, one a line."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def load_settings(path: Path | None = None, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings from ``path``, else $TANDEM_CONFIG, else ./tandem.toml, else the built-in cpu profile.

    Variables such as ``TANDEM__GATEWAY__PORT=8001`` override the file, and ``REDIS_URL`` an empty redis url. Raises
    ``SettingsInvalid``.
    """
    source, text = _read(settings_path(path, environment))
    try:
        written = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsInvalid((Problem(source, "", f"this is not TOML: {error}"),)) from error
    overrides, origins, strays = environment_values(environment, written)
    values = _merged(written, overrides)
    redis = values.setdefault("redis", {})
    if environment.get("REDIS_URL") and isinstance(redis, dict) and not redis.get("url"):
        values = _merged(values, {"redis": {"url": environment["REDIS_URL"]}})
        origins["redis", "url"] = "REDIS_URL"
    problems = [Problem(variable, "", message) for variable, message in strays]
    settings, wrong = _validated(values)
    if wrong:
        places = {path: f"{source}:{line}" for path, line in key_lines(text).items()} | origins
        problems += [Problem(_place(path, places) or f"{source}:1", ".".join(path), message) for path, message in wrong]
    if settings is None or problems:
        raise SettingsInvalid(tuple(problems))
    return settings


def settings_path(path: Path | None, environment: Mapping[str, str] = os.environ) -> Path | None:
    """The file that ``load_settings`` would read; None means the built-in profile."""
    if path is not None:
        return path
    if named := environment.get(CONFIG_VARIABLE):
        return Path(named)
    return Path(DEFAULT_FILE) if Path(DEFAULT_FILE).is_file() else None


def profile_text(profile: str) -> str:
    """The commented ``tandem.toml`` of a profile: cpu, gpu or api."""
    return resources.files("orchestrator").joinpath("profiles", f"{profile}.toml").read_text(encoding="utf-8")


def profiles() -> list[str]:
    """Names of the built-in profiles."""
    folder = resources.files("orchestrator").joinpath("profiles")
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def _read(path: Path | None) -> tuple[str, str]:
    if path is None:
        return f"built-in {DEFAULT_PROFILE} profile", profile_text(DEFAULT_PROFILE)
    try:
        return str(path), path.read_text(encoding="utf-8")
    except OSError as error:
        message = f"cannot be read ({error.strerror}); `tandem init` writes one"
        raise SettingsInvalid((Problem(str(path), "", message),)) from error
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 (byte {error.start}: {error.object[error.start]:#x})"
        raise SettingsInvalid((Problem(str(path), "", message),)) from error


def _merged(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        merged[key] = _merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _validated(values: Mapping[str, Any]) -> tuple[Settings | None, list[Fault]]:
    """The settings, and what is wrong with them: with single ones, else with what they are together."""
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        return None, [_fault(details) for details in error.errors()]
    return settings, list(faults(settings))


def _place(path: tuple[str, ...], places: Mapping[tuple[str, ...], str]) -> str | None:
    """Where the setting at ``path`` is written down, or else the nearest table around it that is."""
    return next((places[path[:length]] for length in range(len(path), 0, -1) if path[:length] in places), None)


def _fault(details: ErrorDetails) -> Fault:
    path = tuple(str(part) for part in details["loc"] if part != "[key]")
    return path, _message(details, path)


def _message(details: ErrorDetails, path: tuple[str, ...]) -> str:
    if details["type"] == "extra_forbidden":
        return unknown_key(Settings, path)
    if details["type"] == "missing":
        return "is missing and has no default"
    if details["type"] == "too_short":
        least = details["ctx"]["min_length"]
        return f"{details['input']!r} is too short: {least} is the least, and without the key its default serves"
    allowed = details["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if details["type"] == "value_error":
        return allowed
    return f"{details['input']!r} {allowed}"
