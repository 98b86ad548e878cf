"""``tandem models``: the model files on this machine."""

import typer

from orchestrator.model_files import fetched_here, obtain
from web.cli.options import Config, settings_or_exit
from web.cli.terminal import plain_console, print_error
from workers.model_files.errors import ModelUnavailable
from workers.model_files.progress import progress_on

app = typer.Typer(help="The model files on this machine.", no_args_is_help=True)


@app.callback()
def models() -> None:
    """The model files on this machine."""


@app.command()
def fetch(config: Config = None) -> None:
    """Fetch the files of all models that this machine serves; those already there are only checked."""
    console = plain_console()
    settings = settings_or_exit(config)
    for name in fetched_here(settings):
        try:
            path = obtain(settings, name, progress_on(console))
        except ModelUnavailable as error:
            print_error(error)
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            typer.echo("\ninterrupted; `tandem models fetch` goes on from here", err=True)
            raise typer.Exit(130) from None
        console.print(f"{name}: {path}", soft_wrap=True)
