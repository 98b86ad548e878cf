"""Entries of the playbook in words."""

from collections.abc import Iterator
from datetime import UTC, datetime
from textwrap import indent

from rich.markup import escape

from orchestrator.playbook.entry import Entry, Recipe

_ID = 8
_PROBLEM = 48


def row(entry: Entry) -> tuple[str, ...]:
    """An entry as a line of a table."""
    pinned = ", pinned" if entry.pinned else ""
    problem = entry.problem if len(entry.problem) <= _PROBLEM else entry.problem[: _PROBLEM - 1] + "…"
    cells = (
        entry.id[:_ID],
        entry.kind,
        entry.name,
        f"{entry.status}{pinned}",
        _right(entry),
        _against(entry),
        f"{entry.tokens / entry.trials:.0f}" if entry.trials else "–",
        problem,
    )
    # Learned text is a model's: nothing in it is markup for the terminal.
    return tuple(escape(cell) for cell in cells)


def described(entry: Entry) -> Iterator[tuple[str, str]]:
    """What is known of an entry, by name."""
    yield "id", entry.id
    yield "kind", entry.kind
    yield "name", entry.name
    yield "state", f"{entry.status}{', pinned' if entry.pinned else ''}"
    if entry.text:
        yield "text", entry.text
    if entry.recipe is not None:
        yield from _recipe(entry.recipe)
    yield "for", f"questions like: {entry.problem}"
    yield "topic", f"{entry.topic} ({entry.form})"
    yield "right", f"{_right(entry)} outcomes, {entry.win_rate:.0%} expected"
    yield "vs default", f"{_against(entry)} over {entry.evidence.compared} compared outcomes"
    if entry.trials:
        yield "each", f"{entry.tokens / entry.trials:.0f} tokens, cost {entry.cost / entry.trials:.0f}"
    yield "models", f"{entry.pair} (prompts {entry.version})"
    yield "made", _moment(entry.created)
    yield "last used", _moment(entry.used)
    yield "from runs", ", ".join(entry.provenance) or "none known"


def _recipe(recipe: Recipe) -> Iterator[tuple[str, str]]:
    yield "recipe", recipe.name
    if recipe.instruction:
        yield "instruction", recipe.instruction
    for worked in recipe.examples:
        yield "example", f"{worked.problem}\n{indent(worked.solution, ' ' * 13)}"


def _right(entry: Entry) -> str:
    return f"{entry.wins:g} of {entry.trials}" if entry.trials else "not tried"


def _against(entry: Entry) -> str:
    compared = entry.evidence.compared
    return f"{entry.evidence.edge / compared:+.0%}" if compared else "–"


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
