"""``python -m bench.playbook``: a stream of questions from several families, with the playbook and without it.

The playbook learns after every question of the stream, with the key as the verdict; on the first third it only learns.
Then questions of the same families, which it has not seen, and of families that it has never seen. Generations are
cached: a run that was stopped goes through what it had in minutes and goes on.
"""

import argparse
import asyncio
import socket
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from bench.engines import engines_running
from bench.measured import measured
from bench.playbook.plot import plot
from bench.playbook.report import PlaybookReport, aims_of, kept_of, moving_of, rows_of, show
from bench.playbook.service import Answered, Service, service_open
from bench.playbook.stream import Asked, Stream, build_stream
from bench.plot import PlottingMissing
from bench.questions import NoQuestions, data_folder
from bench.record import machine, models_of, write_report
from bench.run import progress_bar
from orchestrator.addresses import LOOPBACK, redis_url
from orchestrator.settings import Settings
from orchestrator.settings_file import SettingsInvalid, load_settings
from orchestrator.stack.part import StackError
from orchestrator.stack.parts import redis_part
from orchestrator.stack.supervisor import Supervisor
from workers.model_files.errors import ModelUnavailable

_Pairs = list[tuple[Answered, Answered]]


def main() -> None:
    options = _options()
    console = Console()
    try:
        settings = _settings(options)
        cache = options.cache or settings.storage.models.parent / "playbook.sqlite"
        stream = build_stream(data_folder(options.data), cache.parent, options.rows, options.gym, console.print)
        console.print(f"the playbook on {machine()}; {len(stream.streamed)} questions in the stream; cache {cache}")
        with tempfile.TemporaryDirectory(prefix="tandem-playbook-") as folder:
            report = _report(settings, stream, Path(folder), cache, console)
        path = write_report(report, options.results)
        plot(report, path.with_suffix(".png"))
    except (NoQuestions, SettingsInvalid, PlottingMissing, StackError, ModelUnavailable) as error:
        sys.exit(str(error))
    show(report, console)
    console.print(f"written: {path} and {path.with_suffix('.png')}")


def _report(settings: Settings, stream: Stream, folder: Path, cache: Path, console: Console) -> PlaybookReport:
    own = _own_redis(settings, folder)
    with engines_running(settings, console), Supervisor(folder / "logs", console.print) as supervisor:
        supervisor.start([[redis_part(own)]])
        return asyncio.run(_measured(own, stream, folder, cache, console))


async def _measured(settings: Settings, stream: Stream, folder: Path, cache: Path, console: Console) -> PlaybookReport:
    total = len(stream.streamed)
    cold = total // 3
    async with service_open(settings, folder, redis_url(settings), cache) as service:
        with progress_bar(console, "stream", total) as advance:
            streamed = await _stream(service, stream.streamed, cold, advance)
        held_back = await _asked(service, stream.held_back, "held back", console)
        unseen = await _asked(service, stream.unseen, "unseen", console)
        entries = await service.entries()
        tokens, cost = service.behind_the_scenes()
    thirds = {
        "cold third": streamed[:cold],
        "second third": streamed[cold : 2 * cold],
        "last third": streamed[2 * cold :],
    }
    parts = {**thirds, "held back": held_back, "unseen families": unseen}
    models = models_of(settings)
    return PlaybookReport(
        bench="playbook",
        models=models,
        rows=[row for setting, pairs in parts.items() if pairs for row in rows_of(setting, pairs)],
        moving=moving_of(streamed),
        entries=kept_of(entries, stream.streamed),
        aims=aims_of(streamed[2 * cold :], held_back, unseen),
        cold=cold,
        settings=settings.playbook,
        behind_the_scenes={"tokens": tokens, "cost": cost},
    )


async def _stream(service: Service, streamed: Sequence[Asked], cold: int, advance: Callable[[], None]) -> _Pairs:
    """In order, one after the other: each question is learned from before the next."""
    pairs: _Pairs = []
    for number, asked in enumerate(streamed):
        without = await service.without(asked)
        pairs.append((await service.with_playbook(asked, learn=True, cold=number < cold), without))
        advance()
    return pairs


async def _asked(service: Service, questions: Sequence[Asked], title: str, console: Console) -> _Pairs:
    pairs: _Pairs = []
    with progress_bar(console, title, len(questions)) as advance:
        for asked in questions:
            without = await service.without(asked)
            pairs.append((await service.with_playbook(asked, learn=False), without))
            advance()
    return pairs


def _own_redis(settings: Settings, folder: Path) -> Settings:
    """Redis and files of this run's own: what is learned here is no one's."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port = probe.getsockname()[1]
    return settings.model_copy(
        update={
            "redis": settings.redis.model_copy(update={"url": "", "port": port}),
            "storage": settings.storage.model_copy(update={"directory": folder}),
        }
    )


def _settings(options: argparse.Namespace) -> Settings:
    settings = measured(load_settings(), options.threads)
    # Nothing waits for an answer here, and one that waits for a busy core is not to count as a playbook that is away.
    changed = {"enabled": True, "recall_milliseconds": 5000.0, "url": ""}
    for name in ("explore", "shadow", "consolidate"):
        if getattr(options, name) is not None:
            changed[name] = getattr(options, name)
    playbook = type(settings.playbook).model_validate({**settings.playbook.model_dump(), **changed})
    return settings.model_copy(update={"playbook": playbook})


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.playbook", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with NAME.jsonl; else $TANDEM_BENCH_DATA")
    parser.add_argument("--rows", type=int, default=150, help="questions of the stream; the others shrink with it")
    parser.add_argument("--no-gym", dest="gym", action="store_false", help="without the families of reasoning-gym")
    parser.add_argument("--explore", type=float, help="instead of the settings' share of exploring runs")
    parser.add_argument("--shadow", type=int, help="instead of the settings' trials behind the scenes after a run")
    parser.add_argument("--consolidate", type=int, help="instead of the settings' runs of a topic between proposals")
    parser.add_argument("--threads", type=int, default=0, help="threads of each engine; 0 takes the settings'")
    parser.add_argument("--cache", type=Path, help="cache of generations; by default beside the models")
    parser.add_argument("--results", type=Path, default=Path("bench/results"), help="where data and plot go")
    options = parser.parse_args()
    if options.rows < 1:
        parser.error(f"--rows {options.rows} is too few; give 1 or more")
    return options
