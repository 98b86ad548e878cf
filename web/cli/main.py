"""The console script: puts the commands together."""

import typer

from web.cli import bench, keys, models, playbook, router, train
from web.cli.ask import ask
from web.cli.doctor import doctor
from web.cli.init import init
from web.cli.serve import serve


def build() -> typer.Typer:
    app = typer.Typer(
        name="tandem",
        help="One endpoint in front of several language models: the least compute that gives a checked answer.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    for command in (serve, doctor, init, ask):
        app.command()(command)
    app.add_typer(bench.app, name="bench")
    app.add_typer(models.app, name="models")
    app.add_typer(keys.app, name="keys")
    app.add_typer(playbook.app, name="playbook")
    app.add_typer(train.app, name="train")
    app.add_typer(router.app, name="router")
    return app


def main() -> None:
    """What ``tandem`` runs."""
    build()()
