"""``python -m bench.handover``: what a hand-over between two models costs, at growing lengths of the text before it.

A turn ends by itself at its bound, or is cut short by an abort; on llama.cpp it is also measured how a hand-over goes
once the engine that was cut is idle. The default pair on llama.cpp as the settings say; with
``--sglang SMALL_URL LARGE_URL`` two SGLang servers as well. Each kind of engine has a report of its own.
"""

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from rich.console import Console

from bench.engines import closed_after, engines_running
from bench.handover.idle import idle_at
from bench.handover.report import HandoverReport, HandoverRow, aims_of, plot, rows_of, show
from bench.handover.timing import WAYS, Idle, Way, hand_over
from bench.plot import PlottingMissing
from bench.record import models_of, write_report
from orchestrator.addresses import engine_url
from orchestrator.model_park import build_engine
from orchestrator.settings import Settings
from orchestrator.settings_file import SettingsInvalid, load_settings
from orchestrator.stack.part import StackError
from workers.collaboration.policy import Role
from workers.engines.errors import EngineError
from workers.engines.protocol import Engine
from workers.engines.sglang import SGLangEngine
from workers.model_files.errors import ModelUnavailable


@dataclass(frozen=True, slots=True)
class Pair:
    """Two engines of one kind; ``models`` is what the report says of them, ``idle`` how to wait until each has nothing
    under way, where its server can be asked."""

    system: str
    engines: Mapping[Role, Engine]
    models: list[dict[str, str]]
    idle: Mapping[Role, Idle] = field(default_factory=dict)

    def ways(self, console: Console) -> Sequence[Way]:
        if self.idle:
            return WAYS
        console.print(
            f"  {self.system}: hand-overs once the cut engine is idle are left out: its servers do not say who is busy"
        )
        return [way for way in WAYS if way != "settled"]


@dataclass(frozen=True, slots=True)
class Plan:
    prefixes: Sequence[int]
    turn: int
    times: int
    results: Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--prefixes", type=int, nargs="+", default=[256, 1024, 4096], help="tokens before the hand-over"
    )
    parser.add_argument("--turn", type=int, default=16, help="tokens that each model writes at a time")
    parser.add_argument("--times", type=int, default=10, help="hand-overs in each direction")
    parser.add_argument("--sglang", nargs=2, metavar=("SMALL_URL", "LARGE_URL"), help="two SGLang servers")
    parser.add_argument("--only-sglang", action="store_true", help="leave the configured pair out")
    parser.add_argument("--results", type=Path, default=Path("bench/results"), help="where data and plot go")
    options = parser.parse_args()
    console = Console()
    plan = Plan(options.prefixes, options.turn, options.times, options.results)
    try:
        if not options.only_sglang:
            settings = load_settings()
            with engines_running(settings, console):
                asyncio.run(_measure_configured(settings, plan, console))
        if options.sglang:
            asyncio.run(measure_sglang(options.sglang, plan, console))
    except (StackError, SettingsInvalid, ModelUnavailable, EngineError, PlottingMissing) as error:
        sys.exit(str(error))


async def _measure_configured(settings: Settings, plan: Plan, console: Console) -> None:
    small, large = settings.named("small"), settings.named("large")
    engines: dict[Role, Engine] = {"small": build_engine(settings, small), "large": build_engine(settings, large)}
    async with closed_after(engines.values()):
        kind = settings.models[large].engine.kind
        await measure(Pair(kind, engines, models_of(settings), _idle(settings)), plan, console)


def _idle(settings: Settings) -> dict[Role, Idle]:
    names: dict[Role, str] = {"small": settings.named("small"), "large": settings.named("large")}
    if any(settings.models[name].engine.kind != "llamacpp" for name in names.values()):
        return {}
    return {role: idle_at(engine_url(settings, name)) for role, name in names.items()}


async def measure_sglang(urls: Sequence[str], plan: Plan, console: Console) -> None:
    small, large = urls
    engines: dict[Role, Engine] = {"small": SGLangEngine("small", small), "large": SGLangEngine("large", large)}
    async with closed_after(engines.values()):
        models = [{"role": role, "name": (await engine.describe()).model} for role, engine in engines.items()]
        await measure(Pair("sglang", engines, models), plan, console)


async def measure(pair: Pair, plan: Plan, console: Console) -> None:
    """The report is written anew after each part: on a slow engine what was measured before an end is kept."""
    rows: list[HandoverRow] = []
    for prefix, way in product(plan.prefixes, pair.ways(console)):
        console.print(f"  {pair.system}: {plan.times} hand-overs in each direction after {prefix} tokens, {way}")
        handings = [handing async for handing in hand_over(pair.engines, prefix, plan.turn, plan.times, way, pair.idle)]
        rows += rows_of(pair.system, prefix, plan.turn, handings)
        report = HandoverReport(bench=f"handover-{pair.system}", models=pair.models, rows=rows, aims=aims_of(rows))
        path = write_report(report, plan.results)
    plot(report, path.with_suffix(".png"))
    show(report, console)
    console.print(f"written: {path} and {path.with_suffix('.png')}")
