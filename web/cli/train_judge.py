"""``tandem train judge``: how often answers are right to which the judging model says yes."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from agents.verifying.judge import Judge
from bench.engines import engines_running
from bench.judging import judged_answers
from bench.measured import measured
from bench.questions import NoQuestions, data_folder, spread_questions
from bench.run import open_solver, progress_bar
from orchestrator.settings import Settings
from orchestrator.settings_file import SettingsInvalid, load_settings
from orchestrator.stack.part import StackError
from routers.acceptance.fitting import TrainingMissing
from routers.acceptance.training import TooFewOutcomes
from routers.judging.card import JudgeCard
from routers.judging.training import JudgedAnswer, calibrate_judge
from web.cli.terminal import plain_console, print_error
from workers.engines.errors import EngineError
from workers.model_files.errors import ModelUnavailable

_DATASETS = ("gsm8k_train", "svamp")


def judge(
    data: Annotated[Path | None, typer.Option(help="Folder with NAME.jsonl; else $TANDEM_BENCH_DATA.")] = None,
    dataset: Annotated[
        list[str] | None,
        typer.Option(help="Questions with known answers; repeat for several. Default: gsm8k_train, svamp."),
    ] = None,
    rows: Annotated[int, typer.Option(help="Questions of each set, of all its subjects.")] = 40,
    cache: Annotated[Path | None, typer.Option(help="Cache of generations; by default beside the models.")] = None,
    out: Annotated[Path | None, typer.Option(help="The card's file; by default in the data directory.")] = None,
    seed: Annotated[int, typer.Option(help="Of the folds.")] = 0,
    concurrency: Annotated[int, typer.Option(help="Questions under way at once.")] = 4,
    threads: Annotated[int, typer.Option(help="Threads of each engine; 0 takes the settings'.")] = 0,
) -> None:
    """Let both models answer known questions, let the large one judge, and learn what its verdicts are worth."""
    console = plain_console()
    try:
        settings = measured(load_settings(), threads)
        place = cache or settings.storage.models.parent / "generations.sqlite"
        with engines_running(settings, console, threads):
            answers = asyncio.run(
                _judged(settings, place, data_folder(data), dataset or list(_DATASETS), rows, concurrency, console)
            )
        card = calibrate_judge(answers, settings.models[settings.named("large")].sha256, seed)
    except (
        NoQuestions,
        SettingsInvalid,
        StackError,
        ModelUnavailable,
        EngineError,
        TooFewOutcomes,
        TrainingMissing,
    ) as error:
        print_error(error)
        raise typer.Exit(1) from None
    path = out or settings.storage.directory / "judge.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(card.model_dump_json(indent=1) + "\n")
    _show(card, console)
    console.print(f"written: {path}", soft_wrap=True)


async def _judged(
    settings: Settings,
    cache: Path,
    data: Path,
    datasets: list[str],
    rows: int,
    concurrency: int,
    console: Console,
) -> list[JudgedAnswer]:
    models = (settings.named("small"), settings.named("large"))
    verifier = Judge(settings.named("large"))
    answers: list[JudgedAnswer] = []
    async with open_solver(settings, cache) as solver:
        for dataset in datasets:
            questions = spread_questions(data, dataset, rows)
            with progress_bar(console, dataset, len(questions)) as advance:
                answers += await judged_answers(solver, dataset, questions, models, verifier, advance, concurrency)
    return answers


def _show(card: JudgeCard, console: Console) -> None:
    sets = ", ".join(f"{name} {count}" for name, count in card.answers.items())
    console.print(f"learned from answers of {sets}, of which {card.right:.0%} are right, seed {card.seed}")
    for name, value in card.metrics.items():
        console.print(f"  {name:24} {value:.3f}")
