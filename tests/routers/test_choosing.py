"""Questions that name their answers and give nothing to derive one from are asked directly, and no others."""

import math

import pytest

from agents.problem import Answer, Evidence
from routers.assessment import Assessment, assess
from routers.choosing import Choosing
from routers.ladder import Ladder, Ladders
from routers.policy import Accept
from routers.route import Decision, Effort, Route
from workers.messages import Message

_DIRECT = Route(strategy="direct", models=("large",))
_PROGRAM = Route(strategy="program", models=("large",))
_COT = Route(strategy="cot", models=("large",))
_LADDERS: Ladders = {"low": (_PROGRAM,), "high": (_PROGRAM, _COT)}
_CHOOSING: Ladders = {"low": (_DIRECT,), "high": (_DIRECT, _PROGRAM, _COT)}
_TINY = Route(strategy="direct", models=("small",))


def _ladder(rungs: Ladders, strategy: str, high: float) -> Ladder:
    enough: dict[str, dict[Effort, float]] = {strategy: {"low": -math.inf, "high": high}}
    return Ladder(rungs, talker=_DIRECT, clerk=_TINY, enough=enough, agreeing=2, scales={})


_POLICY = Choosing(_ladder(_LADDERS, "program", -0.12), _ladder(_CHOOSING, "direct", -0.2))
_WHERE = "Where do fish live?\nA. in trees\nB. in water\nC. in books"
_DEBT = "Ann owes 12 dollars and pays back 7. What is left?\nA. 5\nB. 7\nC. 19"


def _assessed(question: str) -> Assessment:
    return assess([Message(role="user", content=question)])


def _said(value: str | None, logprob: float, strategy: str = "direct") -> Answer:
    evidence = Evidence(mean_logprob=logprob, program_ran=True if strategy == "program" else None)
    return Answer(text=value or "", value=value, strategy=strategy, model="large", evidence=evidence)


@pytest.mark.parametrize(
    ("question", "route"),
    [
        (_WHERE, _DIRECT),
        ("Is the sea salty? Answer yes or no.", _DIRECT),
        (_DEBT, _PROGRAM),
        ("Which is a root of $x^2 = 4$?\nA. $2$\nB. $3$", _PROGRAM),
        ("Is 3 + 4 more than 6? Answer yes or no.", _PROGRAM),
        ("Ann owes 12 dollars and pays back 7. How much is left?", _PROGRAM),
        (f"{'Every lorpus is a numpus. ' * 12}Is Sam a numpus?\nA. True\nB. False", _PROGRAM),
    ],
)
def test_what_is_known_is_asked_directly_and_what_is_derived_is_not(question: str, route: Route) -> None:
    decision = _POLICY.first(_assessed(question), "high")
    assert decision.route == route
    assert ("gives nothing to derive one from" in decision.reason) == (route == _DIRECT)


def test_a_sure_letter_is_taken_and_a_doubtful_one_followed() -> None:
    known = _assessed(_WHERE)
    assert _POLICY.after(known, "high", [_said("B", -0.1)]) == Accept(
        attempt=0, reason="direct gave an answer; its mean log-probability is -0.100"
    )
    doubtful = _POLICY.after(known, "high", [_said("B", -0.6)])
    assert isinstance(doubtful, Decision) and doubtful.route == _PROGRAM
    agreed = _POLICY.after(known, "high", [_said("A", -0.6), _said("B", -0.3, "program"), _said("B", -0.2, "cot")])
    assert agreed == Accept(attempt=1, reason="2 independent attempts agree")
    assert isinstance(_POLICY.after(known, "low", [_said("B", -0.6)]), Accept)
    silent = _POLICY.after(known, "high", [_said(None, -0.1)])
    assert isinstance(silent, Decision) and silent.reason == "direct gave no answer"


def test_what_is_derived_is_never_settled_by_a_direct_answer_alone() -> None:
    assert isinstance(_POLICY.after(_assessed(_DEBT), "high", [_said("A", -0.01)]), Decision)
    assert isinstance(_POLICY.after(_assessed(_DEBT), "high", [_said("A", -0.01, "program")]), Accept)
