"""``tandem train acceptance``: how probably an answer is right, from outcomes."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from orchestrator.answering_in_service import answering_of
from orchestrator.outcomes.learning import of_these_models
from orchestrator.outcomes.store import OutcomeStore, OutcomesUnreadable
from orchestrator.settings import Settings
from orchestrator.settings_file import SettingsInvalid, load_settings
from routers.acceptance.asked import asked_of
from routers.acceptance.card import AcceptanceCard
from routers.acceptance.fitting import TrainingMissing
from routers.acceptance.shelf import shipped_name
from routers.acceptance.training import Pair, TooFewOutcomes, train
from web.cli.terminal import plain_console, print_error


def acceptance(
    outcomes: Annotated[Path | None, typer.Option(help="Folder of outcomes; by default in the data directory.")] = None,
    out: Annotated[Path | None, typer.Option(help="The card's file; by default in the data directory.")] = None,
    seed: Annotated[int, typer.Option(help="Of the folds.")] = 0,
) -> None:
    """Learn from outcomes how probably an answer is right, what another attempt adds and what risk can be kept."""
    console = plain_console()
    try:
        settings = load_settings()
        card = _card(settings, OutcomeStore(outcomes or settings.storage.directory / "outcomes"), seed)
    except (SettingsInvalid, OutcomesUnreadable, TooFewOutcomes, TrainingMissing) as error:
        print_error(error)
        raise typer.Exit(1) from None
    path = out or settings.storage.directory / "acceptance" / shipped_name(card.small, card.large)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(card.model_dump_json(indent=1) + "\n")
    _show(card, console)
    console.print(f"written: {path} ({path.stat().st_size / 1000:.0f} kB)", soft_wrap=True)


def _card(settings: Settings, store: OutcomeStore, seed: int) -> AcceptanceCard:
    small, large = settings.named("small"), settings.named("large")
    pair = Pair(
        settings.models[small].sha256,
        settings.models[large].sha256,
        {name: model.parameters for name, model in settings.models.items()},
    )
    roles = {name: model.role for name, model in settings.models.items()}
    asked = asked_of(of_these_models(store.read(), settings), roles)
    return train(asked, pair, answering_of(settings), seed)


def _show(card: AcceptanceCard, console: Console) -> None:
    families = ", ".join(f"{name} {count}" for name, count in card.families.items())
    console.print(f"learned from {sum(card.families.values())} questions ({families}), seed {card.seed}")
    for name, value in card.metrics.items():
        console.print(f"  {name:14} {value:.3f}")
    for measured in card.measured:
        share = f"{measured.right}/{measured.n}"
        console.print(f"  {measured.form:10} {measured.route:16} right {share:>9}  cost {measured.cost:.2f}")
    for point in card.risks:
        answered = f"{point.answered}/{point.n}"
        console.print(f"  {point.form:10} risk {point.risk:4.2f}: answers {answered} from {point.threshold:.3f}")
