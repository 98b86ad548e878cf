"""``tandem train asking``: when the words of a question make it worth asking what is missing."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.questions import NoQuestions, Question, data_folder, spread_questions
from orchestrator.settings_file import SettingsInvalid, load_settings
from routers.acceptance.fitting import TrainingMissing
from routers.acceptance.training import TooFewOutcomes
from routers.asking.card import AskingCard
from routers.asking.training import KnownQuestion, train_asking
from web.cli.terminal import plain_console, print_error

_LACKING = ("umwp",)
_ORDINARY = ("gsm8k_train", "svamp", "mawps")
_ALL = 1_000_000


def asking(
    data: Annotated[Path | None, typer.Option(help="Folder with NAME.jsonl; else $TANDEM_BENCH_DATA.")] = None,
    dataset: Annotated[
        list[str] | None,
        typer.Option(help="Questions that say whether they can be answered; repeat for several. Default: umwp."),
    ] = None,
    ordinary: Annotated[
        list[str] | None,
        typer.Option(help="Questions that can; repeat for several. Default: gsm8k_train, svamp, mawps."),
    ] = None,
    leave_out: Annotated[
        int, typer.Option(help="Leave out the first so many questions of each --dataset, and those of the same origin.")
    ] = 0,
    out: Annotated[Path | None, typer.Option(help="The card's file; by default in the data directory.")] = None,
    seed: Annotated[int, typer.Option(help="Of the folds.")] = 0,
) -> None:
    """Learn from known questions what the signs in a question's words say of whether it lacks something."""
    console = plain_console()
    try:
        settings = load_settings()
        folder = data_folder(data)
        twins = {name: spread_questions(folder, name, _ALL) for name in dataset or _LACKING}
        left = {one.split_key for rows in twins.values() for one in rows[:leave_out]}
        known = [_known(name, one) for name, rows in twins.items() for one in rows[leave_out:]]
        for name in ordinary or _ORDINARY:
            known += [_known(name, one) for one in spread_questions(folder, name, _ALL)]
        card = train_asking([one for one in known if one.key not in left], seed)
    except (NoQuestions, SettingsInvalid, TooFewOutcomes, TrainingMissing) as error:
        print_error(error)
        raise typer.Exit(1) from None
    path = out or settings.storage.directory / "asking.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(card.model_dump_json(indent=1) + "\n")
    _show(card, console)
    console.print(f"written: {path}", soft_wrap=True)


def _known(dataset: str, question: Question) -> KnownQuestion:
    lacks = None if question.answerable is None else not question.answerable
    return KnownQuestion(dataset, question.split_key or question.id, question.question, lacks)


def _show(card: AskingCard, console: Console) -> None:
    sets = ", ".join(f"{name} {count}" for name, count in card.questions.items())
    console.print(f"learned from {sets}, of which {card.lacking} lack something, seed {card.seed}")
    for name, value in card.metrics.items():
        console.print(f"  {name:13} {value:.3f}")
