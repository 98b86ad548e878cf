"""``tandem bench outcomes``: what was collected, as one file that tells no question, and back."""

from pathlib import Path
from typing import Annotated

import typer

from bench.outcomes_file import OutcomesFileUnreadable, Restored, export_outcomes, restore_outcomes
from bench.questions import NoQuestions, data_folder
from orchestrator.outcomes.store import OutcomeStore, OutcomesUnreadable
from orchestrator.settings_file import SettingsInvalid, load_settings
from web.cli.terminal import plain_console, print_error

_FILE = Path("bench/results/outcomes.parquet")

app = typer.Typer(help="Outcomes without their questions, as one file, and back.", no_args_is_help=True)

_Store = Annotated[Path | None, typer.Option(help="Folder of outcomes; by default in the data directory.")]


@app.command()
def export(
    outcomes: _Store = None,
    file: Annotated[Path, typer.Option(help="Where to write them.")] = _FILE,
) -> None:
    """Write the benchmark outcomes to one file without a word of the questions."""
    try:
        written = export_outcomes(_store(outcomes).read(), file)
    except (SettingsInvalid, OutcomesUnreadable, OSError) as error:
        print_error(error)
        raise typer.Exit(1) from None
    plain_console().print(
        f"{written.outcomes} outcomes of {written.questions} questions, of {written.hidden} the answer as a digest "
        f"only; {written.left} of real runs left out; written: {file} ({file.stat().st_size / 1e6:.2f} MB)",
        soft_wrap=True,
    )


@app.command()
def restore(
    data: Annotated[Path | None, typer.Option(help="Folder with NAME.jsonl; else $TANDEM_BENCH_DATA.")] = None,
    outcomes: _Store = None,
    file: Annotated[Path, typer.Option(help="What `export` wrote.")] = _FILE,
    without: Annotated[list[str] | None, typer.Option(help="A data set to leave out; repeat for several.")] = None,
) -> None:
    """Add the outcomes of such a file to the store, with the questions from your own files."""
    try:
        store = _store(outcomes)
        restored = restore_outcomes(file, data_folder(data), store, without or ())
    except (SettingsInvalid, NoQuestions, OutcomesUnreadable, OutcomesFileUnreadable) as error:
        print_error(error)
        raise typer.Exit(1) from None
    plain_console().print(_summary(restored, store.folder), soft_wrap=True)


def _store(folder: Path | None) -> OutcomeStore:
    return OutcomeStore(folder or load_settings().storage.directory / "outcomes")


def _summary(restored: Restored, folder: Path) -> str:
    said = f"{restored.added} outcomes restored, {restored.before} were there; in {folder}"
    if not restored.missing:
        return said
    sets = ", ".join(f"{name} {count}" for name, count in sorted(restored.missing.items()))
    return f"{said}\nleft out, because the data folder does not have their questions or words them differently: {sets}"
