"""Two models write one answer: every policy beside both models alone. ``python -m bench.collaboration``; with
``--ablations`` what tells why, with ``--timing`` what an answer takes that is written alone."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from bench.collaboration.aims import aims_of
from bench.collaboration.costs import EngineCosts, measure_costs
from bench.collaboration.gpu import Gpu, GpuModel, GpuUnreadable, read_gpu, write_gpu
from bench.collaboration.plan import (
    PARTS,
    TIMED,
    Part,
    Setting,
    ablations,
    one_of_each,
    only,
    settings_of_policies,
    wanted,
)
from bench.collaboration.plot import plot_shares
from bench.collaboration.rows import POOLED, Answers, Graded, Sizes, outcomes_of, rows_of
from bench.collaboration.timing import TimingReport, beside, costs_of, efficiency_aim, show_timing, timing_rows
from bench.collaboration.traces import BenchPair, Trace, TraceCache, TraceWriter
from bench.engines import closed_after, engines_running
from bench.plot import PlottingMissing
from bench.questions import NoQuestions, Question, data_folder, read_questions
from bench.record import Aim, Report, Row, models_of, new_report, write_report
from bench.run import progress_bar
from bench.solving import build_of
from orchestrator.model_files import served_here
from orchestrator.model_park import build_engine
from orchestrator.settings import EngineSettings, Settings
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

Kind = Literal["collaboration", "collaboration-ablations", "collaboration-timing"]
"""What is measured, and how its report is called by default."""


class UnknownBench(Exception):
    """The options do not say one thing to measure."""


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
    at_once: int = 1
    kind: Kind = "collaboration"
    one: bool = False
    name: str = ""
    instead: tuple[Setting, ...] = ()
    """Compared in place of what the kind of bench compares."""

    @property
    def report(self) -> str:
        """The report's name."""
        return self.name or self.kind

    @property
    def pair(self) -> BenchPair:
        small, large = self.settings.named("small"), self.settings.named("large")
        models = self.settings.models
        return BenchPair(
            small=small,
            large=large,
            small_sha256=models[small].sha256,
            large_sha256=models[large].sha256,
            build=" and ".join(_build(models[name].engine) for name in (small, large)),
            head="" if self.head is None else _digest(self.head),
        )

    @property
    def sizes(self) -> Sizes:
        pair, models = self.pair, self.settings.models
        return Sizes(pair, models[pair.small].parameters, models[pair.large].parameters)

    @property
    def timed(self) -> bool:
        return self.kind == "collaboration-timing"

    @property
    def draft(self) -> str:
        """What drafts in the large model's engine; "" also where that engine is not started here."""
        large = self.pair.large
        return self.settings.models[large].engine.draft if large in served_here(self.settings) else ""

    def passes(self) -> "tuple[Bench, ...]":
        """What is measured one after the other, each with engines of its own: times without a draft model, and the
        large model's once more with it."""
        if not (self.timed and self.draft):
            return (self,)
        # Of a file the name alone: a report says nothing of the machine's folders.
        reference = Setting("large", draft=Path(self.draft).name)
        plain = replace(self, settings=_without_draft(self.settings, self.pair.large))
        return plain, replace(self, instead=(reference,))

    def compared(self) -> Sequence[Setting]:
        if self.instead:
            return self.instead
        with_head = self.head is not None
        if self.kind == "collaboration-ablations":
            return only(ablations(), self.policies)
        return only(one_of_each(with_head) if self.one else settings_of_policies(with_head), self.policies)

    def heads(self) -> Mapping[tuple[str, str], Head]:
        return {} if self.head is None else {(self.pair.small, self.pair.large): self.head}


class Runner:
    """Answers what is not in the cache. Where answers are timed, the costs of tokens are measured once, when something
    has to be written."""

    def __init__(self, bench: Bench, engines: Mapping[str, Engine], cache: TraceCache, console: Console) -> None:
        self._engines = engines
        self._console = console
        collaboration = LocalCollaboration(engines, heads=bench.heads())
        self._writer = TraceWriter(collaboration, cache, bench.pair, _STEP_TOKENS, bench.at_once)
        self._costs: dict[str, EngineCosts] = {}
        self._measuring = asyncio.Lock()
        self._at_once = bench.at_once
        self._timed = bench.timed

    async def answers(self, questions: Sequence[Question], setting: Setting, dataset: str) -> list[Graded]:
        """In the order of the questions."""
        with progress_bar(self._console, f"{dataset} {setting.name}", len(questions)) as advance:
            return await self._graded(questions, setting, advance)

    async def _graded(
        self, questions: Sequence[Question], setting: Setting, advance: Callable[[], None]
    ) -> list[Graded]:
        gate = asyncio.Semaphore(self._at_once)

        async def one(question: Question) -> Graded:
            async with gate:
                trace = self._writer.found(question, setting)
                if trace is None or (self._timed and not trace.costs):
                    trace = await self._writer.write(question, setting, await self._measured())
                graded = Graded(question, trace, await asyncio.to_thread(_right, question, trace))
            advance()
            return graded

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(question)) for question in questions]
        return [task.result() for task in tasks]

    async def _measured(self) -> dict[str, EngineCosts]:
        async with self._measuring:
            if self._timed and not self._costs:
                await self._measure()
        return self._costs

    async def _measure(self) -> None:
        self._costs = {name: await measure_costs(engine) for name, engine in self._engines.items()}
        for name, costs in self._costs.items():
            read = ", ".join(f"{1000 * cost:.1f} in chunks of {size}" for size, cost in sorted(costs.read.items()))
            self._console.print(f"  {name}: {1000 * costs.decode:.1f} ms to decode a token; to read one: {read}")


async def run(bench: Bench, console: Console) -> dict[str, Answers]:
    """Every setting on every part, and all parts together, by set of questions in that order."""
    engines = {name: build_engine(bench.settings, name) for name in (bench.pair.small, bench.pair.large)}
    found: dict[str, Answers] = {}
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
                found[part.dataset] = answers
    return found if len(bench.parts) == 1 else {**found, POOLED: pooled}


def _without_draft(settings: Settings, name: str) -> Settings:
    model = settings.models[name]
    plain = model.model_copy(update={"engine": model.engine.model_copy(update={"draft": ""})})
    return settings.model_copy(update={"models": {**settings.models, name: plain}})


def _build(engine: EngineSettings) -> str:
    drafts = f" draft={engine.draft}" if engine.draft else ""
    return build_of(engine) + drafts


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
        list[str] | None,
        typer.Option(help="These policies and both models alone; writes a report only with --name. Repeatable."),
    ] = None,
    head: Annotated[str, typer.Option(help="A head of `divergence`; by default the one that ships for the pair.")] = "",
    gpu: Annotated[
        Path | None,
        typer.Option(help="JSON of what a GPU costs, to model wall-clock by; by default an A100's data sheet."),
    ] = None,
    results: Annotated[Path, typer.Option(help="Where data and plot go.")] = Path("bench/results"),
    name: Annotated[str, typer.Option(help="Name of the report; by default that of what is measured.")] = "",
    cache: Annotated[
        Path | None, typer.Option(help="Cache of answers; by default beside the models, timed ones by themselves.")
    ] = None,
    threads: Annotated[int, typer.Option(help="Threads of each engine; 0 takes the settings'.")] = 0,
    one: Annotated[bool, typer.Option(help="One setting of every policy, the one it is used at.")] = False,
    at_once: Annotated[int, typer.Option(help="Answers under way at once; 1 where they are timed.", min=1)] = 1,
    ablations: Annotated[bool, typer.Option(help="What tells why; in a report of its own.")] = False,
    timing: Annotated[
        bool,
        typer.Option(help="Seconds and efficiency of the first 3 questions of every set, each answer written alone."),
    ] = False,
) -> None:
    """Accuracy against the share of large tokens; every answer is cached as soon as it is written, so it can be run in
    pieces with --only."""
    console = Console()
    try:
        kind = _kind(ablations, timing, at_once)
        settings = load_settings().with_threads(threads)
        small, large = (settings.models[settings.named(role)] for role in ("small", "large"))
        bench = Bench(
            settings=settings,
            parts=_parts(dataset, rows, TIMED if timing else PARTS),
            policies=only or (),
            data=data_folder(data),
            cache=cache or settings.storage.models.parent / ("timings.sqlite" if timing else "collaborations.sqlite"),
            results=results,
            head=HeadShelf().find(small.sha256, large.sha256, head),
            gpu=read_gpu(gpu) if gpu else GpuModel(),
            at_once=at_once,
            kind=kind,
            one=one,
            name=name,
        )
        answers: dict[str, Answers] = {}
        for measured in bench.passes():
            with engines_running(measured.settings, console, threads):
                answers = beside(answers, asyncio.run(run(measured, console)))
        report = _report_times if timing else _report
        report(bench, answers, console)
    except (
        NoQuestions,
        SettingsInvalid,
        PlottingMissing,
        StackError,
        ModelUnavailable,
        HeadUnreadable,
        GpuUnreadable,
        UnknownBench,
    ) as error:
        console.print(f"[red]{error}[/red]", highlight=False)
        raise typer.Exit(1) from None


def _parts(datasets: Sequence[str] | None, rows: int, usual: tuple[Part, ...]) -> tuple[Part, ...]:
    parts = usual if datasets is None else tuple(_part(text) for text in datasets)
    return tuple(Part(part.dataset, rows or part.rows) for part in parts)


def _part(text: str) -> Part:
    name, _, rows = text.partition(":")
    if rows and not rows.isdigit():
        raise NoQuestions(f"{text!r} is not NAME or NAME:ROWS")
    return Part(name, int(rows) if rows else 10**9)


def _kind(ablations: bool, timing: bool, at_once: int) -> Kind:
    """Raises ``UnknownBench``."""
    if timing and (ablations or at_once > 1):
        raise UnknownBench("--timing is of the policies, one answer at a time: leave --ablations and --at-once out")
    if timing:
        return "collaboration-timing"
    return "collaboration-ablations" if ablations else "collaboration"


def _report_times(bench: Bench, answers: Mapping[str, Answers], console: Console) -> None:
    rows = timing_rows(answers)
    judged = [row for row in rows if row.dataset == rows[-1].dataset]
    threads = {name: bench.settings.models[name].engine.threads for name in (bench.pair.small, bench.pair.large)}
    report = TimingReport(
        bench=bench.report,
        models=models_of(bench.settings),
        threads=threads,
        rows=rows,
        aims=[efficiency_aim(judged)],
    )
    show_timing(report, console)
    if _written(bench, console):
        path = write_report(report, bench.results)
        costs = write_gpu(path.with_name(f"{path.stem}-costs.json"), costs_of(answers, bench.sizes))
        console.print(f"written: {path} and {costs}")


def _written(bench: Bench, console: Console) -> bool:
    """Whether a report is: a part of the policies must not take the place of all of them."""
    if bench.policies and not bench.name:
        console.print("a part of the policies: no report is written without a --name")
        return False
    return True


def rows_by_set(bench: Bench, answers: Mapping[str, Answers]) -> list[Row]:
    return [
        row for dataset, by_setting in answers.items() for row in rows_of(dataset, by_setting, bench.sizes, bench.gpu)
    ]


def _aims(bench: Bench, rows: Sequence[Row], answers: Mapping[str, Answers]) -> list[Aim]:
    """On all questions together. Ablations have none: they are for what is said of the others."""
    if bench.kind == "collaboration-ablations":
        return []
    dataset = rows[-1].dataset
    outcomes = {setting: outcomes_of(graded, bench.pair.large) for setting, graded in answers[dataset].items()}
    return aims_of([row for row in rows if row.dataset == dataset], outcomes)


def _report(bench: Bench, answers: Mapping[str, Answers], console: Console) -> None:
    rows = rows_by_set(bench, answers)
    report = new_report(bench.report, bench.settings, rows, _aims(bench, rows, answers))
    _show(report, console)
    if not _written(bench, console):
        return
    path = write_report(report, bench.results)
    plot_shares(report, path.with_suffix(".png"))
    console.print(f"written: {path} and {path.with_suffix('.png')}")


def _show(report: Report, console: Console) -> None:
    table = Table(title="collaboration: accuracy with 95 % interval, and points above random mixing of the two models")
    headings = ("set", "policy", "n", "accuracy", "95 %", "large", "above the line", "B", "hand-overs")
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
            f"{extra['mixing_share']:.2f}",
            f"{extra['above_line']:+.3f} [{extra['above_line_low']:+.2f}, {extra['above_line_high']:+.2f}]",
            f"{extra['activated_billions']:.2f}",
            f"{extra['handovers_per_100']:.1f}",
        )
    console.print(table)
    for aim in report.aims:
        console.print(f"{'reached' if aim.reached else 'not reached'}: {aim.aim}: {aim.measured}. {aim.why}")
