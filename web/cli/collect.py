"""``tandem bench collect``: the outcomes that routers are trained on."""

import asyncio
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from bench.collect import MIXED, Collected, Job, Plan, collect, mixed_jobs
from bench.engines import engines_running
from bench.measured import measured
from bench.questions import NoQuestions, data_folder
from bench.solving import refuse_unknown
from orchestrator.outcomes.store import OutcomeStore, OutcomesUnreadable
from orchestrator.runs import RunRefused
from orchestrator.settings import Settings
from orchestrator.settings_file import SettingsInvalid, load_settings
from orchestrator.stack.part import StackError
from routers.acceptance.card import CardUnreadable
from web.cli.terminal import plain_console, print_error
from workers.engines.errors import EngineError
from workers.model_files.errors import ModelUnavailable

_ROWS = 34


def collect_outcomes(
    data: Annotated[Path | None, typer.Option(help="Folder with NAME.jsonl; else $TANDEM_BENCH_DATA.")] = None,
    dataset: Annotated[
        list[str] | None, typer.Option(help="NAME or NAME:ROWS; repeat for several. Default: a mix of nine.")
    ] = None,
    route: Annotated[
        list[str] | None,
        typer.Option(help="A route such as 'program(large)', with :SEEDS; repeat for several. Default: six."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of outcomes; by default in the data directory.")] = None,
    cache: Annotated[Path | None, typer.Option(help="Cache of generations; by default beside the models.")] = None,
    cached_only: Annotated[
        bool, typer.Option("--cached-only", help="Generate nothing: take what the cache of generations has.")
    ] = False,
    concurrency: Annotated[int, typer.Option(help="Questions under way at once.")] = 4,
    threads: Annotated[int, typer.Option(help="Threads of each engine; 0 takes the settings'.")] = 0,
) -> None:
    """Try questions on routes once and keep what came of it; resumable. Routers are trained on these outcomes."""
    console = plain_console()
    try:
        settings = measured(load_settings(), threads)
        plan = Plan(
            data=data_folder(data),
            jobs=_jobs(settings, dataset, route),
            cache=cache or settings.storage.models.parent / "generations.sqlite",
            concurrency=concurrency,
            cached_only=cached_only,
        )
        store = OutcomeStore(out or settings.storage.directory / "outcomes")
        with nullcontext() if cached_only else engines_running(settings, console, threads):
            collected = asyncio.run(collect(plan, settings, store, console))
    except (
        NoQuestions,
        SettingsInvalid,
        StackError,
        ModelUnavailable,
        OutcomesUnreadable,
        EngineError,
        CardUnreadable,
        RunRefused,
    ) as error:
        print_error(error)
        raise typer.Exit(1) from None
    console.print(_summary(collected, store.folder), soft_wrap=True)


def _summary(collected: Collected, folder: Path) -> str:
    return (
        f"{collected.added} outcomes added, {collected.before} were there, {collected.left} left out because nothing "
        f"was in the cache or the question is too long; in {folder}"
    )


def _jobs(settings: Settings, datasets: list[str] | None, routes: list[str] | None) -> tuple[Job, ...]:
    standard = mixed_jobs(settings)
    if datasets is None and routes is None:
        return standard
    pairs = [_counted(text, _ROWS if routes else 10**9, "ROWS") for text in datasets or MIXED]
    if routes is None:
        kinds = {job.route: job.seeds for job in standard}
    else:
        kinds = dict(_counted(text, 1, "SEEDS") for text in routes)
    for route in kinds:
        refuse_unknown(route, settings)
    return tuple(Job(dataset, route, rows, seeds) for route, seeds in kinds.items() for dataset, rows in pairs)


def _counted(text: str, otherwise: int, what: str) -> tuple[str, int]:
    name, _, number = text.partition(":")
    if number and not (number.isdigit() and int(number)):
        raise NoQuestions(f"{text!r} is not NAME or NAME:{what} with a number from 1")
    return name, int(number) if number else otherwise
