"""What is right: code that passes, questions that are asked about; and how long a chain is."""

from pathlib import Path

import pytest

from agents.events import ReasoningDelta, StepFinished, StepStarted
from agents.problem import Evidence
from bench.chain import Chain
from bench.questions import read_questions
from bench.scoring import passes
from bench.solving import Solved
from bench.strategies.report import Outcome, row
from tests.bench.strategies.rows import aim_among, question_with, write_questions
from tests.orchestrator.conftest import settings_for
from tools.sandbox.bubblewrap import BubblewrapSandbox


async def test_code_is_right_when_it_passes_the_tests() -> None:
    question = question_with(
        prompt="from typing import List\n\n\ndef total(xs: List[int]) -> int:\n",
        test="def check(candidate):\n    assert candidate([1, 2]) == 3\n",
        entry_point="total",
    )
    code = "def total(xs: List[int]) -> int:\n    return {}(xs)\n"
    sandbox = BubblewrapSandbox()
    assert await passes(question, f"Here:\n```python\n{code.format('sum')}```\nDone.", sandbox)
    assert not await passes(question, f"```python\n{code.format('max')}```", sandbox)
    assert not await passes(question, "I cannot.", sandbox)


def test_questions_of_a_kind_can_be_picked_and_have_a_form(tmp_path: Path) -> None:
    write_questions(tmp_path, "math500")
    picked = read_questions(tmp_path, "math500", 5, lambda question: question.level == 5)
    assert [question.id for question in picked] == ["x/2"]
    assert question_with(answer_type="letter", answer="(B)").form == "choice"
    assert question_with(answer_type="text", answer="False").form == "yes-no"
    assert question_with(answer_type="text", answer="a b c").form == "text"
    assert question_with(answer_type="label", answer="UNANSWERABLE").form == "number"


def test_steps_side_by_side_count_once_in_a_chain() -> None:
    chain = Chain()
    for event in (
        StepStarted(step="a", model="m", purpose=""),
        StepStarted(step="b", model="m", purpose=""),
        ReasoningDelta(step="a", text="x"),
        ReasoningDelta(step="b", text="x"),
        ReasoningDelta(step="b", text="x"),
        StepFinished(step="a", text="x"),
        StepFinished(step="b", text="xx"),
        StepStarted(step="c", model="m", purpose=""),
        ReasoningDelta(step="c", text="x"),
        StepFinished(step="c", text="x"),
    ):
        chain.hear(event)
    assert chain.tokens == 3


def test_asking_is_right_only_where_something_is_missing(tmp_path: Path) -> None:
    def solved(number: int, answerable: bool, asks: bool) -> Solved:
        return Solved(
            question=question_with(id=str(number), answerable=answerable),
            value=None,
            correct=False,
            tokens={},
            routes=(),
            evidence=Evidence(),
            seconds=0.0,
            status="needs_input" if asks else "answered",
        )

    halves = (solved(0, False, True), solved(1, False, True), solved(2, False, False), solved(3, True, False))
    made = row(Outcome("large", "umwp", "auto", (0,), (halves,)), {}, settings_for(tmp_path, "", ""))
    assert made.extra["asked_unanswerable"] == pytest.approx(2 / 3)
    assert made.extra["asked_answerable"] == 0
    aim = aim_among("umwp", made)
    assert aim.reached
    assert aim.measured == "67% [21%, 94%] of 3 unanswerable, 0% [0%, 79%] of 1 answerable"
    before = made.model_copy(update={"extra": {"asked": 0.5}})
    assert aim_among("umwp", before).measured == "not measured"
