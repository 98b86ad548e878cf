"""The strategies' benchmark: a whole small one over a scripted engine, and the arithmetic of its yardstick."""

import io
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
from bench.record import Aim, Row, new_report, write_report
from bench.scoring import passes
from bench.solving import Solved
from bench.strategies.command import Bench, Plan
from bench.strategies.plot import plot, show
from bench.strategies.report import Outcome, aims_of, row, underspecified
from orchestrator.settings import Settings
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
    # The small model alone: nothing has a cost in units of the large one, and no other set was asked.
    assert len(bench.aims) == 7
    assert {aim.measured for aim in bench.aims} == {"not measured"}
    assert not any(aim.reached for aim in bench.aims)
    assert "--model both" in bench.aims[0].why
    report = new_report("strategies", settings, bench.rows, bench.aims)
    path = write_report(report, tmp_path / "results")
    plot(report, bench.pools, path.with_suffix(".png"))
    table = Console(record=True, width=240, file=io.StringIO())
    show(report, table)
    assert "not measured: gsm8k" in table.export_text()
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


def _outcome(completion: int, correct: bool = True, questions: int = 40, model: str = "small") -> Outcome:
    tokens = {model: Usage(completion=completion)}
    one = Solved(
        question=_question(),
        value="1",
        correct=correct,
        tokens=tokens,
        routes=(),
        evidence=Evidence(),
        seconds=0.0,
    )
    return Outcome(model, "gsm8k_test", "refine", (0,), ((one,) * questions,))


def _wrong_pool(settings: Settings, samples: int, questions: int = 40) -> Pool:
    """Samples of ten written tokens each, all of them wrong."""
    cost = 10 * settings.models["small"].parameters
    return Pool([[_vote(0, False, cost)] * samples] * questions)


def test_a_strategy_wins_only_against_a_vote_that_costs_as_much(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "", "")
    pool = _wrong_pool(settings, 4)
    equal = row(_outcome(40), pool, None, settings)
    assert (equal.extra["samples"], equal.extra["votes_samples"]) == (pytest.approx(4), pytest.approx(4))
    assert (equal.extra["beyond_pool"], equal.extra["against_votes"]) == (0.0, 1.0)
    dearer = row(_outcome(70), pool, None, settings)
    assert (dearer.extra["samples"], dearer.extra["votes_samples"]) == (pytest.approx(7), pytest.approx(4))
    assert (dearer.extra["beyond_pool"], dearer.extra["against_votes"]) == (1.0, 0.0)
    shown = Console(record=True, width=240, file=io.StringIO())
    show(new_report("strategies", settings, [equal, dearer], []), shown)
    first, second = [line for line in shown.export_text().splitlines() if "refine(small)" in line]
    assert "0.000 of 4.0" in first and "wins" in first
    assert "0.000 of 4.0" in second and "costs more than the pool" in second and "wins" not in second


def _row(system: str, accuracy: float, cost: float | None) -> Row:
    return Row(
        system=system,
        setting="",
        dataset="gsm8k_test",
        n=40,
        seeds=[0],
        accuracy=accuracy,
        ci95=(0.4, 0.7),
        tokens={},
        large_share=0.0,
        cost=cost,
        seconds=0.0,
    )


def _gsm8k_aim(*rows: Row) -> Aim:
    return next(aim for aim in aims_of(rows, "small", "large") if aim.aim.startswith("gsm8k"))


def test_the_best_of_many_says_of_how_many_it_is_the_best() -> None:
    rows = [_row("cot(large)", 0.55, 1.0), _row("program(small)", 0.64, 0.3), _row("refine(large)", 0.8, 3.0)]
    aim = _gsm8k_aim(*rows)
    assert aim.reached
    assert aim.measured.startswith("64.0%")
    assert "the best of 2 systems on the same questions" in aim.measured


def test_an_aim_that_was_not_measured_says_so_and_why() -> None:
    aim = _gsm8k_aim(_row("program(small)", 0.64, None))
    assert (aim.measured, aim.reached) == ("not measured", False)
    assert "run with --model both" in aim.why
    assert _gsm8k_aim(_row("refine(large)", 0.8, 3.0)).why == "nothing that was run stays within that cost"
    asking = underspecified("umwp", None)
    assert (asking.measured, asking.reached) == ("not measured", False)


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
