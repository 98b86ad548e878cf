"""``tandem train``: what is learned for a pair of models."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from agents.prompts import render
from bench.engines import closed_after, engines_running
from bench.questions import NoQuestions, data_folder, read_questions
from orchestrator.model_files import locate
from orchestrator.model_park import build_engine
from orchestrator.settings import Settings
from orchestrator.settings_file import SettingsInvalid, load_settings
from orchestrator.stack.part import StackError
from web.cli.terminal import plain_console, print_error
from web.cli.train_acceptance import acceptance
from web.cli.train_asking import asking
from web.cli.train_judge import judge
from web.cli.train_router import router
from workers.collaboration.protocol import VocabulariesDiffer
from workers.divergence.dataset import TooFewLabels
from workers.divergence.pipeline import Labelled, OtherPair, Pair, Pipeline
from workers.divergence.records import TrainingQuestion
from workers.divergence.shelf import shipped_name
from workers.divergence.training_options import TrainingOptions
from workers.engines.errors import EngineError
from workers.engines.torch_engine import TorchEngine
from workers.model_files.errors import ModelUnavailable

_DATASETS = ("gsm8k_train", "svamp")

app = typer.Typer(help="Train what the policies of two models use.", no_args_is_help=True)
app.command()(acceptance)
app.command()(asking)
app.command()(judge)
app.command()(router)


@app.callback()
def train() -> None:
    """Train what the policies of two models use."""


@app.command()
def divergence(
    data: Annotated[Path | None, typer.Option(help="Folder with NAME.jsonl; else $TANDEM_BENCH_DATA.")] = None,
    dataset: Annotated[
        list[str] | None, typer.Option(help="Training questions; repeat for several. Default: gsm8k_train, svamp.")
    ] = None,
    rows: Annotated[int, typer.Option(help="Questions of each set, the first ones.")] = 40,
    labels: Annotated[int, typer.Option(help="How many judged mismatches are enough.")] = 700,
    folder: Annotated[
        Path | None, typer.Option(help="Answers, readings and labels so far; by default beside the models.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The head's file; by default in that folder.")] = None,
    seed: Annotated[int, typer.Option(help="Of the folds and the network.")] = 0,
    recall: Annotated[float, typer.Option(help="Of divergent tokens that the threshold has to find.")] = 0.95,
    large_share: Annotated[
        float, typer.Option(help="Choose the threshold by this share of large tokens instead; 0: by recall.")
    ] = 0.0,
    threads: Annotated[int, typer.Option(help="Threads of each engine and of torch; 0 takes the settings'.")] = 0,
    labels_only: Annotated[bool, typer.Option("--labels-only", help="Label, and train nothing.")] = False,
) -> None:
    """Label where the two models part ways and train the head of the policy `divergence`; resumable at every step. With
    enough labels in the folder no model is asked, and no engine started."""
    console = plain_console()
    options = TrainingOptions(seed=seed, recall=recall, large_share=large_share or None)
    try:
        settings = load_settings().with_threads(threads)
        place = folder or settings.storage.models.parent / "divergence"
        questions = _questions(data_folder(data), dataset or list(_DATASETS), rows)
        labelled = _labelled(settings, place, questions, labels, console)
        if labels_only:
            console.print(f"{len(labelled.labels)} labels of {len(labelled.answers)} answers are in {place}")
            return
        head = _pipeline(settings, place, console).train(labelled, options)
    except (
        NoQuestions,
        SettingsInvalid,
        StackError,
        ModelUnavailable,
        TooFewLabels,
        OtherPair,
        VocabulariesDiffer,
        EngineError,
    ) as error:
        print_error(error)
        raise typer.Exit(1) from None
    path = out or place / shipped_name(head.card.small, head.card.large)
    head.save(path)
    for name, value in head.card.metrics.items():
        console.print(f"  {name:20} {value:.3f}")
    console.print(f"threshold {head.threshold:.3f}; written: {path} ({path.stat().st_size / 1e6:.2f} MB)")


def _questions(folder: Path, datasets: list[str], rows: int) -> list[TrainingQuestion]:
    """The data sets in turn, so that few labels are of all of them."""
    columns = [read_questions(folder, dataset, rows) for dataset in datasets]
    longest = max(len(column) for column in columns)
    mixed = [column[index] for index in range(longest) for column in columns if index < len(column)]
    return [TrainingQuestion(id=row.id, text=render("cot", question=row.question)) for row in mixed]


def _pipeline(settings: Settings, place: Path, console: Console) -> Pipeline:
    small, large = (settings.models[settings.named(role)] for role in ("small", "large"))
    return Pipeline(place, Pair(small.sha256, large.sha256), lambda line: console.print(f"  {line}"))


def _labelled(
    settings: Settings, place: Path, questions: list[TrainingQuestion], labels: int, console: Console
) -> Labelled:
    kept = _pipeline(settings, place, console).kept(questions, labels)
    if kept is not None:
        return kept
    with engines_running(settings, console):
        return asyncio.run(_label(settings, place, questions, labels, console))


async def _label(
    settings: Settings, place: Path, questions: list[TrainingQuestion], labels: int, console: Console
) -> Labelled:
    small, large = settings.named("small"), settings.named("large")
    reader = TorchEngine(small, locate(settings, small), threads=settings.models[small].engine.threads)
    async with closed_after((reader, engine := build_engine(settings, large))):
        return await _pipeline(settings, place, console).label(reader, engine, questions, labels)
