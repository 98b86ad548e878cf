"""The learned router in service: which route comes first, when it has no say, and what comes after."""

import math

import pytest

from agents.problem import Answer, AnswerForm, Evidence
from routers.assessment import Assessment
from routers.embedding import WordEmbedder
from routers.estimators.knn import fit_neighbours
from routers.estimators.table import Table
from routers.familiarity import fit_familiarity
from routers.ladder import Ladder
from routers.policy import Abstain, Accept
from routers.route import Decision, Effort, Route
from routers.value import LearnedRouter, Valued, Weighed, routes_by_role
from tests.routers import outcomes

_ROLES = {"tiny": "small", "big": "large"}
_PRICE: dict[Effort, float] = {"none": math.inf, "minimal": math.inf, "low": 1.0, "medium": 0.1, "high": 0.04}
_PROGRAM, _COT, _DIRECT = (Route(strategy=name, models=("big",)) for name in ("program", "cot", "direct"))


def _ladder(*rungs: Route) -> Ladder:
    return Ladder(
        dict.fromkeys(_PRICE, rungs),
        talker=_DIRECT,
        clerk=Route(strategy="direct", models=("tiny",)),
        enough={"program": dict.fromkeys(_PRICE, 0.0)},
        agreeing=2,
        scales={},
    )


_LADDER = _ladder(_PROGRAM, _COT)
_LOGIC = "If every wumpus 7 is a tumpus and Max is a wumpus, does it follow that Max is a tumpus 9? Yes or no?"
_GEOGRAPHY = "Which sea borders the coast of state 7? A. Baltic B. Black C. Red D. sector 4"


def _assessed(form: AnswerForm, interface_task: bool = False) -> Assessment:
    return Assessment(form=form, difficulty=0.5, reason="", interface_task=interface_task)


@pytest.fixture(scope="module")
def router(specialists: Table, word_embedder: WordEmbedder) -> LearnedRouter:
    estimator = fit_neighbours(k=20)(specialists, 0)
    routes = routes_by_role(specialists.routes, _ROLES, ("program", "cot", "direct"))
    return LearnedRouter("one", estimator, fit_familiarity(specialists), word_embedder, routes, _PRICE, "cot(large)")


async def _weighed(
    router: LearnedRouter, text: str, form: AnswerForm, effort: Effort = "medium", most: float | None = None
) -> Weighed:
    weighed = await router.weigh(text, _assessed(form), effort, most)
    assert weighed is not None
    return weighed


async def test_each_question_gets_the_route_that_is_good_at_it(router: LearnedRouter) -> None:
    logic = Valued(_LADDER, await _weighed(router, _LOGIC, "yes-no"))
    decision = logic.first(_assessed("yes-no"), "medium")
    assert decision.route == _COT
    assert "best expected value" in decision.reason and "likely to be right" in decision.reason
    known = {estimate.route.name: estimate for estimate in decision.considered}
    assert set(known) == {"program(big)", "cot(big)", "direct(big)", "direct(tiny)"}
    assert all(e.success is not None and e.tokens is not None and e.cost is not None for e in known.values())
    geography = await _weighed(router, _GEOGRAPHY, "choice")
    assert geography.route == _DIRECT


async def test_no_say_where_nothing_can_be_compared_effort_pays_for_nothing_or_a_solver_decides(
    router: LearnedRouter,
) -> None:
    for form in ("text", "code"):
        assert await router.weigh(_LOGIC, _assessed(form), "medium") is None  # type: ignore[arg-type]
    assert await router.weigh(_LOGIC, _assessed("number", interface_task=True), "medium") is None
    assert await router.weigh(_LOGIC, _assessed("yes-no"), "none") is None
    decidable = _assessed("yes-no").model_copy(update={"decidable": True})
    assert await router.weigh(_LOGIC, decidable, "medium") is None, "a solver decides it without a model"


async def test_an_unfamiliar_question_falls_back_and_says_so(router: LearnedRouter) -> None:
    strange = await _weighed(
        router, "Integrate exp(-x^2) over the real line and justify each step rigorously.", "number"
    )
    decision = Valued(_LADDER, strange).first(_assessed("number"), "medium")
    assert decision.route == _PROGRAM and "unlike the training questions" in decision.reason
    unseen = await _weighed(router, _LOGIC, "expression")
    assert unseen.route is None and "not trained on answers of the form 'expression'" in unseen.reason


async def test_the_budget_bounds_the_choice(router: LearnedRouter) -> None:
    assert (await _weighed(router, _LOGIC, "yes-no", most=1000)).route == _COT
    tight = (await _weighed(router, _LOGIC, "yes-no", most=120)).route
    assert tight is not None and tight.strategy != "cot"


def _answer(route: Route, value: str | None, ran: bool | None = None) -> Answer:
    evidence = Evidence(program_ran=ran, mean_logprob=-0.2)
    return Answer(text=value or "", value=value, strategy=route.strategy, model=route.models[0], evidence=evidence)


def test_low_effort_takes_the_chosen_routes_answer_and_more_effort_looks_for_agreement() -> None:
    policy = Valued(_LADDER, Weighed(route=_COT, reason="chosen"))
    assessment, attempts = _assessed("number"), [_answer(_COT, "4")]
    assert isinstance(policy.after(assessment, "low", attempts), Accept)
    further = policy.after(assessment, "medium", attempts)
    assert isinstance(further, Decision) and further.route == _PROGRAM
    agreed = policy.after(assessment, "medium", [*attempts, _answer(_PROGRAM, "4", ran=True)])
    assert isinstance(agreed, Accept) and agreed.supported


def test_no_answer_at_low_effort_goes_on() -> None:
    policy = Valued(_LADDER, Weighed(route=_DIRECT, reason="chosen"))
    further = policy.after(_assessed("number"), "low", [_answer(_DIRECT, None)])
    assert isinstance(further, Decision) and further.route != _DIRECT


def test_no_answer_goes_on_to_a_ladder_of_one_rung_unless_that_was_it() -> None:
    attempts = [_answer(_DIRECT, None)]
    further = Valued(_ladder(_PROGRAM), Weighed(route=_DIRECT, reason="chosen")).after(
        _assessed("number"), "low", attempts
    )
    assert isinstance(further, Decision) and further.route == _PROGRAM
    over = Valued(_ladder(_DIRECT), Weighed(route=_DIRECT, reason="chosen")).after(_assessed("number"), "low", attempts)
    assert isinstance(over, Abstain)


def test_without_a_choice_everything_is_the_wrapped_policys() -> None:
    policy = Valued(_LADDER, Weighed(route=None, reason="no say"))
    assessment = _assessed("number")
    assert policy.first(assessment, "medium").route == _LADDER.first(assessment, "medium").route
    attempts = [_answer(_PROGRAM, "4", ran=True)]
    assert policy.after(assessment, "medium", attempts) == _LADDER.after(assessment, "medium", attempts)


def test_routes_of_models_or_strategies_that_are_not_there_are_not_offered() -> None:
    found = routes_by_role(outcomes.SKILLS, _ROLES, ("program", "direct"))
    assert set(found) == {"program(large)", "direct(large)", "direct(small)"}
    assert found["direct(small)"].models == ("tiny",)
    assert routes_by_role(["entropy(small+large)", "cot(judge)"], _ROLES, ("entropy", "cot")) == {
        "entropy(small+large)": Route(strategy="entropy", models=("tiny", "big"))
    }
