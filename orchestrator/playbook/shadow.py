"""Trials behind the scenes: a candidate and the default on the same question, so that no reader is the test."""

import asyncio
import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from agents.events import Event
from agents.problem import Answer, AnswerForm, Problem
from agents.strategy import SolveContext, Strategy
from agents.timed import TimedSandbox
from orchestrator.guard import without_template_tokens
from orchestrator.model_park import ModelPark
from orchestrator.offers import Offers
from orchestrator.playbook.choosing import in_force, merit, sampled_rate, with_tried
from orchestrator.playbook.entry import Entry, Kind, Setup, Topic
from orchestrator.playbook.evidence import Gain, counts_everywhere, paired
from orchestrator.playbook.learner import Learner, Told
from orchestrator.playbook.parts import PlaybookParts
from orchestrator.playbook.recollection import Recollection
from orchestrator.playbook.records import Part
from orchestrator.playbook.serving import equipped, posed
from orchestrator.playbook.topic_hash import counted
from orchestrator.runs import RunRequest
from orchestrator.settings import Settings
from orchestrator.storage.records import TaughtRun
from routers.assessment import Assessment, assess
from routers.cost import weigh_all
from routers.policy import Accept, Policy
from routers.route import Effort, Route
from tools.sandbox.protocol import Sandbox
from tools.verifiers.equality import cluster
from workers.ledger import Budget, BudgetSpent, Ledger

_PATIENCE = 2
"""Times what the whole run wrote, its escalations included: a recipe that needs more tokens than that saves nothing."""
_NO_SETUP = Setup()
_LEEWAY = 50
"""Tokens: what a short answer may take more."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of a question in shadow. ``supported`` is what the policy of ``auto`` makes of the attempt; whether
    the ``writer`` may have read anything that was learned is ``briefed``."""

    value: str | None
    supported: bool
    cost: float
    tokens: int
    writer: str
    briefed: bool


@dataclass(frozen=True, slots=True)
class _Question:
    """A problem and what an attempt at it may use; from ``_question`` they are those of the default's first route."""

    request: RunRequest
    problem: Problem
    assessment: Assessment
    effort: Effort
    policy: Policy
    route: Route
    budget: Budget
    setup: Setup = _NO_SETUP


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

    async def candidate(self, run: TaughtRun, told: Told, topic: Topic) -> Entry | None:
        """A candidate of the topic to try on this run's question, by Thompson sampling; None where there is none.

        A behaviour is tried on later questions only: what it was distilled from would speak for it. An example comes
        from one question, on which it is not tried; nor is a recipe on those that it quotes. Only recipes are tried
        where the run was wrong.
        """
        known, asked = await self._parts.recall.of_topic(topic), self._question(run)
        right = bool(told.won)
        briefs = right and any(model in self._parts.recall.writers(topic) for model in asked.route.models)
        shows = right and self._question_for(run, topic, "example", known) is not None
        may_be_tried: Mapping[Kind, Callable[[Entry], bool]] = {
            "recipe": lambda entry: self._may_serve(entry, asked),
            "behaviour": lambda entry: briefs and entry.created <= run.created,
            "example": lambda entry: shows and not entry.quotes(told.question),
        }
        candidates = [entry for entry in known if entry.status == "candidate" and may_be_tried[entry.kind](entry)]
        chance = random.Random(f"{told.run} shadow")
        options = self._settings.playbook
        ranked = sorted(
            candidates, key=lambda entry: merit(entry, topic, sampled_rate(entry, chance), options), reverse=True
        )
        for entry in ranked:
            if not await self._tried(told, entry):
                return entry
        return None

    async def run(self, run: TaughtRun, told: Told, topic: Topic, entry: Entry) -> Gain | None:
        """Try ``entry`` on the question of a run that is known to have been right, a recipe also where it is known to
        have been wrong, and add the outcome.

        None where the comparison says nothing. Cancelling it aborts its generations.
        """
        if not told.is_settled or (told.won and run.value is None) or (not told.won and entry.kind != "recipe"):
            return None
        known = await self._parts.recall.of_topic(topic)
        question, given = self._question_for(run, topic, entry.kind, known), self._given(topic, told, known)
        if question is None or entry.quotes(told.question):
            return None
        if entry.kind == "recipe":
            bounded = self._for_recipe(question, entry, most=_PATIENCE * told.tokens + _LEEWAY)
            tried, default = await self._attempt(bounded, topic, given), _of_run(run, told)
        else:
            # What stands in a prompt is compared with the same route without it. Both have the whole budget: where
            # that route alone is wrong, the right answer may well take longer than the run's did.
            tried = await self._attempt(question, topic, with_tried(given, entry, self._settings.playbook))
            default = await self._attempt(question, topic, given)
        if told.won:
            won, default_won = await asyncio.to_thread(_right, (tried, default), run.value, told)
        else:
            # Another answer than the wrong one may be right. Nobody says so, and the policy that accepted the wrong one
            # would be its judge: what is sure is that nothing was lost.
            won, default_won = False, False
        return await self._add(told, entry, tried, won, default, default_won)

    async def recheck(self, run: TaughtRun, told: Told, topic: Topic, entry: Entry) -> Gain | None:
        """Compare what a promoted entry made of a run with what the default makes of its question. None where that says
        nothing, or was done before and nobody has said anything else of the run since."""
        if await self._parts.records.is_known(told.owner, trial_name(told.run, entry), told.won):
            return None
        if entry.kind == "recipe":
            return await self._recheck_recipe(run, told, topic, entry)
        return await self._recheck_in_prompt(run, told, topic, entry)

    async def _recheck_recipe(self, run: TaughtRun, told: Told, topic: Topic, entry: Entry) -> Gain | None:
        """What is known of an answer that was taken on a recipe's word is what its owner says of it; else only whether
        it is that for which the default has evidence."""
        known = await self._parts.recall.of_topic(topic)
        default = await self._attempt(self._question(run), topic, self._given(topic, told, known))
        tried = _of_run(run, told, entry)
        same = await asyncio.to_thread(_same, tried.value, default.value, told.form)
        vouched = default.supported and default.value is not None
        if told.won is None:
            return await self._add(told, entry, tried, same, default, True) if vouched else None
        won = told.won > 0
        if not (won or same or vouched):
            # The default's first attempt would not have been its last: what it had come to is not known.
            return None
        # As a trial the run has told of itself.
        return await self._add(told, entry, tried, won, default, won == same, is_trial=False)

    async def _recheck_in_prompt(self, run: TaughtRun, told: Told, topic: Topic, entry: Entry) -> Gain | None:
        """Once more with it and without: of questions that only went right with it, or wrong, the run alone would tell
        half the story."""
        if told.won is None or entry.quotes(told.question):
            return None
        known = await self._parts.recall.of_topic(topic)
        question, given = self._question_for(run, topic, entry.kind, known), self._given(topic, told, known)
        if question is None:
            return None
        without = [each for each in given if each.id != entry.id]
        used = given if len(without) < len(given) else with_tried(given, entry, self._settings.playbook)
        tried = await self._attempt(question, topic, used)
        default = await self._attempt(question, topic, without)
        won, default_won = await asyncio.to_thread(_right, (tried, default), run.value, told)
        return await self._add(told, entry, tried, won, default, default_won)

    async def _add(
        self,
        told: Told,
        entry: Entry,
        tried: Attempt,
        won: bool,
        default: Attempt,
        default_won: bool,
        *,
        is_trial: bool = True,
    ) -> Gain:
        gain = paired(won, tried.cost, default_won, default.cost, self._settings.playbook.guard)
        unknown = is_trial and told.won == 0
        alone = float(won) if entry.kind == "recipe" and not (tried.briefed or unknown) else None
        pooled = counts_everywhere(entry, self._settings.playbook.guard)
        part = Part(entry=entry.id, gain=gain, alone=alone, pooled=pooled)
        if is_trial:
            part = part.model_copy(update={"won": float(won), "tokens": tried.tokens, "cost": tried.cost})
        # Hardly a run lets the small model write: without these nobody knew where it does badly.
        counts = counted("writer", tried.writer, alone, 1) if alone is not None else {}
        name = trial_name(told.run, entry)
        await self._parts.records.add(told.owner, name, entry.topic, counts, [part], told.run, word=told.won)
        await self._learner.judge(told.owner, [entry.id], told.run)
        return gain

    async def _tried(self, told: Told, entry: Entry) -> bool:
        """Not so where the owner has said since that the run was right, or wrong: that makes another outcome of it."""
        return await self._parts.records.is_known(told.owner, trial_name(told.run, entry), told.won)

    def _given(self, topic: Topic, told: Told, known: Sequence[Entry]) -> list[Entry]:
        """The promoted behaviours and examples, of the topic's ``known`` entries, that a run on this question is
        given."""
        promoted = [entry for entry in known if entry.status == "promoted" and not entry.quotes(told.question)]
        used = in_force(promoted, topic, self._settings.playbook)
        return [entry for entry in used if entry.kind != "recipe"]

    def _question_for(self, run: TaughtRun, topic: Topic, kind: Kind, known: Sequence[Entry]) -> _Question | None:
        """The run's question on the default's first route. For an example it is a route on which the small model
        writes: that of the topic's recipe where it is not the default's; None where there is neither."""
        question = self._question(run)
        if kind != "example":
            return question
        pupils = self._parts.recall.pupils(topic) if self._settings.playbook.examples else ()
        if any(model in pupils for model in question.route.models):
            return question
        recipes = [entry for entry in known if entry.status == "promoted" and self._may_serve(entry, question)]
        for recipe in in_force(recipes, topic, self._settings.playbook):
            served = self._for_recipe(question, recipe)
            if any(model in pupils for model in served.route.models):
                return served
        return None

    def _may_serve(self, entry: Entry, question: _Question) -> bool:
        return self._parts.recall.route_of(entry) is not None and not entry.quotes(question.problem.question)

    def _question(self, run: TaughtRun) -> _Question:
        request = RunRequest.model_validate(run.request)
        request = request.model_copy(update={"messages": without_template_tokens(request.messages)})
        assessment, effort = assess(request.messages), self._offers.effort(request)
        policy = self._offers.policy(request)
        return _Question(
            request=request,
            problem=self._park.problem(request, assessment),
            assessment=assessment,
            effort=effort,
            policy=policy,
            route=policy.first(assessment, effort).route,
            budget=self._settings.efforts[effort].budget,
        )

    def _for_recipe(self, question: _Question, entry: Entry, most: int | None = None) -> _Question:
        """The same question on the recipe's route, over when that has written ``most`` tokens."""
        route = self._parts.recall.route_of(entry)
        if route is None or entry.recipe is None:
            raise ValueError(f"recipe {entry.name!r} has no route here; try those of which Recall.route_of knows one")
        bounds = [bound for bound in (most, question.budget.tokens) if bound is not None]
        return replace(
            question,
            problem=posed(question.problem, entry.recipe, question.request),
            route=route,
            budget=question.budget.model_copy(update={"tokens": min(bounds, default=None)}),
            setup=entry.recipe,
        )

    async def _attempt(self, question: _Question, topic: Topic, given: Sequence[Entry]) -> Attempt:
        """One attempt at a question, with the behaviours and examples given to whom a run gives them, and what is the
        recipe's own."""
        ledger, problem, route = Ledger(question.budget), question.problem, question.route
        behaviours = tuple((entry.name, entry.text) for entry in given if entry.kind == "behaviour")
        examples = tuple((entry.problem, entry.text) for entry in given if entry.kind == "example")
        recollection = Recollection(
            behaviours=behaviours,
            writers=self._parts.recall.writers(topic) if behaviours else (),
            examples=examples,
            pupils=self._parts.recall.pupils(topic) if examples else (),
        )
        context = SolveContext(
            models=self._park.for_run(ledger, _nobody),
            writers=route.models,
            sandbox=TimedSandbox(self._sandbox, ledger),
            limits=self._settings.sandbox,
            emit=_nobody,
            step_tokens=self._settings.auto.step_tokens,
        )
        context = equipped(context, question.setup, recollection, problem.question)
        told = (*recollection.writers, *recollection.pupils)
        answer = await self._solved(problem, route, context)
        verdict = await asyncio.to_thread(question.policy.after, question.assessment, question.effort, [answer])
        used = ledger.summary().tokens
        return Attempt(
            value=answer.value,
            supported=isinstance(verdict, Accept) and verdict.supported,
            cost=weigh_all(used, self._parameters),
            tokens=sum(usage.completion for usage in used.values()),
            writer=route.models[0],
            briefed=question.setup.in_prompts or any(model in told for model in route.models),
        )

    async def _solved(self, problem: Problem, route: Route, context: SolveContext) -> Answer:
        try:
            return await self._strategies[route.strategy].solve(problem, context)
        except BudgetSpent:
            return Answer(text="", strategy=route.strategy, model=route.models[0], finish_reason="length")


def _of_run(run: TaughtRun, told: Told, entry: Entry | None = None) -> Attempt:
    """What the run itself made of its question, with the recipe ``entry`` where it had one."""
    # A run has one recipe: whatever else it used stood in a prompt.
    own = entry is not None and entry.recipe is not None and entry.recipe.in_prompts
    briefed = own or len(told.lesson.used) > 1
    return Attempt(run.value, run.supported is True, told.cost, told.tokens, told.writer, briefed)


def _right(attempts: tuple[Attempt, Attempt], value: str | None, told: Told) -> tuple[bool, bool]:
    """Whether each of them is right, as far as the run tells."""
    return _is_right(attempts[0], value, told), _is_right(attempts[1], value, told)


def _is_right(attempt: Attempt, value: str | None, told: Told) -> bool:
    """It gave the run's ``value`` if that was right; if that was wrong it gave another one, which has evidence of its
    own."""
    same = _same(attempt.value, value, told.form)
    return same if told.won else attempt.value is not None and attempt.supported and not same


def _same(first: str | None, second: str | None, form: AnswerForm) -> bool:
    return first is not None and second is not None and len(cluster([first, second], form)) == 1


def trial_name(run: str, entry: Entry) -> str:
    """Under which a trial of this entry on this run's question is added once."""
    return f"shadow:{uuid.uuid5(uuid.NAMESPACE_OID, f'{run} {entry.id} {entry.version}').hex}"


async def _nobody(event: Event) -> None:
    """The events of a trial are for no one."""
