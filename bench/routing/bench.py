"""Everything that the routing benchmark reports, made from stored outcomes."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from bench.record import machine, new_report
from bench.routing.data import RoutingData, routing_data
from bench.routing.drift import Drift
from bench.routing.frontier import Frontier, Resampled, Trial, oracle
from bench.routing.latency import DecisionLatency, first_decisions, judgements
from bench.routing.report import (
    LeftOutRow,
    RoutingReport,
    calibration_aim,
    coverage_aim,
    drift_aim,
    family_rows,
    frontier_aims,
    ladder_aims,
    latency_aim,
    left_out_aim,
    routed_aims,
    rows_of,
)
from bench.routing.scores import confidences, pooled, ratio_of
from bench.routing.systems import (
    Cards,
    answer_side,
    constants,
    cross_fitted_cards,
    ladders,
    mixes,
    routed_ladders,
    router,
    together,
    weighed_ladders,
)
from bench.routing.transfer import left_out
from orchestrator.answering_in_service import answering_of
from orchestrator.outcomes.store import OutcomeStore
from orchestrator.settings import Settings
from routers.embedding import Embedder, WordEmbedder
from routers.estimators.constant import fit_averages
from routers.estimators.descriptions import embed_parts
from routers.estimators.features import Array
from routers.estimators.knn import fit_neighbours
from routers.estimators.length import fit_length
from routers.estimators.protocol import Estimator, Fit
from routers.estimators.route_to_reason_training import fit_route_to_reason
from routers.estimators.win_rate import fit_win_rate

_FRAME = ("direct(small)", "direct(large)", "program(small)", "program(large)", "cot(small)", "cot(large)")
_CHEAP, _DEAR, _YARDSTICK = "program(small)", "program(large)", "cot(large)"
_CLIENTS = (1, 32)
_LEARNS_ROUTES = "Route-To-Reason"
# The routers that choose among all routes, and so are followed by evidence and timed.
_ROUTED = ("kNN with a guard", _LEARNS_ROUTES)


@dataclass(frozen=True, slots=True)
class Options:
    """``data``: a folder of question files for drift, for where no outcomes of other kinds are stored. ``draws`` of the
    bootstrap. ``routers``: which of the learned ones to try; none means all."""

    outcomes: Path
    results: Path
    data: Path | None
    seed: int
    draws: int
    risk: float
    routers: tuple[str, ...] = ()


class Bench:
    """Everything that the report is made of, from the outcomes."""

    def __init__(self, options: Options, settings: Settings, console: Console) -> None:
        self._options = options
        self._settings = settings
        self._console = console

    async def run(self) -> RoutingReport:
        options, embedder = self._options, WordEmbedder()
        outcomes = await asyncio.to_thread(OutcomeStore(options.outcomes).read)
        data = await routing_data(outcomes, _FRAME, self._settings, embedder)
        self._console.print(
            f"{len(data.asked)} questions to learn from, {len(data.tried)} measured, which were tried on all of "
            f"{', '.join(data.routes)}; seed {options.seed}; {machine()}",
            highlight=False,
        )
        for family, missing in data.short.items():
            self._say(f"{family} is not measured: few or none of its questions were tried on {', '.join(missing)}")
        described = await embed_parts(embedder, data.routes)
        cards = await asyncio.to_thread(cross_fitted_cards, data, answering_of(self._settings), options.seed, self._say)
        trials, sweeps = await asyncio.to_thread(self._trials, data, cards, described)
        resampled = Resampled(data.keys, options.draws, options.seed)
        plain = constants(data)
        frontier = Frontier(resampled, tuple(plain), oracle(plain), data.constant(_YARDSTICK))
        self._say("intervals")
        return await self._report(data, cards, described, frontier, [*plain, frontier.oracle, *trials], sweeps)

    def _trials(self, data: RoutingData, cards: Cards, described: dict[str, Array]) -> tuple[list[Trial], list[Trial]]:
        """All systems but the constants, and of them those that have settings to sweep."""
        seed = self._options.seed
        sweeps: list[Trial] = []
        for name, fit in self._fits(described).items():
            self._say(name)
            trials, predictions = router(data, name, fit, seed)
            sweeps += trials
            if name in _ROUTED:
                self._say(f"{name}, then evidence")
                sweeps += together(data, cards, name, predictions)
                sweeps += routed_ladders(data, name, predictions, self._settings)
        for start in (_CHEAP, _DEAR):
            self._say(f"evidence after {start}")
            sweeps += answer_side(data, cards, start)
        served = [*ladders(data, self._settings), *weighed_ladders(data, cards, self._settings)]
        return [*mixes(data, [(_CHEAP, _DEAR), (_DEAR, _YARDSTICK)]), *served, *sweeps], [*served, *sweeps]

    async def _report(
        self,
        data: RoutingData,
        cards: Cards,
        described: dict[str, Array],
        frontier: Frontier,
        trials: Sequence[Trial],
        sweeps: Sequence[Trial],
    ) -> RoutingReport:
        options = self._options
        calibration = await asyncio.to_thread(pooled, data, cards, options.seed)
        curves = await asyncio.to_thread(confidences, data, cards)
        risk = [curve.at(frontier.resampled, options.risk) for curve in curves]
        baseline = max(
            (c for c in curves if c.baseline), key=lambda c: c.at(frontier.resampled, options.risk).coverage_at
        )
        own = next(c for c in curves if c.decides)
        ratio = ratio_of(own, baseline, frontier.resampled, options.risk)
        routers = await asyncio.to_thread(self._whole, data, described)
        latency = await self._latency(data, cards, routers)
        self._say("drift")
        drift = await Drift(data, cards, routers, WordEmbedder(), self._settings, options.seed).rows(options.data)
        self._say("leave one out")
        left = await asyncio.to_thread(self._left_out, data, described)
        aims = [
            *frontier_aims(frontier, sweeps),
            *ladder_aims(frontier, sweeps),
            *routed_aims(frontier, sweeps),
            calibration_aim(calibration),
            coverage_aim(
                own.at(frontier.resampled, options.risk), baseline.at(frontier.resampled, options.risk), ratio
            ),
            *([left_out_aim(left)] if left else []),
            drift_aim(drift),
            *([latency_aim(latency)] if routers else []),
        ]
        large = self._settings.named("large")
        rows = rows_of(frontier, trials, data.dataset, options.seed, large)
        rows += family_rows(data, trials, options.seed, large)
        base = new_report("routing", self._settings, rows, aims)
        return RoutingReport(
            **base.model_dump(),
            seed=options.seed,
            families={name: data.table.families.count(name) for name in sorted(set(data.table.families))},
            not_measured=dict(data.short),
            calibration=calibration,
            risk_coverage=risk,
            leave_one_out=left,
            drift=drift,
            latency=latency,
        )

    async def _latency(
        self, data: RoutingData, cards: Cards, routers: Mapping[str, Estimator]
    ) -> list[DecisionLatency]:
        self._say("latency")
        found = [
            await first_decisions(name, router, _embedder, data.table.texts, concurrent)
            for name, router in routers.items()
            for concurrent in _CLIENTS
        ]
        card = cards.of(data.tried[0])
        return [*found, *[await judgements(data, card, concurrent) for concurrent in _CLIENTS]]

    def _whole(self, data: RoutingData, described: dict[str, Array]) -> dict[str, Estimator]:
        """The routers that choose among all routes, from everything that may be learned from."""
        fits = self._fits(described)
        return {name: fits[name](data.learning, self._options.seed) for name in _ROUTED if name in fits}

    def _left_out(self, data: RoutingData, described: dict[str, Array]) -> list[LeftOutRow]:
        return left_out(data, described, self._options.seed) if _LEARNS_ROUTES in self._fits(described) else []

    def _fits(self, described: dict[str, Array]) -> dict[str, Fit]:
        wanted = self._options.routers
        return {name: fit for name, fit in fits_of(described).items() if not wanted or name in wanted}

    def _say(self, text: str) -> None:
        self._console.print(f"  {text}", highlight=False)


def _embedder() -> Embedder:
    return WordEmbedder()


def fits_of(described: dict[str, Array]) -> dict[str, Fit]:
    """The routers by name; ``described``: the vectors of strategies and models."""
    return {
        "best on average": fit_averages,
        "length": fit_length,
        "win rate": fit_win_rate(_YARDSTICK, _DEAR),
        "kNN with a guard": fit_neighbours(),
        _LEARNS_ROUTES: fit_route_to_reason(described),
    }
