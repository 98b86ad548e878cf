"""``tandem train router``: which route suits which question, from outcomes."""

import asyncio
from pathlib import Path
from typing import Annotated, Literal

import typer

from bench.run import progress_bar
from orchestrator.outcomes.learning import learnable
from orchestrator.outcomes.store import OutcomeStore, OutcomesUnreadable
from orchestrator.router_in_service import shelf_folder
from orchestrator.settings import Settings
from orchestrator.settings_file import SettingsInvalid, load_settings
from routers.embedding import WordEmbedder
from routers.estimators.constant import fit_averages
from routers.estimators.descriptions import embed_parts
from routers.estimators.knn import fit_neighbours
from routers.estimators.length import fit_length
from routers.estimators.protocol import Fit
from routers.estimators.route_to_reason_training import fit_route_to_reason
from routers.estimators.table import Table, TooFewOutcomes
from routers.estimators.win_rate import fit_win_rate
from routers.training import Course, Trained, adding, train, without
from routers.versions import RouterShelf, VersionError
from web.cli.router import show
from web.cli.terminal import plain_console, print_error

Kind = Literal["route-to-reason", "knn", "win-rate", "length", "constant"]


def router(
    outcomes: Annotated[Path | None, typer.Option(help="Folder of outcomes; by default in the data directory.")] = None,
    estimator: Annotated[Kind, typer.Option(help="What learns.")] = "route-to-reason",
    route: Annotated[
        list[str] | None,
        typer.Option(help="A route by role, such as 'program(large)'; repeat for several. Default: every known one."),
    ] = None,
    add: Annotated[
        list[str] | None,
        typer.Option(
            help="A route with a handful of outcomes, 20 or more, to be added to what is learned of the others; repeat "
            "for several. Only for route-to-reason."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the folds and the network.")] = 0,
    folds: Annotated[int, typer.Option(min=2, max=20, help="Of the questions, by split key.")] = 5,
) -> None:
    """Learn which route suits which question, judge it on unseen questions and keep it as a version."""
    console = plain_console()
    try:
        settings = load_settings()
        store = OutcomeStore(outcomes or settings.storage.directory / "outcomes")
        embedder = WordEmbedder()
        everything = learnable(store, settings, embedder, (*(route or ()), *(add or ())) if route else ())
        table = without(everything, add or ())
        course = _course(settings, estimator, seed, folds)
        with progress_bar(console, f"{estimator} on {len(table)} questions", folds + 1) as advance:
            trained: Trained = train(table, _fit(estimator, table, embedder), course, advance)
        for name in add or ():
            trained = adding(trained, name, everything, asyncio.run(embed_parts(embedder, everything.routes)))
        shelf = RouterShelf(shelf_folder(settings))
        path = shelf.save(trained.card, trained.estimator, trained.familiarity, trained.keys)
    except (SettingsInvalid, OutcomesUnreadable, TooFewOutcomes, VersionError) as error:
        print_error(error)
        raise typer.Exit(1) from None
    except ModuleNotFoundError as error:
        print_error(ModuleNotFoundError(f"{error.name} is missing, which training needs: pip install 'tandem[worker]'"))
        raise typer.Exit(1) from None
    show(trained.card, console)
    size = sum(file.stat().st_size for file in path.iterdir())
    console.print(f"written: {path} ({size / 1e6:.2f} MB)", soft_wrap=True)


def _course(settings: Settings, kind: Kind, seed: int, folds: int) -> Course:
    small, large = (settings.models[settings.named(role)].sha256 for role in ("small", "large"))
    return Course(kind, small, large, settings.acceptance.price, seed, folds)


def _fit(kind: Kind, table: Table, embedder: WordEmbedder) -> Fit:
    """Raises ``TooFewOutcomes`` where the routes that this kind compares are not known."""
    match kind:
        case "route-to-reason":
            return fit_route_to_reason(asyncio.run(embed_parts(embedder, table.routes)))
        case "knn":
            return fit_neighbours()
        case "length":
            return fit_length
        case "constant":
            return fit_averages
        case "win-rate":
            strong, weak = "cot(large)", "program(large)"
            if strong not in table.routes or weak not in table.routes:
                raise TooFewOutcomes(f"a win rate is that of {strong} over {weak}; collect outcomes of both")
            return fit_win_rate(strong, weak)
