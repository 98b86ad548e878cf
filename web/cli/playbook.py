"""``tandem playbook``: what was learned, listed, changed, carried away and brought back."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer
from redis.exceptions import RedisError
from rich.table import Table

from orchestrator.playbook.entry import KINDS, STATUSES, Entry, UnknownEntry
from orchestrator.playbook.jsonl import BadLine, line_of, read_lines
from orchestrator.playbook.rebuild import NotTheirs, Rebuilt
from orchestrator.runs import SINGLE_USER
from web.cli.options import Config, settings_or_exit
from web.cli.playbook_kept import Kept, kept_open
from web.cli.playbook_text import described, row
from web.cli.terminal import plain_console

app = typer.Typer(help="What the service has learned: ways of solving, with their evidence.", no_args_is_help=True)

_SHORTEST = 4
_Result = TypeVar("_Result")
_Name = TypeVar("_Name", bound=str)

Owner = Annotated[str, typer.Option(help="Whose: a key's id from `tandem keys list`, or 'local' without keys.")]
OneEntry = Annotated[str, typer.Argument(help="The entry's id, or the beginning of it.")]
OfKind = Annotated[str | None, typer.Option(help="Only these: recipe, behaviour or example.")]
InState = Annotated[str | None, typer.Option(help="Only these: candidate, promoted, demoted or disabled.")]


class _Ambiguous(Exception):
    """The beginning of an id that several entries have, or too short a one."""


@app.command("list")
def list_(
    kind: OfKind = None,
    status: InState = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, the most valuable ones.")] = 50,
    owner: Owner = SINGLE_USER,
    config: Config = None,
) -> None:
    """Show entries, the most valuable first."""
    wanted_kind, wanted_status = _one_of("--kind", kind, KINDS), _one_of("--status", status, STATUSES)

    async def work(kept: Kept) -> tuple[Entry, ...]:
        page = await kept.playbook.entries(owner, kind=wanted_kind, status=wanted_status, limit=limit)
        return page.entries

    _show(_run(config, work))


@app.command()
def search(
    text: Annotated[str, typer.Argument(help="A question, or words of one.")],
    kind: OfKind = None,
    status: InState = None,
    limit: Annotated[int, typer.Option(min=1, help="How many.")] = 10,
    owner: Owner = SINGLE_USER,
    config: Config = None,
) -> None:
    """Show the entries about the most similar questions, most similar first."""
    wanted_kind, wanted_status = _one_of("--kind", kind, KINDS), _one_of("--status", status, STATUSES)

    async def work(kept: Kept) -> list[Entry]:
        statuses = () if wanted_status is None else (wanted_status,)
        found = await kept.playbook.search(owner, text, kind=wanted_kind, statuses=statuses, count=limit)
        return [item.entry for item in found]

    _show(_run(config, work))


@app.command()
def show(entry: OneEntry, owner: Owner = SINGLE_USER, config: Config = None) -> None:
    """Show one entry with all that is known of it."""
    found = _run(config, lambda kept: _found(kept, owner, entry))
    for name, value in described(found):
        typer.echo(f"{name:12} {value}")


@app.command()
def pin(
    entry: OneEntry,
    off: Annotated[bool, typer.Option("--off", help="Let it go again when there is no room.")] = False,
    owner: Owner = SINGLE_USER,
    config: Config = None,
) -> None:
    """Keep an entry whatever else is learned."""

    async def work(kept: Kept) -> Entry:
        return await kept.playbook.pin(owner, (await _found(kept, owner, entry)).id, not off)

    changed = _run(config, work)
    typer.echo(f"{changed.id} ({changed.name}) is {'pinned' if changed.pinned else 'no longer pinned'}")


@app.command()
def disable(
    entry: OneEntry,
    off: Annotated[bool, typer.Option("--off", help="Let it be tried anew, from no evidence.")] = False,
    owner: Owner = SINGLE_USER,
    config: Config = None,
) -> None:
    """Keep an entry from being used, and from being learned again."""

    async def work(kept: Kept) -> Entry:
        known = await _found(kept, owner, entry)
        if off and known.status != "disabled":
            return known
        return await kept.playbook.set_status(owner, known.id, "candidate" if off else "disabled")

    changed = _run(config, work)
    typer.echo(f"{changed.id} ({changed.name}) is {changed.status}")


@app.command()
def delete(entry: OneEntry, owner: Owner = SINGLE_USER, config: Config = None) -> None:
    """Forget an entry with its evidence."""

    async def work(kept: Kept) -> Entry:
        known = await _found(kept, owner, entry)
        await kept.playbook.delete(owner, known.id)
        return known

    gone = _run(config, work)
    typer.echo(f"{gone.id} ({gone.name}) is deleted")


@app.command()
def export(
    file: Annotated[Path | None, typer.Argument(help="Where to; standard output without it.")] = None,
    owner: Owner = SINGLE_USER,
    config: Config = None,
) -> None:
    """Write every entry, one JSON object a line, with its evidence and without its owner."""

    async def work(kept: Kept) -> list[str]:
        return [line_of(entry) async for entry in kept.playbook.export(owner)]

    lines = _run(config, work)
    if file is None:
        sys.stdout.writelines(lines)
        return
    file.write_text("".join(lines), encoding="utf-8")
    typer.echo(f"{len(lines)} entries written to {file}")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="What `export` wrote.")],
    anew: Annotated[bool, typer.Option("--anew", help="As candidates that have to prove themselves here.")] = False,
    owner: Owner = SINGLE_USER,
    config: Config = None,
) -> None:
    """Read entries, in place of those that have the same id. Nothing is stored if any line cannot be read."""
    try:
        entries = list(read_lines(file.read_text(encoding="utf-8").splitlines(), owner, anew=anew))
    except (BadLine, UnicodeDecodeError) as error:
        _fail(f"{file}: {error}; nothing was imported")

    async def work(kept: Kept) -> None:
        await kept.take_in(entries, anew=anew)

    _run(config, work)
    typer.echo(f"{len(entries)} entries imported from {file}")


@app.command()
def rebuild(
    owner: Annotated[str | None, typer.Option(help="Only this one's; everybody's without it.")] = None,
    config: Config = None,
) -> None:
    """Fill the playbook in Redis again, from the entries in the database and the runs that taught it."""

    async def work(kept: Kept) -> dict[str, Rebuilt]:
        again = kept.rebuild()
        return await again.everyone() if owner is None else {owner: await again.owner(owner)}

    rebuilt = _run(config, work)
    for name, found in rebuilt.items():
        typer.echo(f"{name}: {found.entries} entries and {found.runs} runs")
    if not rebuilt:
        typer.echo("nothing to rebuild: the database has neither entries nor runs that taught anything", err=True)


def _run(config: Path | None, work: Callable[[Kept], Awaitable[_Result]]) -> _Result:
    """Open the playbook and work on it, or exit with what is wrong and the way out."""
    settings = settings_or_exit(config)

    async def run() -> _Result:
        async with kept_open(settings) as kept:
            return await work(kept)

    try:
        return asyncio.run(run())
    except UnknownEntry as error:
        _fail(f"there is no entry {str(error)!r} here; `tandem playbook list` shows those there are")
    except (_Ambiguous, NotTheirs) as error:
        _fail(str(error))
    except RedisError as error:
        _fail(f"the playbook's Redis does not answer ({error}); start it with `tandem serve`, or set redis.url")


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)


async def _found(kept: Kept, owner: str, beginning: str) -> Entry:
    """The one entry whose id begins so."""
    if len(beginning) < _SHORTEST:
        raise _Ambiguous(f"{beginning!r} is too short for an id; give at least its first {_SHORTEST} characters")
    found = [entry async for entry in kept.playbook.export(owner) if entry.id.startswith(beginning)]
    if not found:
        raise UnknownEntry(beginning)
    if len(found) > 1:
        raise _Ambiguous(f"{len(found)} entries have an id that begins with {beginning!r}; give more of it")
    return found[0]


def _one_of(option: str, given: str | None, allowed: tuple[_Name, ...]) -> _Name | None:
    if given is None:
        return None
    if given not in allowed:
        raise typer.BadParameter(f"{given!r} is none; use {', '.join(allowed)}", param_hint=option)
    return given


def _show(entries: Sequence[Entry]) -> None:
    if not entries:
        typer.echo("nothing there yet: the playbook learns from runs that were checked or rated", err=True)
        return
    table = Table("id", "kind", "name", "state", "right", "vs default", "tokens", "for questions like")
    for entry in entries:
        table.add_row(*row(entry))
    plain_console().print(table)
