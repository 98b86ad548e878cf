"""What is decided after each attempt, on a card with known laws."""

import math

from agents.problem import Answer, Evidence
from routers.acceptance.card import AcceptanceCard
from routers.acceptance.selecting import Selecting
from routers.acceptance.weighing import Weighing
from routers.assessment import Assessment
from routers.constant import Constant
from routers.explained import Explained
from routers.ladder import Ladder
from routers.policy import Abstain, Accept
from routers.route import Decision, Effort, Route
from routers.sticky import Sticky, Turn
from workers.ledger import Budget

_PROGRAM = Route(strategy="program", models=("big",))
_COT = Route(strategy="cot", models=("big",))
_TINY = Route(strategy="program", models=("tiny",))
_ROLES = {"big": "large", "tiny": "small"}
_RUNGS: dict[Effort, tuple[Route, ...]] = {"medium": (_PROGRAM, _COT), "low": (_PROGRAM,)}
_NUMBER = Assessment(form="number", difficulty=0.5, reason="")
_CHOICE = Assessment(form="choice", difficulty=0.5, reason="")
_TEXT = Assessment(form="text", difficulty=None, reason="")
_HIDDEN = Assessment(form="text", difficulty=0.0, reason="", interface_task=True)


def _ladder(*rungs: Route) -> Ladder:
    return Ladder(
        {"medium": rungs, "low": rungs},
        talker=Route(strategy="direct", models=("big",)),
        clerk=Route(strategy="direct", models=("tiny",)),
        enough={"program": {"medium": 0.0, "low": -math.inf}},
        agreeing=2,
        scales={},
    )


def _weighing(card: AcceptanceCard, price: float = 0.01, left: Budget | None = None) -> Weighing:
    prices: dict[Effort, float] = {"medium": price, "low": math.inf}
    return Weighing(_ladder(_PROGRAM, _COT), card, _ROLES, _RUNGS, prices, left)


def _answer(strategy: str, value: str | None, logprob: float = -0.2) -> Answer:
    length = 100 if strategy == "program" else 260
    evidence = Evidence(
        program_ran=value is not None if strategy == "program" else None, mean_logprob=logprob, length=length
    )
    return Answer(text=value or "", value=value, strategy=strategy, model="big", evidence=evidence)


def test_a_sure_answer_is_accepted_and_a_doubtful_one_followed_by_what_is_worth_its_cost(card: AcceptanceCard) -> None:
    sure = _weighing(card).after(_NUMBER, "medium", [_answer("program", "7", -0.05)])
    assert isinstance(sure, Accept)
    assert sure.supported
    assert "likely to be right by its evidence" in sure.reason
    doubtful = _weighing(card).after(_NUMBER, "medium", [_answer("program", "7", -0.3)])
    assert isinstance(doubtful, Decision)
    assert doubtful.route == _COT
    assert doubtful.considered[0].cost == 1.0
    assert "points for a cost of 1.00" in doubtful.reason


def test_nothing_more_is_bought_where_it_costs_more_than_it_is_worth(card: AcceptanceCard) -> None:
    doubtful = [_answer("program", "7", -0.3)]
    assert isinstance(_weighing(card, price=5.0).after(_NUMBER, "medium", doubtful), Accept)
    assert isinstance(_weighing(card).after(_NUMBER, "low", doubtful), Accept)


def test_an_attempt_that_does_not_fit_what_is_left_of_the_budget_is_not_begun(card: AcceptanceCard) -> None:
    doubtful = [_answer("program", "7", -0.3)]
    short = _weighing(card).within(Budget(tokens=200))
    assert isinstance(short.after(_NUMBER, "medium", doubtful), Accept)
    assert isinstance(_weighing(card).within(Budget(calls=0)).after(_NUMBER, "medium", doubtful), Accept)
    assert isinstance(_weighing(card).within(Budget(tokens=400, calls=3)).after(_NUMBER, "medium", doubtful), Decision)


def test_without_an_answer_the_next_route_comes_whatever_it_costs_and_then_the_run_abstains(
    card: AcceptanceCard,
) -> None:
    weighing = _weighing(card, price=5.0)
    failed = _answer("program", None)
    verdict = weighing.after(_NUMBER, "medium", [failed])
    assert isinstance(verdict, Decision)
    assert verdict.route == _COT
    assert isinstance(weighing.after(_NUMBER, "medium", [failed, _answer("cot", None)]), Abstain)


def test_of_attempts_that_disagree_the_one_that_is_more_probably_right_is_taken(card: AcceptanceCard) -> None:
    attempts = [_answer("program", "7", -0.35), _answer("cot", "8", -0.08)]
    verdict = _weighing(card).after(_NUMBER, "medium", attempts)
    assert isinstance(verdict, Accept)
    assert verdict.attempt == 1


def test_answers_of_an_unknown_kind_are_left_to_the_ladder_and_the_trace_says_so(card: AcceptanceCard) -> None:
    verdict = _weighing(card).after(_CHOICE, "medium", [_answer("program", "A", -0.3)])
    assert isinstance(verdict, Decision)
    assert "uncalibrated: too few outcomes are known of answers that are a choice" in verdict.reason
    strange = _answer("plan", "7")
    accepted = _weighing(card).after(_NUMBER, "low", [strange, strange])
    assert "uncalibrated: no outcomes are known of plan(large)" in accepted.reason


def test_a_risk_withholds_what_is_not_sure_enough_and_says_why(card: AcceptanceCard) -> None:
    points = card.points(0.2)
    pinned = Selecting(Constant(_PROGRAM, "asked for"), card, _ROLES, points, {"medium": ()})
    assert isinstance(pinned.after(_NUMBER, "medium", [_answer("program", "7", -0.02)]), Accept)
    withheld = pinned.after(_NUMBER, "medium", [_answer("program", "7", -0.4)])
    assert isinstance(withheld, Abstain)
    assert "that a risk of 0.2 takes" in withheld.reason
    spoken = Answer(text="Hello", strategy="direct", model="big", streamed=True)
    assert isinstance(pinned.after(_TEXT, "medium", [spoken]), Accept)


def test_a_risk_tries_the_other_routes_before_it_withholds(card: AcceptanceCard) -> None:
    points = card.points(0.2)
    selecting = Selecting(_ladder(_PROGRAM), card, _ROLES, points, _RUNGS)
    doubtful = _answer("program", "7", -0.3)
    further = selecting.after(_NUMBER, "medium", [doubtful])
    assert isinstance(further, Decision)
    assert further.route == _COT
    agreed = selecting.after(_NUMBER, "medium", [doubtful, _answer("cot", "7", -0.1)])
    assert isinstance(agreed, Accept)
    disputed = selecting.after(_NUMBER, "medium", [doubtful, _answer("cot", "8", -0.4)])
    assert isinstance(disputed, Abstain)
    none = Selecting(_ladder(_PROGRAM), card, _ROLES, {}, _RUNGS).after(
        _NUMBER, "medium", [_answer("program", "7", -0.01)]
    )
    assert isinstance(none, Abstain) and "of answers that are a number vouch for none so low" in none.reason
    unknown = selecting.after(_CHOICE, "medium", [_answer("program", "A", -0.01)])
    assert isinstance(unknown, Abstain)
    assert "no risk can be vouched for" in unknown.reason


def test_a_reader_sees_what_was_measured_of_each_route_and_nothing_for_kinds_that_were_not(
    card: AcceptanceCard,
) -> None:
    explained = Explained(_ladder(_TINY, _PROGRAM, _COT), card, _ROLES)
    considered = explained.first(_NUMBER, "medium").considered
    assert [estimate.route for estimate in considered] == [_TINY, _PROGRAM, _COT]
    program = considered[1]
    assert program.n == 240
    assert program.interval is not None
    assert program.success is not None
    assert program.interval[0] < program.success < program.interval[1]
    assert (program.tokens, round(program.cost or 0, 2)) == (100, 0.4)
    assert all(estimate.success is None for estimate in explained.first(_CHOICE, "medium").considered)


def test_a_thread_stays_on_the_capable_model_for_questions_of_the_kind_that_needed_it() -> None:
    free, raised = _ladder(_TINY, _PROGRAM), _ladder(_PROGRAM)
    turn = Turn.of("number", "program(big)")
    assert turn is not None
    sticky = Sticky(free, raised, turn.form)
    decision = sticky.first(_NUMBER, "medium")
    assert decision.route == _PROGRAM
    assert decision.reason == "the thread is on big since a question of this kind needed it"
    assert sticky.first(_CHOICE, "medium").route == _TINY
    assert sticky.first(_HIDDEN, "medium").route.models == ("tiny",)
    # What it falls back on afterwards are the raised rungs: nothing goes down again.
    assert isinstance(sticky.after(_NUMBER, "medium", [_answer("program", "7")]), Accept)


def test_no_turn_is_known_of_a_thread_without_a_route() -> None:
    assert Turn.of("number", None) is None
    assert Turn.of(None, "program(big)") is None
    assert Turn.of("number", "entropy(tiny+big)") == Turn(form="number", models=("tiny", "big"))
