"""``tandem keys``: make, list and revoke API keys."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from orchestrator.settings_file import SettingsInvalid, load_settings
from orchestrator.storage.database import Database
from orchestrator.storage.keys import UnknownKey
from orchestrator.storage.records import ApiKey, CreatedKey
from orchestrator.storage.urls import database_url
from web.cli.terminal import plain_console

app = typer.Typer(help="API keys. Until the first one is made, only this machine is served, without a key.")

Config = Annotated[Path | None, typer.Option("--config", help="The settings file, instead of tandem.toml.")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose key it is, or what for.")],
    hide_reasoning: Annotated[
        bool, typer.Option("--hide-reasoning", help="The holder sees answers but no raw reasoning.")
    ] = False,
    runs_per_minute: Annotated[int | None, typer.Option(min=1, help="Instead of the settings' limit.")] = None,
    concurrent_runs: Annotated[int | None, typer.Option(min=1, help="Instead of the settings' limit.")] = None,
    tools: Annotated[
        list[str] | None,
        typer.Option(help="A tool the holder may use, or a pattern such as 'github__*'; '' for none. Repeatable."),
    ] = None,
    config: Config = None,
) -> None:
    """Make a key and print it, this once."""
    allowed = None if tools is None else tuple(tool for tool in tools if tool)
    made = asyncio.run(_create(_url(config), name, not hide_reasoning, runs_per_minute, concurrent_runs, allowed))
    # The key alone on standard output, so that a script can keep it.
    typer.echo(f"{made.key.id} ({name}): keep this key, it is not shown again", err=True)
    typer.echo(made.plain)


@app.command("list")
def list_(config: Config = None) -> None:
    """Show every key, without its secret."""
    table = Table("id", "name", "key", "made", "state", "reasoning", "runs/min", "at once", "tools")
    for key in asyncio.run(_list(_url(config))):
        table.add_row(*_cells(key))
    plain_console().print(table)


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(help="The key's id, from `tandem keys list`.")], config: Config = None
) -> None:
    """Put a key out of force; a running gateway notices within a second."""
    try:
        asyncio.run(_revoke(_url(config), key))
    except UnknownKey as error:
        typer.echo(str(error.args[0]), err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{key} is revoked")


def _url(config: Path | None) -> str:
    try:
        return database_url(load_settings(config).storage)
    except SettingsInvalid as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


async def _create(
    url: str,
    name: str,
    may_see_reasoning: bool,
    runs_per_minute: int | None,
    concurrent_runs: int | None,
    tools: tuple[str, ...] | None,
) -> CreatedKey:
    async with Database.open(url) as database:
        return await database.create_key(name, may_see_reasoning, runs_per_minute, concurrent_runs, tools)


async def _list(url: str) -> list[ApiKey]:
    async with Database.open(url) as database:
        return await database.list_keys()


async def _revoke(url: str, key: str) -> None:
    async with Database.open(url) as database:
        await database.revoke_key(key)


def _cells(key: ApiKey) -> tuple[str, ...]:
    def limit(value: int | None) -> str:
        return "settings" if value is None else str(value)

    return (
        key.id,
        key.name,
        f"tandem-{key.hint}…",
        datetime.fromtimestamp(key.created, UTC).strftime("%Y-%m-%d"),
        "in force" if key.revoked is None else "revoked",
        "shown" if key.may_see_reasoning else "hidden",
        limit(key.runs_per_minute),
        limit(key.concurrent_runs),
        "settings" if key.tools is None else ", ".join(key.tools) or "none",
    )
