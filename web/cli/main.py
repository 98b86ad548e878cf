"""The console script: puts the commands together."""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

_PLACES: Mapping[str, str] = MappingProxyType(
    {
        "serve": "web.cli.serve:serve",
        "doctor": "web.cli.doctor:doctor",
        "init": "web.cli.init:init",
        "ask": "web.cli.ask:ask",
        "bench": "web.cli.bench:app",
        "models": "web.cli.models:app",
        "keys": "web.cli.keys:app",
        "playbook": "web.cli.playbook:app",
        "train": "web.cli.train:app",
        "router": "web.cli.router:app",
    }
)
"""Each command as MODULE:NAME of a function or of a group of commands."""


class _Commands(TyperGroup):
    """Imports a command's module when it is called for: most commands need little of what all of them together read,
    and a question should not wait for what training needs."""

    def list_commands(self, ctx: object) -> list[str]:
        return list(_PLACES)

    def get_command(self, ctx: object, cmd_name: str) -> TyperCommand | TyperGroup | None:
        if cmd_name in _PLACES:
            return _loaded(cmd_name)
        # What was meant is looked for among these, by their names.
        self.commands = {name: TyperCommand(name) for name in _PLACES}
        return None


def _loaded(name: str) -> TyperCommand | TyperGroup:
    module, _, attribute = _PLACES[name].partition(":")
    found = getattr(import_module(module), attribute)
    if isinstance(found, typer.Typer):
        group = get_group(found)
        group.name = name
        return group
    app = typer.Typer(add_completion=False)
    app.command(name)(found)
    command = get_command(app)
    assert isinstance(command, TyperCommand), "an app of one command and no callback is that command"
    return command


def build() -> typer.Typer:
    app = typer.Typer(
        name="tandem",
        cls=_Commands,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def tandem() -> None:
        """One endpoint in front of several language models: the least compute that gives a checked answer."""

    return app


def main() -> None:
    """What ``tandem`` runs."""
    build()()
