"""The strategies' benchmark: a whole small one over a scripted engine, and the arithmetic of its yardstick."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from rich.console import Console

from agents.events import ReasoningDelta, StepFinished, StepStarted
from agents.problem import Answer, Evidence
from agents.sampling import Sample
from bench.chain import Chain
from bench.pooled import Pool, PoolVote, pool_of
from bench.questions import Question, read_questions
from bench.record import Aim, models_of
from bench.scoring import passes
from bench.solving import Drawn, Solved
from bench.strategies.aims import aims_of
from bench.strategies.command import Bench, Plan, main
from bench.strategies.kept import EarlierUnreadable, earlier_rows
from bench.strategies.plan import SINGLE
from bench.strategies.plot import curves, plot, show
from bench.strategies.report import Outcome, Pools, StrategiesReport, StrategyRow, is_vote, row, vote_rows
from orchestrator.settings import Settings
from tests.orchestrator.conftest import settings_for
from tools.sandbox.bubblewrap import BubblewrapSandbox
from workers.engines.errors import EngineUnavailable
from workers.engines.protocol import Token
from workers.engines.scripted.script import Reply, Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.usage import Usage

_ROWS = [
    {"id": "x/1", "question": "What is 2 + 2?", "answer": "4", "kind": "math", "answer_type": "number", "level": 2},
    {"id": "x/2", "question": "What is 2 + 3?", "answer": "5", "kind": "math", "answer_type": "number", "level": 5},
]
_VOTING = ("cot", "self-consistency", "short-m", "confidence", "parallel")


def _write(folder: Path, name: str) -> None:
    (folder / f"{name}.jsonl").write_bytes(b"\n".join(orjson.dumps(row) for row in _ROWS))


def _plan(folder: Path, only: tuple[str, ...] = (), **fields: Any) -> Plan:
    plan = Plan(
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
    return replace(plan, **fields)


async def _run(plan: Plan, settings: Settings, fresh: bool = False) -> StrategiesReport:
    """As the command does it, over engines that answer."""
    console = Console(quiet=True)
    earlier = [] if fresh else earlier_rows(plan.results, settings, console)
    bench = Bench(plan, settings, console, earlier)
    bench.check()
    return await bench.run()


def _strategies(report: StrategiesReport) -> dict[str, StrategyRow]:
    return {row.system: row for row in report.rows if not is_vote(row)}


async def test_voting_strategies_share_one_pool_and_stand_beside_the_vote_that_costs_as_much(
    tmp_path: Path, scripted: ScriptedServer
) -> None:
    _write(tmp_path, "gsm8k_test")
    texts = ("It is \\boxed{4}.", "I think that it must be \\boxed{5}.", "Hm, \\boxed{4}?")
    scripted.script = Script(default=Reply(texts=texts))
    settings = settings_for(tmp_path, "", scripted.url)
    report = await _run(_plan(tmp_path, _VOTING), settings)
    rows = _strategies(report)
    assert set(rows) == {f"{name}(small)" for name in _VOTING} | {"self-consistency of programs(small)"}
    # 2 questions × 2 seeds × 3 samples for all that vote on reasoning, and as many for those that vote on programs; 2
    # greedy answers; short answers have a pool of their own.
    assert scripted.stats.requests == 12 + 12 + 2 + 12
    row = rows["short-m(small)"]
    assert (row.n, row.seeds) == (2, [0, 3])
    assert set(row.extra) >= {"samples", "votes_accuracy", "difference", "against_votes", "chain_tokens"}
    assert set(row.extra) >= {"samples_program", "votes_accuracy_program", "difference_program"}
    assert rows["self-consistency(small)"].extra["samples"] == pytest.approx(3, rel=0.01)
    assert rows["self-consistency of programs(small)"].extra["samples_program"] == pytest.approx(3, rel=0.01)
    assert rows["short-m(small)"].extra["chain_tokens"] < rows["self-consistency(small)"].extra["chain_tokens"]
    again = await _run(_plan(tmp_path, _VOTING), settings)
    assert scripted.stats.requests == 38, "a second run finds every generation"
    assert [row.accuracy for row in again.rows] == [row.accuracy for row in report.rows]
    assert [row.seconds for row in again.rows] == pytest.approx([row.seconds for row in report.rows])
    # The small model alone: nothing has a cost in units of the large one, and no other set was asked.
    assert len(report.aims) == 8
    assert {aim.measured for aim in report.aims} == {"not measured"}
    assert not any(aim.reached for aim in report.aims)
    assert "--model both" in report.aims[0].why
    path = tmp_path / "results" / "strategies.png"
    plot(report, path)
    table = Console(record=True, width=240, file=io.StringIO())
    show(report, table)
    assert "not measured: gsm8k" in table.export_text()
    assert path.stat().st_size > 10_000
    lines = curves(report.rows)
    assert set(lines) == {"vote of cot", "vote of program"}
    assert [cost for cost, _ in lines["vote of cot"]] == pytest.approx([1, 2, 3, 4, 5, 6])
    assert len(lines["vote of program"]) == 6


async def test_a_plan_can_be_measured_piece_by_piece(tmp_path: Path, scripted: ScriptedServer) -> None:
    _write(tmp_path, "gsm8k_test")
    scripted.script = Script(default=say("It is \\boxed{4}."))
    settings = settings_for(tmp_path, "", scripted.url)
    first = await _run(_plan(tmp_path, ("cot",), models=("large",), rows=1), settings)
    kept = _strategies(first)["cot(large)"]
    second = await _run(_plan(tmp_path, ("cot", "refine")), settings)
    rows = _strategies(second)
    assert set(rows) == {"cot(large)", "cot(small)", "refine(small)"}
    assert rows["cot(large)"] == kept and kept.commit and kept.created
    votes = {row.system for row in second.rows if is_vote(row)}
    assert votes == {f"vote of {form}({model})" for form in ("cot", "program") for model in ("small", "large")}
    # The yardstick of costs was measured by the first run, on one question.
    assert (kept.cost, kept.n) == (1.0, 1)
    share = settings.models["small"].parameters / settings.models["large"].parameters
    assert rows["cot(small)"].cost == pytest.approx(share)
    assert rows["cot(small)"].extra["reference_rows"] == 1
    assert second.aims[0].measured.startswith("100.0%"), "and it is what the aim rests on"
    third = await _run(_plan(tmp_path, ("cot",), rows=1), settings)
    assert (_strategies(third)["cot(small)"].n, _strategies(third)["refine(small)"].n) == (1, 2)
    assert set(_strategies(await _run(_plan(tmp_path, ("refine",)), settings, fresh=True))) == {"refine(small)"}


async def test_rows_of_other_models_are_not_kept(tmp_path: Path, scripted: ScriptedServer) -> None:
    _write(tmp_path, "gsm8k_test")
    settings = settings_for(tmp_path, "", scripted.url)
    await _run(_plan(tmp_path, ("cot",), rows=1), settings)
    other = settings.models["large"].model_copy(update={"sha256": "0" * 64})
    changed = settings.model_copy(update={"models": {**settings.models, "large": other}})
    said = Console(record=True, width=240, file=io.StringIO())
    assert earlier_rows(tmp_path / "results", changed, said) == []
    assert "is of other models" in said.export_text()


async def test_what_was_measured_before_an_engine_went_away_is_in_the_report(
    tmp_path: Path, scripted: ScriptedServer
) -> None:
    _write(tmp_path, "gsm8k_test")
    (tmp_path / "math500.jsonl").write_bytes(orjson.dumps({**_ROWS[0], "question": "Break off: 2 + 2?"}))
    gone = Reply(match="Break off", texts=("It is",), failure="disconnect", failure_after=1)
    scripted.script = Script(replies=(gone,), default=say("It is \\boxed{4}."))
    settings = settings_for(tmp_path, "", scripted.url)
    with pytest.raises(EngineUnavailable):
        await _run(_plan(tmp_path, ("cot",), datasets=("gsm8k_test", "math500")), settings)
    kept = earlier_rows(tmp_path / "results", settings, Console(quiet=True))
    assert {row.dataset for row in kept} == {"gsm8k_test"}


def test_a_report_from_before_rows_kept_single_answers_is_read(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "", "")
    old = [
        _row("direct(small)", 0.85, None, "humaneval").model_dump(exclude={"right", "commit", "created"}),
        _row("code(small)", 0.9, None, "humaneval").model_dump(exclude={"right", "commit", "created"}),
    ]
    head = {"bench": "strategies", "created": "2020-01-01T00:00:00Z", "commit": "abc", "machine": "m", "aims": []}
    body = {**head, "models": models_of(settings), "rows": old}
    (tmp_path / "strategies.json").write_bytes(orjson.dumps(body))
    rows = earlier_rows(tmp_path, settings, Console(quiet=True))
    assert [(row.commit, row.created) for row in rows] == [("abc", "2020-01-01T00:00:00Z")] * 2
    report = StrategiesReport(bench="strategies", models=[], aims=aims_of(rows, "small", "large"), rows=rows)
    code = next(aim for aim in report.aims if "code(small) above direct" in aim.aim)
    assert code.measured == "+5.0 points (85.0% → 90.0%), n = 40"
    assert "no interval is known" in code.why
    show(report, Console(quiet=True))
    plot(report, tmp_path / "old.png")
    assert (tmp_path / "old.png").stat().st_size > 10_000


def test_a_file_that_is_no_report_is_named_and_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "strategies.json").write_text('{"rows": 1}')
    with pytest.raises(EarlierUnreadable, match=r"strategies\.json.*--fresh"):
        earlier_rows(tmp_path, settings_for(tmp_path, "", ""), Console(quiet=True))


@pytest.mark.parametrize(
    ("wrong", "named"), [(("--only", "telepathy"), "telepathy"), (("--dataset", "sudoku"), "sudoku"), ((), "math500")]
)
def test_what_cannot_be_measured_is_refused_before_any_engine_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: tuple[str, ...], named: str
) -> None:
    _write(tmp_path, "gsm8k_test")
    monkeypatch.setenv("TANDEM__STORAGE__MODELS", str(tmp_path / "no-models"))
    folders = ("--data", str(tmp_path), "--results", str(tmp_path / "results"))
    monkeypatch.setattr("sys.argv", ["strategies", *folders, *wrong])
    with pytest.raises(SystemExit) as refused:
        main()
    assert named in str(refused.value) and "no-models" not in str(refused.value)


async def test_a_single_sample_is_drawn_as_resampling_draws_with_three_seeds(
    tmp_path: Path, scripted: ScriptedServer
) -> None:
    task = {
        "id": "h/0",
        "question": 'def total(xs):\n    """Add."""\n',
        "answer": "",
        "kind": "code",
        "answer_type": "code",
        "prompt": "def total(xs):\n",
        "test": "def check(candidate):\n    assert candidate([1, 2]) == 3\n",
        "entry_point": "total",
    }
    (tmp_path / "humaneval.jsonl").write_bytes(orjson.dumps(task))
    code = "```python\ndef total(xs):\n    return {}(xs)\n```"
    scripted.script = Script(default=Reply(texts=(code.format("max"), code.format("sum"), code.format("max"))))
    settings = settings_for(tmp_path, "", scripted.url)
    report = await _run(_plan(tmp_path, ("direct", SINGLE), datasets=("humaneval",), seeds=1), settings)
    rows = _strategies(report)
    assert set(rows) == {"direct(small)", "single sample(small)"}
    assert rows["direct(small)"].seeds == [0] and rows["direct(small)"].accuracy == 0.0
    # A variation has a name of its own, and is left out where the strategy alone is asked for.
    alone = await _run(_plan(tmp_path, ("direct",), datasets=("humaneval",), seeds=1), settings, fresh=True)
    assert set(_strategies(alone)) == {"direct(small)"}
    single = rows["single sample(small)"]
    assert (len(single.seeds), single.n) == (3, 1)
    assert 0 < single.accuracy < 1, "three draws, which the cache tells apart from each other and the greedy answer"
    assert single.right == {"h/0": single.accuracy}


def _vote(party: int | None, right: bool, cost: float = 10.0) -> PoolVote:
    return PoolVote(party, right, cost)


def _pool(votes: list[list[PoolVote]]) -> Pool:
    count = sum(map(len, votes))
    return Pool(votes, Usage(completion=10 * count), seconds=float(count))


def test_the_vote_of_a_whole_pool_is_its_majority_and_of_one_sample_the_mean() -> None:
    pool = _pool([[_vote(0, True), _vote(0, True), _vote(1, False), _vote(None, False)]])
    assert pool.cost == 10
    assert pool.majority(4) == [1.0]
    assert pool.majority(1)[0] == pytest.approx(0.5, abs=0.2)
    one, two, between = pool.majority(1)[0], pool.majority(2)[0], pool.majority(1.5)[0]
    assert between == pytest.approx((one + two) / 2)
    assert pool.majority(99) == pool.majority(4)


def _outcome(completion: int, every: int = 1) -> Outcome:
    """Forty answers of so many tokens by the small model, of which one in ``every`` is right."""
    solved = [
        Solved(
            question=_question(id=str(number)),
            value="1",
            correct=number % every == 0,
            tokens={"small": Usage(completion=completion)},
            routes=(),
            evidence=Evidence(),
            seconds=0.0,
        )
        for number in range(40)
    ]
    return Outcome("small", "gsm8k_test", "refine", (0,), (tuple(solved),))


def _same_pool(settings: Settings, samples: int, right: bool, tokens: int = 10, questions: int = 40) -> Pool:
    """Samples of so many written tokens each, all of them right or all wrong."""
    cost = tokens * settings.models["small"].parameters
    return _pool([[_vote(0, right, cost)] * samples] * questions)


def test_a_strategy_wins_only_against_a_vote_that_costs_as_much(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "", "")
    pools: Pools = {"cot": _same_pool(settings, 4, right=False)}
    equal = row(_outcome(40), pools, settings)
    assert (equal.extra["samples"], equal.extra["votes_samples"]) == (pytest.approx(4), pytest.approx(4))
    assert (equal.extra["beyond_pool"], equal.extra["against_votes"]) == (0.0, 1.0)
    dearer = row(_outcome(70), pools, settings)
    assert (dearer.extra["samples"], dearer.extra["votes_samples"]) == (pytest.approx(7), pytest.approx(4))
    assert (dearer.extra["beyond_pool"], dearer.extra["against_votes"]) == (1.0, 0.0)
    shown = Console(record=True, width=240, file=io.StringIO())
    show(StrategiesReport(bench="strategies", models=[], rows=[equal, dearer], aims=[]), shown)
    first, second = [line for line in shown.export_text().splitlines() if "refine(small)" in line]
    assert "0.000 of 4.0" in first and "wins" in first
    assert "0.000 of 4.0" in second and "costs more than the pool" in second and "wins" not in second


def test_a_strategy_that_beats_the_vote_of_reasoning_still_has_to_beat_that_of_programs(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "", "")
    reasoning, programs = _same_pool(settings, 4, right=False), _same_pool(settings, 8, right=True, tokens=5)
    half = _outcome(20, every=2)
    alone = row(half, {"cot": reasoning}, settings)
    assert alone.extra["against_votes"] == 1.0
    both = row(half, {"cot": reasoning, "program": programs}, settings)
    assert (both.extra["samples"], both.extra["samples_program"]) == (pytest.approx(2), pytest.approx(4))
    assert (both.extra["votes_accuracy"], both.extra["votes_accuracy_program"]) == (0.0, 1.0)
    assert both.extra["against_votes"] == -1.0
    small: Pools = {"cot": reasoning, "program": _same_pool(settings, 2, right=False, tokens=5)}
    assert row(half, small, settings).extra["against_votes"] == 0.0, "the pool of programs is too small to tell"
    shown = Console(record=True, width=240, file=io.StringIO())
    show(StrategiesReport(bench="strategies", models=[], rows=[both], aims=[]), shown)
    line = next(line for line in shown.export_text().splitlines() if "refine(small)" in line)
    assert "0.000 of 2.0" in line and "1.000 of 4.0" in line and "loses" in line


def test_votes_have_rows_by_how_many_vote(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "", "")
    pools: Pools = {"cot": _same_pool(settings, 3, right=True), "program": _same_pool(settings, 2, False, tokens=5)}
    rows = vote_rows("gsm8k_test", "small", pools, settings)
    assert [(one.system, one.setting, one.accuracy) for one in rows] == [
        ("vote of cot(small)", "1", 1.0),
        ("vote of cot(small)", "2", 1.0),
        ("vote of cot(small)", "3", 1.0),
        ("vote of program(small)", "1", 0.0),
        ("vote of program(small)", "2", 0.0),
    ]
    two = rows[1]
    assert (two.n, two.tokens["small"].completion, two.seconds) == (40, 2 * 40 * 10, 2 * 40)
    assert rows[-1].extra["samples"] == pytest.approx(1), "two programs cost as much as one sample of reasoning"


def _row(system: str, accuracy: float, cost: float | None, dataset: str = "gsm8k_test", **fields: Any) -> StrategyRow:
    row = StrategyRow(
        system=system,
        setting="",
        dataset=dataset,
        n=40,
        seeds=[0],
        accuracy=accuracy,
        ci95=(0.4, 0.7),
        tokens={},
        large_share=0.0,
        cost=cost,
        seconds=0.0,
        extra={"tokens_per_question": 1.0, "chain_tokens": 1.0},
    )
    return row.model_copy(update=fields)


def _aim(start: str, *rows: StrategyRow) -> Aim:
    return next(aim for aim in aims_of(rows, "small", "large") if aim.aim.startswith(start))


def _gsm8k_aim(*rows: StrategyRow) -> Aim:
    return _aim("gsm8k", *rows)


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
    asking = _aim("umwp")
    assert (asking.measured, asking.reached) == ("not measured", False)
    assert "the first 20 to 40 questions" in _gsm8k_aim(_row("a", 0.5, 0.5), _row("b", 0.6, 0.6, n=20)).measured


def _right(rights: int, n: int = 40, first: int = 0) -> dict[str, float]:
    return {f"q/{number}": float(number < rights) for number in range(first, n)}


def test_a_gain_is_paired_over_the_questions_that_both_were_asked() -> None:
    base = _row("direct(small)", 0.5, None, "humaneval", right=_right(20))
    better = _row("code(small)", 0.625, None, "humaneval", right=_right(25))
    aim = _aim("humaneval: code(small) above direct", base, better)
    assert aim.measured == "+12.5 points [+2.1, +22.9] (50.0% → 62.5%), n = 40, paired"
    assert (aim.reached, aim.why) == (True, "its interval excludes 0")
    few = _row("code(small)", 0.5, None, "humaneval", right=_right(11, n=20), n=20)
    fewer = _aim("humaneval: code(small) above direct", base, few)
    assert fewer.measured.startswith("-45.0 points") and "n = 20, paired" in fewer.measured
    others = _row("code(small)", 0.5, None, "humaneval", right={"p/1": 1.0})
    assert "different questions" in _aim("humaneval: code(small) above direct", base, others).why


def test_a_point_that_may_be_chance_reaches_the_aim_and_says_so() -> None:
    base = _row("single sample(small)", 0.5, None, "humaneval", right={"a": 1.0, "b": 1 / 3, "c": 0.0})
    better = _row("code(small)", 0.5, None, "humaneval", right={"a": 0.0, "b": 1.0, "c": 1.0})
    aim = _aim("humaneval: code(small) above single sample", base, better)
    assert (aim.reached, aim.why) == (True, "its interval includes 0")
    assert not _aim("humaneval: code(small) above direct", base, better).reached, "it was not run"


def test_votes_are_compared_with_each_other_and_with_the_answer() -> None:
    values = ("0.5", "7", "1/2", None)
    answers = [Answer(text="", value=value, strategy="cot", model="small") for value in values]
    drawn = [
        Drawn(Sample(index, answer, (Token(0, "x"),)), Usage(prompt=100, completion=20), seconds=1.5)
        for index, answer in enumerate(answers)
    ]
    pool = pool_of([_question(answer="1/2", answer_type="number")], [drawn], parameters=2.0)
    [votes] = pool.votes
    assert (pool.usage, pool.seconds) == (Usage(prompt=400, completion=80), 6.0)
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


def test_asking_is_right_only_where_something_is_missing(tmp_path: Path) -> None:
    def solved(number: int, answerable: bool, asks: bool) -> Solved:
        return Solved(
            question=_question(id=str(number), answerable=answerable),
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
    aim = _aim("umwp", made)
    assert aim.reached
    assert aim.measured == "67% [21%, 94%] of 3 unanswerable, 0% [0%, 79%] of 1 answerable"
    before = made.model_copy(update={"extra": {"asked": 0.5}})
    assert _aim("umwp", before).measured == "not measured"
