"""Functions go up from model to model until one passes its examples."""

import math

from agents.problem import Answer, Evidence
from routers.assessment import Assessment
from routers.coding import Coding
from routers.ladder import Ladder
from routers.policy import Accept
from routers.route import Decision, Route

CODE = Assessment(form="code", difficulty=None, reason="")
SMALL, LARGE = (Route(strategy="code", models=(name,)) for name in ("small", "large"))
DIRECT = Route(strategy="direct", models=("large",))
POLICY = Coding(
    Ladder(
        {"low": (DIRECT,)}, talker=DIRECT, clerk=DIRECT, enough={"program": {"low": -math.inf}}, agreeing=2, scales={}
    ),
    (SMALL, LARGE),
)


def written(model: str, passes: bool | None, share: float | None = None) -> Answer:
    evidence = Evidence(program_ran=passes, agreement=share)
    return Answer(text="```python\n```", value="x", strategy="code", model=model, evidence=evidence)


def test_the_first_function_that_passes_is_taken() -> None:
    assert POLICY.first(CODE, "low").route == SMALL
    assert POLICY.after(CODE, "low", [written("small", True)]) == Accept(
        attempt=0, reason="the function passes the examples of its docstring"
    )
    higher = POLICY.after(CODE, "low", [written("small", False)])
    assert isinstance(higher, Decision)
    assert higher.route == LARGE


def test_at_the_top_the_one_that_passes_most_is_taken_unsupported() -> None:
    taken = POLICY.after(CODE, "low", [written("small", False, 0.5), written("large", False, 0.25)])
    assert isinstance(taken, Accept)
    assert (taken.attempt, taken.supported) == (0, False)
    tied = POLICY.after(CODE, "low", [written("small", None), written("large", None)])
    assert isinstance(tied, Accept)
    assert tied.attempt == 1


def test_everything_else_is_the_other_policys() -> None:
    assert POLICY.first(Assessment(form="text", difficulty=None, reason=""), "low").route == DIRECT
