"""What several commands take."""

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.settings import Settings
from orchestrator.settings_file import SettingsInvalid, load_settings

Config = Annotated[
    Path | None, typer.Option("--config", help="The settings file, instead of $TANDEM_CONFIG or tandem.toml.")
]


def settings_or_exit(config: Path | None) -> Settings:
    """The settings, or exit code 2 with every problem on standard error."""
    try:
        return load_settings(config)
    except SettingsInvalid as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
