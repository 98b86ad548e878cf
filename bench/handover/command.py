"""``python -m bench.handover``: what a hand-over between two models costs, at growing lengths of the text before it.

A turn ends by itself at its bound, or is cut short by an abort. The default pair on llama.cpp as the settings say; with
``--sglang SMALL_URL LARGE_URL`` two SGLang servers as well.
"""

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from bench.engines import engines_running
from bench.handover.report import HandoverReport, HandoverRow, aims_of, plot, rows_of, show
from bench.handover.timing import WAYS, hand_over
from bench.plot import PlottingMissing
from bench.record import write_report
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
class Plan:
    prefixes: Sequence[int]
    turn: int
    times: int


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
    plan = Plan(options.prefixes, options.turn, options.times)
    try:
        settings = load_settings()
        rows: list[HandoverRow] = []
        if not options.only_sglang:
            with engines_running(settings, console):
                rows += asyncio.run(_measured(_configured(settings), plan, console))
        if options.sglang:
            small, large = options.sglang
            pair: dict[Role, Engine] = {"small": SGLangEngine("small", small), "large": SGLangEngine("large", large)}
            rows += asyncio.run(_measured({"sglang": pair}, plan, console))
        models = [{"role": model.role, "name": name, "sha256": model.sha256} for name, model in settings.models.items()]
        report = HandoverReport(bench="handover", models=models, rows=rows, aims=aims_of(rows))
        path = write_report(report, options.results)
        plot(report, path.with_suffix(".png"))
    except (StackError, SettingsInvalid, ModelUnavailable, EngineError, PlottingMissing) as error:
        sys.exit(str(error))
    show(report, console)
    console.print(f"written: {path} and {path.with_suffix('.png')}")


def _configured(settings: Settings) -> Mapping[str, Mapping[Role, Engine]]:
    small, large = settings.named("small"), settings.named("large")
    kind = settings.models[large].engine.kind
    return {kind: {"small": build_engine(settings, small), "large": build_engine(settings, large)}}


async def _measured(pairs: Mapping[str, Mapping[Role, Engine]], plan: Plan, console: Console) -> list[HandoverRow]:
    rows: list[HandoverRow] = []
    for system, engines in pairs.items():
        for prefix in plan.prefixes:
            for way in WAYS:
                console.print(f"  {system}: {plan.times} hand-overs in each direction after {prefix} tokens, {way}")
                handings = [handing async for handing in hand_over(engines, prefix, plan.turn, plan.times, way)]
                rows += rows_of(system, prefix, plan.turn, handings)
        for engine in engines.values():
            await engine.aclose()
    return rows
