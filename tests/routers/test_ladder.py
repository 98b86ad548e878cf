"""The training-free policy: which evidence is enough, and what comes next when it is not."""

import math

from agents.problem import Answer, Evidence
from routers.assessment import Assessment
from routers.ladder import Ladder
from routers.plausible import Bounds
from routers.policy import Abstain, Accept
from routers.route import Decision, Route
from routers.standing import Scale

_PROGRAM = Route(strategy="program", models=("large",))
_AGAIN = _PROGRAM.model_copy(update={"sample": 1})
_COT = Route(strategy="cot", models=("large",))
_TALK = Route(strategy="direct", models=("large",))
_CLERK = Route(strategy="direct", models=("small",))
_LADDER = Ladder(
    {"low": (_PROGRAM, _COT), "medium": (_PROGRAM, _AGAIN, _COT)},
    talker=_TALK,
    clerk=_CLERK,
    enough={"program": {"low": -math.inf, "medium": -0.05}},
    agreeing=2,
    scales={"program": Scale(mean=-0.5, spread=0.1), "cot": Scale(mean=-0.2, spread=0.05)},
)
_NUMBER = Assessment(form="number", difficulty=0.5, reason="")
_COUNT = _NUMBER.model_copy(update={"bounds": Bounds(whole=True, size=True)})
_TEXT = Assessment(form="text", difficulty=None, reason="")


def _ran(value: str | None, logprob: float | None = -0.5) -> Answer:
    evidence = Evidence(program_ran=value is not None, mean_logprob=logprob)
    return Answer(text=value or "", value=value, strategy="program", model="large", evidence=evidence)


def test_conversation_goes_to_the_capable_model_and_is_accepted_as_written() -> None:
    assert _LADDER.first(_TEXT, "medium").route == _TALK
    spoken = Answer(text="Hello", strategy="direct", model="large", streamed=True)
    assert isinstance(_LADDER.after(_TEXT, "medium", [spoken]), Accept)


def test_hidden_interface_requests_go_to_the_smallest_model() -> None:
    hidden = Assessment(form="text", difficulty=0.0, reason="", interface_task=True)
    assert _LADDER.first(hidden, "medium").route == _CLERK


def test_a_confident_program_is_enough() -> None:
    verdict = _LADDER.after(_NUMBER, "medium", [_ran("4", -0.01)])
    assert verdict == Accept(attempt=0, reason="the program ran; its mean log-probability is -0.010")


def test_a_doubtful_program_is_asked_again() -> None:
    verdict = _LADDER.after(_NUMBER, "medium", [_ran("4")])
    assert isinstance(verdict, Decision) and verdict.route == _AGAIN


def test_a_program_whose_answer_can_hardly_be_right_is_not_enough_at_any_effort() -> None:
    for effort in ("low", "medium"):
        verdict = _LADDER.after(_COUNT, effort, [_ran("-2", -0.01)])
        assert isinstance(verdict, Decision)
        assert verdict.reason == "-2 is below zero, which what is asked for cannot be"


def test_what_can_hardly_be_right_leads_only_where_nothing_else_is_left() -> None:
    verdict = _LADDER.after(_COUNT, "low", [_ran("-2", -0.01), _reasoned("5", -9.0)])
    assert verdict == Accept(
        attempt=1, reason="the ladder is climbed; only what cot says can be an answer", supported=False
    )
    alone = _LADDER.after(_COUNT, "low", [_ran("-2"), _reasoned(None, None)])
    assert isinstance(alone, Accept) and alone.attempt == 0
    agreed = _LADDER.after(_COUNT, "low", [_ran("-2"), _reasoned("-2", -0.2)])
    assert agreed == Accept(attempt=0, reason="2 independent attempts agree")


def test_no_log_probability_is_no_evidence() -> None:
    assert isinstance(_LADDER.after(_NUMBER, "medium", [_ran("4", None)]), Decision)


def test_agreement_of_two_ends_the_climb_even_when_written_differently() -> None:
    verdict = _LADDER.after(_NUMBER, "medium", [_ran("4"), _ran("4.0")])
    assert isinstance(verdict, Accept) and verdict.supported


def test_disagreement_climbs_and_at_the_top_the_first_program_counts() -> None:
    assert isinstance(_LADDER.after(_NUMBER, "medium", [_ran("4"), _ran("5")]), Decision)
    verdict = _LADDER.after(_NUMBER, "medium", [_ran("4"), _ran("5"), _ran("6")])
    assert isinstance(verdict, Accept)
    assert (verdict.attempt, verdict.supported) == (0, False)


def _reasoned(value: str | None, logprob: float | None) -> Answer:
    return Answer(text=value or "", value=value, strategy="cot", model="large", evidence=Evidence(mean_logprob=logprob))


def test_of_two_that_disagree_the_surest_of_its_kind_counts() -> None:
    failed = _ran(None)
    sure = _LADDER.after(_NUMBER, "medium", [failed, _ran("4", -0.45), _reasoned("5", -0.1)])
    assert isinstance(sure, Accept) and (sure.attempt, sure.supported) == (2, False)
    unsure = _LADDER.after(_NUMBER, "medium", [failed, _ran("4", -0.45), _reasoned("5", -0.25)])
    assert isinstance(unsure, Accept) and unsure.attempt == 1, (
        "its log-probability is higher, but not for a chain of thought"
    )


def test_where_one_of_them_has_no_log_probability_the_earlier_counts() -> None:
    verdict = _LADDER.after(_NUMBER, "medium", [_ran(None), _ran("4", -0.9), _reasoned("5", None)])
    assert isinstance(verdict, Accept) and verdict.attempt == 1


def test_low_effort_takes_any_program_that_ran_and_climbs_only_on_failure() -> None:
    assert isinstance(_LADDER.after(_NUMBER, "low", [_ran("4", -3.0)]), Accept)
    failed = _LADDER.after(_NUMBER, "low", [_ran(None)])
    assert isinstance(failed, Decision) and failed.route == _COT


def test_without_any_answer_it_abstains() -> None:
    verdict = _LADDER.after(_NUMBER, "low", [_ran(None), _ran(None)])
    assert isinstance(verdict, Abstain)
