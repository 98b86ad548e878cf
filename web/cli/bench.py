"""``tandem bench``: measure any route on any question file."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Annotated, get_args

import typer

from bench.engines import engines_running
from bench.main_job import Part, System, parts, systems
from bench.measured import measured
from bench.plot import PlottingMissing
from bench.questions import NoQuestions, data_folder
from bench.run import Plan, check, run
from orchestrator.runs import RunRefused
from orchestrator.settings import Settings
from orchestrator.settings_file import SettingsInvalid, load_settings
from orchestrator.stack.part import StackError
from routers.acceptance.card import CardUnreadable
from routers.route import Effort
from web.cli.collect import collect_outcomes
from web.cli.outcomes import app as outcomes
from web.cli.terminal import plain_console, print_error
from workers.engines.errors import EngineError
from workers.model_files.errors import ModelUnavailable

app = typer.Typer()
app.command("collect")(collect_outcomes)
app.add_typer(outcomes, name="outcomes")


@app.callback(invoke_without_command=True)
def bench(
    context: typer.Context,
    data: Annotated[Path | None, typer.Option(help="Folder with NAME.jsonl; else $TANDEM_BENCH_DATA.")] = None,
    dataset: Annotated[
        list[str] | None, typer.Option(help="NAME or NAME:ROWS; repeat for several. Default: the main job's.")
    ] = None,
    system: Annotated[
        list[str] | None,
        typer.Option(
            help="A model name as in requests, with :EFFORT; repeat for several. Default: all constants and auto."
        ),
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the report.")] = "main-job",
    results: Annotated[Path, typer.Option(help="Where data and plot go.")] = Path("bench/results"),
    cache: Annotated[Path | None, typer.Option(help="Cache of generations; by default beside the models.")] = None,
    concurrency: Annotated[int, typer.Option(help="Questions under way at once.")] = 4,
    threads: Annotated[int, typer.Option(help="Threads of each engine; 0 takes the settings'.")] = 0,
) -> None:
    """Accuracy with interval, tokens, cost; resumable, since every generation is cached as soon as it is made."""
    if context.invoked_subcommand is not None:
        return
    console = plain_console()
    try:
        settings = measured(load_settings(), threads)
        plan = Plan(
            name=name,
            data=data_folder(data),
            parts=_parts(settings, dataset, system),
            cache=cache or settings.storage.models.parent / "generations.sqlite",
            results=results,
            concurrency=concurrency,
        )
        check(plan, settings)
        with engines_running(settings, console, threads):
            asyncio.run(run(plan, settings, console))
    except (
        NoQuestions,
        SettingsInvalid,
        PlottingMissing,
        StackError,
        ModelUnavailable,
        EngineError,
        CardUnreadable,
        RunRefused,
    ) as error:
        print_error(error)
        raise typer.Exit(1) from None


def _parts(settings: Settings, datasets: list[str] | None, names: list[str] | None) -> tuple[Part, ...]:
    wanted = tuple(_system(text) for text in names) if names else None
    if datasets is None:
        standard = parts(settings)
        return standard if wanted is None else tuple(replace(part, systems=wanted) for part in standard)
    return tuple(Part(*_dataset(text), wanted or systems(settings)) for text in datasets)


def _dataset(text: str) -> tuple[str, int]:
    name, _, rows = text.partition(":")
    if rows and not (rows.isdigit() and int(rows)):
        raise NoQuestions(f"{text!r} is not NAME or NAME:ROWS with a number from 1")
    return name, int(rows) if rows else 10**9


def _system(text: str) -> System:
    model, _, effort = text.partition(":")
    for known in get_args(Effort):
        if effort == known:
            return System(model, known)
    if effort:
        raise NoQuestions(f"{effort!r} in {text!r} is no effort; known: {', '.join(get_args(Effort))}")
    return System(model)
