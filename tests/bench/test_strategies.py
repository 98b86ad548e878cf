"""The strategies' benchmark: a whole small one over a scripted engine, and the arithmetic of its yardstick."""

from pathlib import Path

import orjson
import pytest
from rich.console import Console

from agents.events import ReasoningDelta, StepFinished, StepStarted
from agents.problem import Answer, Evidence
from agents.sampling import Sample
from bench.chain import Chain
from bench.pooled import Pool, PoolVote, votes_of
from bench.questions import Question, read_questions
from bench.record import new_report, write_report
from bench.scoring import passes
from bench.solving import Solved
from bench.strategies.command import Bench, Plan
from bench.strategies.plot import plot, show
from bench.strategies.report import underspecified
from tests.orchestrator.conftest import settings_for
from tools.sandbox.bubblewrap import BubblewrapSandbox
from workers.engines.protocol import Token
from workers.engines.scripted.script import Reply, Script
from workers.engines.scripted.server import ScriptedServer
from workers.usage import Usage

_ROWS = [
    {"id": "x/1", "question": "What is 2 + 2?", "answer": "4", "kind": "math", "answer_type": "number", "level": 2},
    {"id": "x/2", "question": "What is 2 + 3?", "answer": "5", "kind": "math", "answer_type": "number", "level": 5},
]
_VOTING = ("cot", "self-consistency", "short-m", "confidence", "parallel")


def _write(folder: Path, name: str) -> None:
    (folder / f"{name}.jsonl").write_bytes(b"\n".join(orjson.dumps(row) for row in _ROWS))


def _plan(folder: Path, only: tuple[str, ...]) -> Plan:
    return Plan(
        data=folder,
        cache=folder / "cache.sqlite",
        results=folder / "results",
        datasets=("gsm8k_test",),
        models=("small",),
        only=only,
        rows=2,
        samples=3,
        seeds=2,
        concurrency=2,
    )


async def test_voting_strategies_share_one_pool_and_stand_beside_the_vote_that_costs_as_much(
    tmp_path: Path, scripted: ScriptedServer
) -> None:
    _write(tmp_path, "gsm8k_test")
    texts = ("It is \\boxed{4}.", "I think that it must be \\boxed{5}.", "Hm, \\boxed{4}?")
    scripted.script = Script(default=Reply(texts=texts))
    settings = settings_for(tmp_path, "", scripted.url)
    bench = Bench(_plan(tmp_path, _VOTING), settings, Console(quiet=True))
    await bench.run()
    rows = {row.system: row for row in bench.rows}
    assert set(rows) == {f"{name}(small)" for name in _VOTING} | {"self-consistency of programs(small)"}
    # 2 questions × 2 seeds × 3 samples for all that vote on reasoning; 2 greedy answers; short answers and programs
    # have pools of their own, and no programs' sampling ends early here.
    assert scripted.stats.requests == 12 + 2 + 12 + 12
    row = rows["short-m(small)"]
    assert (row.n, row.seeds) == (2, [0, 3])
    assert set(row.extra) >= {"samples", "votes_accuracy", "difference", "against_votes", "chain_tokens"}
    assert rows["self-consistency(small)"].extra["samples"] == pytest.approx(3, rel=0.01)
    assert rows["short-m(small)"].extra["chain_tokens"] < rows["self-consistency(small)"].extra["chain_tokens"]
    again = Bench(_plan(tmp_path, _VOTING), settings, Console(quiet=True))
    await again.run()
    assert scripted.stats.requests == 38, "a second run finds every generation"
    assert [row.accuracy for row in again.rows] == [row.accuracy for row in bench.rows]
    report = new_report("strategies", settings, bench.rows, bench.aims)
    path = write_report(report, tmp_path / "results")
    plot(report, bench.pools, path.with_suffix(".png"))
    show(report, Console(quiet=True))
    assert path.with_suffix(".png").stat().st_size > 10_000
    plot(report, {}, tmp_path / "without-pools.png")
    assert (tmp_path / "without-pools.png").stat().st_size > 10_000, "sets whose answers cannot vote have panels too"


def _vote(party: int | None, right: bool, cost: float = 10.0) -> PoolVote:
    return PoolVote(party, right, cost)


def test_the_vote_of_a_whole_pool_is_its_majority_and_of_one_sample_the_mean() -> None:
    pool = Pool([[_vote(0, True), _vote(0, True), _vote(1, False), _vote(None, False)]])
    assert pool.cost == 10
    assert pool.majority(4) == [1.0]
    assert pool.majority(1)[0] == pytest.approx(0.5, abs=0.2)
    one, two, between = pool.majority(1)[0], pool.majority(2)[0], pool.majority(1.5)[0]
    assert between == pytest.approx((one + two) / 2)
    assert pool.majority(99) == pool.majority(4)


def test_votes_are_compared_with_each_other_and_with_the_answer() -> None:
    values = ("0.5", "7", "1/2", None)
    samples = [
        Sample(index, Answer(text="", value=value, strategy="cot", model="small"), (Token(0, "x"),))
        for index, value in enumerate(values)
    ]
    usages = [Usage(prompt=100, completion=20)] * 4
    votes = votes_of(samples, usages, "1/2", "number", parameters=2.0)
    assert [vote.right for vote in votes] == [True, False, True, False]
    assert votes[0].party == votes[2].party != votes[1].party
    assert votes[3].party is None
    assert votes[0].cost == pytest.approx((100 * 0.1 + 20) * 2)


def _question(**fields: object) -> Question:
    row = {"id": "x", "question": "?", "answer": "", "kind": "code", "answer_type": "code", **fields}
    return Question.model_validate(row)


async def test_code_is_right_when_it_passes_the_tests() -> None:
    question = _question(
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
    _write(tmp_path, "math500")
    picked = read_questions(tmp_path, "math500", 5, lambda question: question.level == 5)
    assert [question.id for question in picked] == ["x/2"]
    assert _question(answer_type="letter", answer="(B)").form == "choice"
    assert _question(answer_type="text", answer="False").form == "yes-no"
    assert _question(answer_type="text", answer="a b c").form == "text"
    assert _question(answer_type="label", answer="UNANSWERABLE").form == "number"


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


def test_asking_is_right_only_where_something_is_missing() -> None:
    def solved(answerable: bool, asks: bool) -> Solved:
        return Solved(
            question=_question(answerable=answerable),
            value=None,
            correct=False,
            tokens={},
            routes=(),
            evidence=Evidence(),
            seconds=0.0,
            status="needs_input" if asks else "answered",
        )

    aim = underspecified("umwp", [solved(False, True), solved(False, True), solved(False, False), solved(True, False)])
    assert aim.reached
    assert aim.measured == "67% of 3 unanswerable, 0% of 1 answerable"
