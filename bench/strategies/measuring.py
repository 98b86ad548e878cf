"""Measuring a plan: accuracy and tokens of every trial beside the votes of the samples that they share."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial

from rich.console import Console

from agents.sampling import Draw, Format, attempt_of
from bench.pooled import Pool, Pooled, pool_of
from bench.questions import Question
from bench.record import models_of, write_report
from bench.run import open_solver, progress_bar
from bench.solving import Drawn, Solved, Solver, side_by_side
from bench.strategies.aims import aims_of
from bench.strategies.kept import NAME, merged
from bench.strategies.plan import Plan, asked_as
from bench.strategies.report import Outcome, Pools, StrategiesReport, StrategyRow, row, vote_rows, with_costs
from bench.strategies.trials import TEMPERATURE, TOP, Kind, Preparation, Trial, prepared
from orchestrator.settings import Settings


class Measuring:
    """Runs a plan over engines that answer, one model and data set after the other. ``earlier`` rows stay in the report
    where this run does not measure the same again."""

    def __init__(self, plan: Plan, settings: Settings, console: Console, earlier: Sequence[StrategyRow] = ()) -> None:
        self._plan = plan
        self._settings = settings
        self._console = console
        self._earlier = earlier
        self._measured: list[StrategyRow] = []

    async def run(self) -> StrategiesReport:
        """The report is written anew after each part, however it ends, so that what was measured is kept."""
        # The large model first: what its cot costs is what every cost is relative to.
        for model in sorted(self._plan.models, key=lambda name: name != self._settings.named("large")):
            for kind in self._plan.kinds():
                try:
                    await self._measure(kind, model)
                finally:
                    if self._measured:
                        write_report(self.report(), self._plan.results)
        return self.report()

    def report(self) -> StrategiesReport:
        """What is measured by now, and what earlier runs measured beside it."""
        head = StrategiesReport(bench=NAME, models=models_of(self._settings), aims=[], rows=[])
        stamp = {"commit": head.commit, "created": head.created}
        measured = [row.model_copy(update=stamp) for row in self._measured]
        rows = with_costs(merged(self._earlier, measured), self._settings)
        aims = aims_of(rows, self._settings.named("small"), self._settings.named("large"))
        return head.model_copy(update={"rows": rows, "aims": aims})

    async def _measure(self, kind: Kind, model: str) -> None:
        questions = self._plan.questions(kind)
        pools: dict[Format, Pool] = {}
        for form in kind.pools:
            async with self._solver(model, Preparation(form)) as solver:
                pools[form] = await self._pool(solver, kind, model, questions, form)
        if pools:
            self._measured += vote_rows(kind.dataset, model, pools, self._settings)
        for how in dict.fromkeys(trial.preparation for trial in kind.trials):
            async with self._solver(model, how) as solver:
                for trial in kind.trials:
                    if trial.preparation == how:
                        await self._try(solver, trial, kind, model, questions, pools)

    def _solver(self, model: str, how: Preparation) -> AbstractAsyncContextManager[Solver]:
        """Its strategies that vote draw from the pool of that format."""
        settings = prepared(self._settings, self._plan.samples_of(model, self._settings), how)
        return open_solver(settings, self._plan.cache, partial(Pooled, top=TOP))

    async def _pool(self, solver: Solver, kind: Kind, model: str, questions: Sequence[Question], form: Format) -> Pool:
        """The samples that all voting strategies share, drawn to their end."""
        gate = asyncio.Semaphore(self._plan.concurrency)
        count = self._plan.samples_of(model, self._settings) * self._plan.seeds
        draw = Draw(n=count, temperature=TEMPERATURE, top_logprobs=TOP)
        title = f"{kind.dataset} samples of {form}({model})"
        with progress_bar(self._console, title, len(questions)) as advance:

            async def one(question: Question) -> list[Drawn]:
                async with gate:
                    drawn = await solver.draw(question, model, attempt_of(form), draw)
                advance()
                return drawn

            drawn = await side_by_side(one(question) for question in questions)
        return await asyncio.to_thread(pool_of, questions, drawn, self._settings.models[model].parameters)

    async def _try(
        self, solver: Solver, trial: Trial, kind: Kind, model: str, questions: Sequence[Question], pools: Pools
    ) -> None:
        name = asked_as(trial, model, self._settings)
        if name is None:
            return
        # Samples of different seeds do not overlap.
        count = max(trial.seeds, self._plan.seeds) if trial.sampled else 1
        seeds = tuple(seed * self._plan.samples_of(model, self._settings) for seed in range(count))
        solved: list[tuple[Solved, ...]] = []
        for seed in seeds:
            with progress_bar(self._console, f"{kind.dataset} {trial.name}({model}) {seed}", len(questions)) as advance:
                made = await solver.solve_all(
                    questions, name, "medium", self._plan.concurrency, advance, seed, trial.temperature
                )
            solved.append(tuple(made))
        outcome = Outcome(model, kind.dataset, trial.name, seeds, tuple(solved))
        self._measured.append(row(outcome, pools, self._settings))
