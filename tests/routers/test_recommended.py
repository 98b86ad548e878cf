"""A recommended route before another policy's."""

import pytest

from agents.problem import Answer, Evidence
from routers.assessment import assess
from routers.ladder import Ladder
from routers.policy import Abstain, Accept
from routers.recommended import Recommended
from routers.route import Decision, Effort, Route
from workers.messages import Message

_ROUTES = {name: Route(strategy=name, models=("large",)) for name in ("program", "cot", "direct")}
_CHEAP = Route(strategy="cot", models=("small",))
_ASSESSMENT = assess([Message(role="user", content="What is 3 * 4?")])
_EFFORTS: tuple[Effort, ...] = ("low", "high")


def _policy(proven: bool, *rungs: Route) -> Recommended:
    ladder = Ladder(
        dict.fromkeys(_EFFORTS, rungs or (_ROUTES["program"], _ROUTES["cot"])),
        talker=_ROUTES["direct"],
        clerk=_ROUTES["direct"],
        enough={"program": dict.fromkeys(_EFFORTS, -0.2)},
        agreeing=2,
        scales={},
    )
    return Recommended(ladder, _CHEAP, "right in 29 of 30", proven)


def _answer(value: str | None, ran: bool | None = None, logprob: float | None = None) -> Answer:
    evidence = Evidence(program_ran=ran, mean_logprob=logprob)
    return Answer(text=value or "", value=value, strategy="cot", model="small", evidence=evidence)


def test_it_comes_first_with_its_reason_beside_the_usual_routes() -> None:
    decision = _policy(proven=True).first(_ASSESSMENT, "low")
    assert (decision.route, decision.reason) == (_CHEAP, "right in 29 of 30")
    assert [estimate.route.name for estimate in decision.considered] == ["cot(small)", "program(large)", "cot(large)"]


def test_a_proven_route_is_taken_at_its_word_without_claiming_evidence() -> None:
    verdict = _policy(proven=True).after(_ASSESSMENT, "low", [_answer("12")])
    assert isinstance(verdict, Accept)
    assert not verdict.supported


def test_evidence_of_its_own_is_still_seen() -> None:
    verdict = _policy(proven=True).after(_ASSESSMENT, "low", [_answer("12", ran=True, logprob=-0.1)])
    assert isinstance(verdict, Accept)
    assert verdict.supported


@pytest.mark.parametrize(
    ("proven", "effort", "value"), [(True, "low", None), (False, "low", "12"), (True, "high", "12")]
)
def test_the_usual_routes_follow_where_it_is_not_enough(proven: bool, effort: Effort, value: str | None) -> None:
    verdict = _policy(proven).after(_ASSESSMENT, effort, [_answer(value)])
    assert isinstance(verdict, Decision)
    assert verdict.route == _ROUTES["cot"]


def test_a_ladder_of_one_rung_is_still_to_be_tried_where_it_gives_no_answer() -> None:
    policy = _policy(True, _ROUTES["program"])
    verdict = policy.after(_ASSESSMENT, "low", [_answer(None)])
    assert isinstance(verdict, Decision)
    assert (verdict.route, verdict.reason) == (_ROUTES["program"], "cot(small) gave no answer")
    assert isinstance(policy.after(_ASSESSMENT, "low", [_answer(None), _answer(None)]), Abstain)
    same = _policy(True, _CHEAP).after(_ASSESSMENT, "low", [_answer(None)])
    assert isinstance(same, Abstain), "it is the only rung, and was tried"
