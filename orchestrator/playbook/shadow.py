"""Trials behind the scenes: a candidate and the default on the same question, so that no reader is the test."""

import asyncio
import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from agents.briefing import briefed
from agents.events import Event
from agents.problem import Answer, Problem
from agents.strategy import SolveContext, Strategy
from orchestrator.guard import without_template_tokens
from orchestrator.model_park import ModelPark
from orchestrator.offers import Offers
from orchestrator.playbook.choosing import merit, sampled_rate
from orchestrator.playbook.entry import Entry, Topic
from orchestrator.playbook.evidence import Gain, paired
from orchestrator.playbook.learner import Learner, Told
from orchestrator.playbook.parts import PlaybookParts
from orchestrator.playbook.records import Part
from orchestrator.runs import RunRequest
from orchestrator.settings import Settings
from orchestrator.storage.records import TaughtRun
from routers.assessment import assess
from routers.cost import weigh_all
from routers.policy import Accept
from routers.route import Route
from tools.sandbox.protocol import Sandbox
from tools.verifiers.equality import cluster
from workers.ledger import BudgetSpent, Ledger

_PATIENCE = 2
"""Times what the whole run wrote, its escalations included: whatever needs more tokens than that saves nothing."""
_LEEWAY = 50
"""Tokens: what a short answer may take more."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of a question in shadow. ``supported`` is what the policy of ``auto`` makes of the attempts."""

    value: str | None
    supported: bool
    cost: float
    tokens: int


class ShadowTrials:
    """Runs strategies on the park's models, under a ledger of the question's effort, with nobody watching."""

    def __init__(
        self,
        settings: Settings,
        parts: PlaybookParts,
        learner: Learner,
        park: ModelPark,
        offers: Offers,
        strategies: Mapping[str, Strategy],
        sandbox: Sandbox,
    ) -> None:
        self._settings = settings
        self._parts = parts
        self._learner = learner
        self._park = park
        self._offers = offers
        self._strategies = strategies
        self._sandbox = sandbox
        self._parameters = {name: model.parameters for name, model in settings.models.items()}

    async def candidate(self, told: Told, topic: Topic, asked: float) -> Entry | None:
        """A candidate of the topic to try on this run's question, by Thompson sampling; None where there is none.

        ``asked`` is when, in seconds since 1970. A behaviour is tried on later questions only: what it was distilled
        from would speak for it.
        """
        entries = [entry for entry in await self._parts.recall.of_topic(topic) if self._can_try(entry)]
        candidates = [
            entry
            for entry in entries
            if entry.status == "candidate" and (entry.kind == "recipe" or entry.created <= asked)
        ]
        chance = random.Random(f"{told.run} shadow")
        options = self._settings.playbook
        ranked = sorted(
            candidates, key=lambda entry: merit(entry, topic, sampled_rate(entry, chance), options), reverse=True
        )
        for entry in ranked:
            if await self._parts.records.topic_of(told.owner, trial_name(told.run, entry)) is None:
                return entry
        return None

    async def run(self, run: TaughtRun, told: Told, entry: Entry) -> Gain | None:
        """Try ``entry`` on the question of a run that is known to have been right, and add the outcome.

        None where the comparison says nothing. Cancelling it aborts its generations.
        """
        if not told.won or run.value is None:
            return None
        request = RunRequest.model_validate(run.request)
        tried = await self._attempt(request, entry, most=_PATIENCE * told.tokens + _LEEWAY)
        if entry.kind == "recipe":
            default = Attempt(run.value, supported=True, cost=told.cost, tokens=told.tokens)
        else:
            # A behaviour changes one prompt: the same route without it is what it is compared with.
            default = await self._attempt(request, None)
        won, default_won = await asyncio.to_thread(_same, (tried, default), run.value, told)
        return await self._add(told, entry, tried, won, default, default_won)

    async def recheck(self, run: TaughtRun, told: Told, entry: Entry) -> Gain | None:
        """Compare an answer that was taken on the word of a recipe with what the default makes of the question. None
        where the default has no evidence for its own answer."""
        default = await self._attempt(RunRequest.model_validate(run.request), None)
        if not default.supported or default.value is None:
            return None
        tried = Attempt(run.value, supported=False, cost=told.cost, tokens=told.tokens)
        won, _ = await asyncio.to_thread(_same, (tried, default), default.value, told)
        return await self._add(told, entry, tried, won, default, True)

    async def _add(
        self, told: Told, entry: Entry, tried: Attempt, won: bool, default: Attempt, default_won: bool
    ) -> Gain:
        gain = paired(won, tried.cost, default_won, default.cost, self._settings.playbook.guard)
        part = Part(entry=entry.id, won=float(won), tokens=tried.tokens, cost=tried.cost, gain=gain)
        name = trial_name(told.run, entry)
        await self._parts.records.add(told.owner, name, entry.topic, {}, [part], told.run)
        await self._learner.judge(told.owner, [entry.id])
        return gain

    def _can_try(self, entry: Entry) -> bool:
        return entry.kind == "behaviour" or self._parts.recall.route_of(entry) is not None

    async def _attempt(self, request: RunRequest, entry: Entry | None, most: int | None = None) -> Attempt:
        """One attempt at the request's question: of a recipe, or of the default's first route with a behaviour. It is
        over when it has written ``most`` tokens."""
        request = request.model_copy(update={"messages": without_template_tokens(request.messages)})
        assessment = assess(request.messages)
        effort = self._offers.effort(request)
        budget = self._settings.efforts[effort].budget
        if most is not None and (budget.tokens is None or most < budget.tokens):
            budget = budget.model_copy(update={"tokens": most})
        ledger = Ledger(budget)
        problem = self._park.problem(request, assessment)
        policy = self._offers.policy(request)
        route: Route | None = policy.first(assessment, effort).route
        models = self._park.for_run(ledger, _nobody)
        if entry is not None and entry.recipe is not None:
            route = self._parts.recall.route_of(entry)
            problem = problem.model_copy(update={"options": {**entry.recipe.options, **problem.options}})
        elif entry is not None:
            models = briefed(models, models, problem.question, [(entry.name, entry.text)])
        if route is None:
            raise ValueError(f"entry {entry.id if entry else ''} has no route here")
        context = SolveContext(
            models=models,
            writers=route.models,
            sandbox=self._sandbox,
            limits=self._settings.sandbox,
            emit=_nobody,
            step_tokens=self._settings.auto.step_tokens,
        )
        answer = await self._solved(problem, route, context)
        verdict = await asyncio.to_thread(policy.after, assessment, effort, [answer])
        used = ledger.summary().tokens
        return Attempt(
            value=answer.value,
            supported=isinstance(verdict, Accept) and verdict.supported,
            cost=weigh_all(used, self._parameters),
            tokens=sum(usage.completion for usage in used.values()),
        )

    async def _solved(self, problem: Problem, route: Route, context: SolveContext) -> Answer:
        try:
            return await self._strategies[route.strategy].solve(problem, context)
        except BudgetSpent:
            return Answer(text="", strategy=route.strategy, model=route.models[0], finish_reason="length")


def _same(attempts: tuple[Attempt, Attempt], value: str, told: Told) -> tuple[bool, bool]:
    """Whether each of them gave this answer."""
    first, second = (
        attempt.value is not None and len(cluster([attempt.value, value], told.form)) == 1 for attempt in attempts
    )
    return first, second


def trial_name(run: str, entry: Entry) -> str:
    """Under which a trial of this entry on this run's question is added once."""
    return f"shadow:{uuid.uuid5(uuid.NAMESPACE_OID, f'{run} {entry.id} {entry.version}').hex}"


async def _nobody(event: Event) -> None:
    """The events of a trial are for no one."""
