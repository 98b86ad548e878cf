"""Questions of deduction in plain sentences are decided by a solver, and all others go their usual way."""

from agents.problem import Answer, Evidence
from routers.assessment import Assessment, assess
from routers.deducing import Deducing
from routers.ladder import Ladder
from routers.policy import Accept
from routers.route import Decision, Route
from workers.messages import Message

LOGIC = Route(strategy="logic", models=("small",))
PROGRAM = Route(strategy="program", models=("large",))
COT = Route(strategy="cot", models=("large",))
POLICY = Deducing(
    Ladder({"low": (PROGRAM, COT)}, talker=PROGRAM, clerk=PROGRAM, enough={}, agreeing=2, scales={}), LOGIC
)
PLAIN = (
    "Every cat is an animal. Tom is a cat.\n\nIs the following statement true or false? Tom is {}.\nA. True\nB. False"
)


def assessed(question: str) -> Assessment:
    return assess([Message(role="user", content=question)])


def said(value: str | None, strategy: str = "logic", ran: bool | None = True) -> Answer:
    return Answer(text=value or "", value=value, strategy=strategy, model="small", evidence=Evidence(program_ran=ran))


def test_plain_sentences_go_to_the_solver_and_its_word_is_taken() -> None:
    plain = assessed(PLAIN.format("an animal"))
    decision = POLICY.first(plain, "low")
    assert decision.route == LOGIC
    assert [estimate.route for estimate in decision.considered] == [LOGIC, PROGRAM, COT]
    assert POLICY.after(plain, "low", [said("A")]) == Accept(
        attempt=0, reason="a solver decided what the sentences say"
    )


def test_what_has_to_be_translated_first_goes_its_usual_way() -> None:
    for statement in ("older than most animals", "happy, or so it seems"):
        other = assessed(PLAIN.format(statement))
        assert POLICY.first(other, "low").route == PROGRAM
        assert isinstance(POLICY.after(other, "low", [said("A")]), Decision)


def test_what_the_solver_does_not_decide_is_tried_as_usual() -> None:
    plain = assessed(PLAIN.format("happy"))
    usual = POLICY.after(plain, "low", [said(None, "cot", None)])
    assert isinstance(usual, Decision) and usual.route == PROGRAM
    # In words the model gave an answer, which is one attempt like any other.
    second = POLICY.after(plain, "low", [said("A", "cot", None)])
    assert isinstance(second, Decision) and second.route == COT
