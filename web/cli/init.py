"""``tandem init``: write a commented settings file."""

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.settings_file import DEFAULT_FILE, profile_text, profiles


def init(
    profile: Annotated[
        str, typer.Option(help="cpu (two small models here), gpu (SGLang servers), api (LiteLLM).")
    ] = "cpu",
    output: Annotated[Path, typer.Option(help="The file to write.")] = Path(DEFAULT_FILE),
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it exists.")] = False,
) -> None:
    """Write tandem.toml for a profile."""
    if profile not in profiles():
        raise typer.BadParameter(f"there is no profile {profile!r}; choose one of {', '.join(profiles())}")
    try:
        with output.open("w" if force else "x", encoding="utf-8") as file:
            file.write(profile_text(profile))
    except FileExistsError:
        typer.echo(f"{output} exists already; --force overwrites it, --output writes another file", err=True)
        raise typer.Exit(1) from None
    except OSError as error:
        typer.echo(f"{output} cannot be written ({error.strerror})", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"wrote {output} ({profile} profile); `tandem doctor` checks it, `tandem serve` starts it")
