"""``tandem doctor``: what is missing, and how to mend it."""

import asyncio

import typer
from rich.console import Console

from orchestrator.diagnosis import Finding, diagnose
from orchestrator.settings_file import SettingsInvalid, load_settings, settings_path
from web.cli.options import Config
from web.cli.terminal import plain_console


def doctor(config: Config = None) -> None:
    """Check settings, models, Redis, sandbox, ports, engines, tokenizers and disk; exit code 1 if anything is wrong."""
    console = plain_console()
    try:
        settings = load_settings(config)
    except SettingsInvalid as error:
        for problem in error.problems:
            _print(console, Finding("settings", False, str(problem)))
        raise typer.Exit(1) from None
    _print(console, Finding("settings", True, str(settings_path(config) or "built-in cpu profile")))
    findings = asyncio.run(diagnose(settings))
    for finding in findings:
        _print(console, finding)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def _print(console: Console, finding: Finding) -> None:
    word, style = ("ok", "green") if finding.ok else ("problem", "red")
    console.print(f"{word:8}", style=style, end="")
    console.print(f"{finding.part}: {finding.text}", soft_wrap=True)
