"""Two models write one answer: every policy beside both models alone. ``python -m bench.collaboration``."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bench.collaboration.aims import aims_of
from bench.collaboration.costs import EngineCosts, measure_costs
from bench.collaboration.gpu import Gpu, GpuModel, GpuUnreadable, read_gpu
from bench.collaboration.plan import PARTS, Part, Setting, one_of_each, only, settings_of_policies, wanted
from bench.collaboration.plot import plot_shares
from bench.collaboration.rows import POOLED, Graded, Sizes, rows_of
from bench.collaboration.traces import BenchPair, Trace, TraceCache, TraceWriter
from bench.engines import closed_after, engines_running
from bench.plot import PlottingMissing
from bench.questions import NoQuestions, Question, data_folder, read_questions
from bench.record import Report, Row, new_report, write_report
from bench.run import progress_bar
from bench.solving import build_of
from orchestrator.model_park import build_engine
from orchestrator.settings import Settings
from orchestrator.settings_file import SettingsInvalid, load_settings
from orchestrator.stack.part import StackError
from tools.verifiers.choice_texts import choices_in
from tools.verifiers.equality import equal
from tools.verifiers.extract import final_answer
from workers.collaboration.head import Head
from workers.collaboration.local import LocalCollaboration
from workers.divergence.shelf import HeadShelf
from workers.divergence.trained_head import HeadUnreadable, TrainedHead
from workers.engines.protocol import Engine
from workers.model_files.errors import ModelUnavailable

_STEP_TOKENS = 700


@dataclass(frozen=True, slots=True)
class Bench:
    """What is compared, where answers are kept, and where the report goes."""

    settings: Settings
    parts: Sequence[Part]
    policies: Sequence[str]
    data: Path
    cache: Path
    results: Path
    head: TrainedHead | None
    gpu: Gpu
    at_once: int
    timed: int
    one: bool = False

    @property
    def pair(self) -> BenchPair:
        small, large = self.settings.named("small"), self.settings.named("large")
        models = self.settings.models
        return BenchPair(
            small=small,
            large=large,
            small_sha256=models[small].sha256,
            large_sha256=models[large].sha256,
            build=f"{build_of(models[small].engine)} and {build_of(models[large].engine)}",
            head="" if self.head is None else _digest(self.head),
        )

    def compared(self) -> Sequence[Setting]:
        plan = one_of_each if self.one else settings_of_policies
        return only(plan(self.head is not None), self.policies)

    def heads(self) -> Mapping[tuple[str, str], Head]:
        return {} if self.head is None else {(self.pair.small, self.pair.large): self.head}


class Runner:
    """Answers what is not in the cache. Costs are measured once, when something has to be written."""

    def __init__(self, bench: Bench, engines: Mapping[str, Engine], cache: TraceCache, console: Console) -> None:
        self._engines = engines
        self._console = console
        collaboration = LocalCollaboration(engines, heads=bench.heads())
        self._writer = TraceWriter(collaboration, cache, bench.pair, _STEP_TOKENS)
        self._costs: dict[str, EngineCosts] = {}
        self._measuring = asyncio.Lock()
        self._at_once = bench.at_once
        self._timed = bench.timed

    async def answers(self, questions: Sequence[Question], setting: Setting, dataset: str) -> list[Graded]:
        """In the order of the questions. The first few are written one at a time, so that their time is their own."""
        timed = questions[: self._timed] if self._at_once > 1 else questions
        with progress_bar(self._console, f"{dataset} {setting.name}", len(questions)) as advance:
            graded = await self._graded(timed, setting, 1, advance)
            return graded + await self._graded(questions[len(timed) :], setting, self._at_once, advance)

    async def _graded(
        self, questions: Sequence[Question], setting: Setting, at_once: int, advance: Callable[[], None]
    ) -> list[Graded]:
        gate = asyncio.Semaphore(at_once)

        async def one(question: Question) -> Graded:
            async with gate:
                trace = self._writer.found(question, setting)
                if trace is None:
                    trace = await self._writer.write(question, setting, await self._measured(), at_once)
                graded = Graded(question, trace, await asyncio.to_thread(_right, question, trace))
            advance()
            return graded

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(question)) for question in questions]
        return [task.result() for task in tasks]

    async def _measured(self) -> dict[str, EngineCosts]:
        async with self._measuring:
            if not self._costs:
                await self._measure()
        return self._costs

    async def _measure(self) -> None:
        self._costs = {name: await measure_costs(engine) for name, engine in self._engines.items()}
        for name, costs in self._costs.items():
            read = ", ".join(f"{1000 * cost:.1f} in chunks of {size}" for size, cost in sorted(costs.read.items()))
            self._console.print(f"  {name}: {1000 * costs.decode:.1f} ms to decode a token; to read one: {read}")


async def run(bench: Bench, console: Console) -> list[Row]:
    """Every setting on every part, and all parts together; rows in that order."""
    pair, models = bench.pair, bench.settings.models
    sizes = Sizes(pair, models[pair.small].parameters, models[pair.large].parameters)
    engines = {name: build_engine(bench.settings, name) for name in (pair.small, pair.large)}
    rows: list[Row] = []
    pooled: dict[Setting, list[Graded]] = {}
    async with closed_after(engines.values()):
        with closing(TraceCache(bench.cache)) as cache:
            runner = Runner(bench, engines, cache, console)
            for part in bench.parts:
                questions = read_questions(bench.data, part.dataset, part.rows, wanted)
                answers: dict[Setting, Sequence[Graded]] = {}
                for setting in bench.compared():
                    answers[setting] = await runner.answers(questions, setting, part.dataset)
                    pooled.setdefault(setting, []).extend(answers[setting])
                rows += rows_of(part.dataset, answers, sizes, bench.gpu)
    return rows if len(bench.parts) == 1 else [*rows, *rows_of(POOLED, pooled, sizes, bench.gpu)]


def _right(question: Question, trace: Trace) -> bool:
    value = final_answer(trace.text, question.form, choices_in(question.question))
    return value is not None and equal(value, question.answer, question.form)


def _digest(head: TrainedHead) -> str:
    """What tells two heads apart in the cache: the network's answers are a function of its weights and threshold."""
    text = head.card.model_dump_json() + "".join(str(float(array.sum())) for array in head.weights.values())
    return hashlib.sha256(text.encode()).hexdigest()


def main(
    data: Annotated[Path | None, typer.Option(help="Folder with NAME.jsonl; else $TANDEM_BENCH_DATA.")] = None,
    dataset: Annotated[
        list[str] | None, typer.Option(help="NAME:ROWS; repeat for several. Default: gsm8k_test:40, math500:20.")
    ] = None,
    rows: Annotated[int, typer.Option(help="The first ROWS questions of every set; 0: as many as each has.")] = 0,
    only: Annotated[
        list[str] | None, typer.Option(help="These policies and both models alone; writes no report. Repeatable.")
    ] = None,
    head: Annotated[str, typer.Option(help="A head of `divergence`; by default the one that ships for the pair.")] = "",
    gpu: Annotated[
        Path | None,
        typer.Option(help="JSON of what a GPU costs, to model wall-clock by; by default an A100's data sheet."),
    ] = None,
    results: Annotated[Path, typer.Option(help="Where data and plot go.")] = Path("bench/results"),
    cache: Annotated[Path | None, typer.Option(help="Cache of answers; by default beside the models.")] = None,
    threads: Annotated[int, typer.Option(help="Threads of each engine; 0 takes the settings'.")] = 0,
    one: Annotated[bool, typer.Option(help="One setting of every policy, the one it is used at.")] = False,
    at_once: Annotated[
        int, typer.Option(help="Answers under way at once; then only the first of a set are timed.", min=1)
    ] = 1,
    timed: Annotated[int, typer.Option(help="With --at-once: how many of a set are written alone.", min=1)] = 6,
) -> None:
    """Accuracy against the share of large tokens; every answer is cached as soon as it is written, so it can be run in
    pieces with --only."""
    console = Console()
    try:
        settings = load_settings().with_threads(threads)
        small, large = (settings.models[settings.named(role)] for role in ("small", "large"))
        bench = Bench(
            settings=settings,
            parts=_parts(dataset, rows),
            policies=only or (),
            data=data_folder(data),
            cache=cache or settings.storage.models.parent / "collaborations.sqlite",
            results=results,
            head=HeadShelf().find(small.sha256, large.sha256, head),
            gpu=read_gpu(gpu) if gpu else GpuModel(),
            at_once=at_once,
            timed=timed,
            one=one,
        )
        with engines_running(settings, console, threads):
            measured = asyncio.run(run(bench, console))
        _report(bench, measured, console)
    except (
        NoQuestions,
        SettingsInvalid,
        PlottingMissing,
        StackError,
        ModelUnavailable,
        HeadUnreadable,
        GpuUnreadable,
    ) as error:
        console.print(f"[red]{error}[/red]", highlight=False)
        raise typer.Exit(1) from None


def _parts(datasets: Sequence[str] | None, rows: int) -> tuple[Part, ...]:
    parts = PARTS if datasets is None else tuple(_part(text) for text in datasets)
    return tuple(Part(part.dataset, rows or part.rows) for part in parts)


def _part(text: str) -> Part:
    name, _, rows = text.partition(":")
    if rows and not rows.isdigit():
        raise NoQuestions(f"{text!r} is not NAME or NAME:ROWS")
    return Part(name, int(rows) if rows else 10**9)


def _report(bench: Bench, rows: list[Row], console: Console) -> None:
    judged = [row for row in rows if row.dataset == rows[-1].dataset]
    report = new_report("collaboration", bench.settings, rows, aims_of(judged))
    _show(report, console)
    if bench.policies:
        console.print("a part of the policies: no report is written")
        return
    path = write_report(report, bench.results)
    plot_shares(report, path.with_suffix(".png"))
    console.print(f"written: {path} and {path.with_suffix('.png')}")


def _show(report: Report, console: Console) -> None:
    table = Table(title="collaboration: accuracy with 95 % interval, and points above random mixing of the two models")
    headings = ("set", "policy", "n", "accuracy", "95 %", "large", "above the line", "B", "hand-overs", "eff.", "s")
    for heading in headings:
        table.add_column(heading)
    for row in report.rows:
        extra = row.extra
        table.add_row(
            row.dataset,
            f"{row.system} {row.setting}".strip(),
            str(row.n),
            f"{row.accuracy:.3f}",
            f"{row.ci95[0]:.2f}–{row.ci95[1]:.2f}",
            f"{row.large_share:.2f}",
            f"{extra['above_line']:+.3f} [{extra['above_line_low']:+.2f}, {extra['above_line_high']:+.2f}]",
            f"{extra['activated_billions']:.2f}",
            f"{extra['handovers_per_100']:.1f}",
            f"{extra['efficiency']:.2f}",
            f"{extra['seconds_per_answer']:.1f}",
        )
    console.print(table)
    for aim in report.aims:
        console.print(f"{'reached' if aim.reached else 'not reached'}: {aim.aim}: {aim.measured}. {aim.why}")
