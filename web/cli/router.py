"""``tandem router``: which learned router serves, why, and the way to another one."""

import math
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from orchestrator.outcomes.learning import learnable
from orchestrator.outcomes.store import OutcomeStore, OutcomesUnreadable
from orchestrator.router_in_service import serving_version, shelf_folder
from orchestrator.settings import Settings
from routers.embedding import WordEmbedder
from routers.estimators.table import TooFewOutcomes
from routers.training import rejudge
from routers.versions import Judged, RouterCard, RouterShelf, VersionError
from web.cli.options import Config, settings_or_exit
from web.cli.terminal import plain_console

app = typer.Typer(help="The learned router: what serves and why; put a version in service or go back.")

_Version = Annotated[str, typer.Argument(help="The version's id, from `tandem router status`.")]


@app.command()
def status(config: Config = None) -> None:
    """Show what serves and why, and every version with its evidence."""
    settings, console = settings_or_exit(config), plain_console()
    shelf = RouterShelf(shelf_folder(settings))
    try:
        active, versions = shelf.active(), shelf.versions()
    except VersionError as error:
        raise _failed(error) from None
    console.print(_why(settings, shelf, active, versions), soft_wrap=True)
    for card in versions:
        serving = "serves" if card.id == active else "      "
        line = f"{serving} {card.id}  {card.kind}, {card.questions} questions: {card.verdict()}"
        console.print(line, soft_wrap=True)


@app.command()
def evaluate(
    version: _Version,
    outcomes: Annotated[Path | None, typer.Option(help="Folder of outcomes; by default in the data directory.")] = None,
    config: Config = None,
) -> None:
    """Judge a version on outcomes of questions that it was not trained on; without such, show how it was judged."""
    settings, console = settings_or_exit(config), plain_console()
    shelf = RouterShelf(shelf_folder(settings))
    try:
        card, estimator, _ = shelf.load(version)
        table = learnable(OutcomeStore(outcomes or settings.storage.directory / "outcomes"), settings, WordEmbedder())
        questions, judged = rejudge(table, estimator, shelf.keys(version), settings.acceptance.price, card.fallback)
    except TooFewOutcomes as few:
        console.print(f"as it was judged when it was trained, because of new questions {few}", soft_wrap=True)
        show(card, console)
        return
    except (VersionError, OutcomesUnreadable) as error:
        raise _failed(error) from None
    console.print(f"on {questions} questions that it was not trained on")
    for one in judged:
        console.print(_line(one), soft_wrap=True)


@app.command()
def activate(version: _Version, config: Config = None) -> None:
    """Put a version in service; refused unless it beats the best constant on held-out questions."""
    settings = settings_or_exit(config)
    small, large = (settings.models[settings.named(role)].sha256 for role in ("small", "large"))
    try:
        card = RouterShelf(shelf_folder(settings)).activate(version, small, large)
    except VersionError as error:
        raise _failed(error) from None
    typer.echo(f"{version} serves: {card.verdict()}; a running gateway follows within seconds")


@app.command()
def rollback(config: Config = None) -> None:
    """Go back to what served before the last activation."""
    try:
        now = RouterShelf(shelf_folder(settings_or_exit(config))).rollback()
    except VersionError as error:
        raise _failed(error) from None
    typer.echo(f"{now} serves again" if now else "no learned router serves any more")


def show(card: RouterCard, console: Console) -> None:
    """How a version was judged."""
    families = ", ".join(f"{name} {count}" for name, count in card.families.items())
    console.print(
        f"version {card.id}: {card.kind} over {', '.join(card.routes)}; {card.questions} questions ({families}), "
        f"judged on {card.judged_on} in {card.folds} folds, seed {card.seed}, data {card.data[:12]}",
        highlight=False,
        soft_wrap=True,
    )
    console.print(f"  squared error {card.brier:.3f}; of the averages {card.brier_constant:.3f}")
    for judged in card.judged:
        console.print(_line(judged), soft_wrap=True)
    if card.added:
        console.print(f"  added afterwards, and not judged: {', '.join(card.added)}", soft_wrap=True)
    hint = f"put it in service with `tandem router activate {card.id}`" if card.beats else "it may not serve"
    console.print(f"  {card.verdict()}; {hint}", soft_wrap=True)


def _line(one: Judged) -> str:
    low, high = one.interval
    return (
        f"  effort {one.effort:7} accuracy {one.accuracy:.3f} at cost {one.cost:.2f}; {one.constant} "
        f"{one.constant_accuracy:.3f} at {one.constant_cost:.2f}; oracle {one.oracle_accuracy:.3f}; value "
        f"{one.difference:+.3f} [{low:+.3f}, {high:+.3f}]; headroom captured {one.headroom:.0%}"
    )


def _why(settings: Settings, shelf: RouterShelf, active: str | None, versions: list[RouterCard]) -> str:
    if not settings.router.serve:
        return "no learned router serves, because `serve` under [router] is false"
    if active is not None:
        return _serving(settings, shelf, active)
    if not versions:
        return (
            "no learned router serves, because none was trained: collect outcomes with `tandem bench collect`, then "
            "`tandem train router`"
        )
    if any(card.beats for card in versions):
        return "no learned router serves, although one may: put it in service with `tandem router activate VERSION`"
    return f"no learned router serves. Of the newest version: {versions[-1].verdict()}"


def _serving(settings: Settings, shelf: RouterShelf, active: str) -> str:
    try:
        card, _, _ = serving_version(shelf, active, settings)
    except VersionError as error:
        return f"{active} is in service, but no learned router serves: {error}"
    prices = card.prices(settings.acceptance.price)
    efforts = ", ".join(effort for effort, price in prices.items() if math.isfinite(price))
    if not efforts:
        return f"{active} is in service, but has no say: it was not judged better at any of the prices of now"
    return f"{active} serves `auto` at effort {efforts}: {card.verdict()}"


def _failed(error: Exception) -> typer.Exit:
    typer.echo(str(error), err=True)
    return typer.Exit(1)
