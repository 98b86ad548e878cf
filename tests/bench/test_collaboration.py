"""The arithmetic of the collaboration benchmark."""

import io
import json
import math
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest
from rich.console import Console

from bench.collaboration.aims import aims_of
from bench.collaboration.command import Bench, rows_by_set, run
from bench.collaboration.costs import EngineCosts, measure_costs, needed_seconds
from bench.collaboration.gpu import Gpu, GpuModel, GpuUnreadable, read_gpu
from bench.collaboration.line import Outcome, distance_above_line
from bench.collaboration.plan import Part, Setting, ablations, only, setting, settings_of_policies, wanted
from bench.collaboration.plot import draw_panel, plot_shares
from bench.collaboration.rows import Graded, Sizes, outcomes_of, rows_of
from bench.collaboration.timing import TimingReport, beside, efficiency_aim, show_timing, timing_rows
from bench.collaboration.traces import BenchPair, Trace, TraceCache, TraceWriter
from bench.engines import closed_after
from bench.plot import blank
from bench.questions import Question
from bench.record import Report, Row
from orchestrator.settings import EngineSettings, ModelSettings, Settings
from workers.collaboration.local import LocalCollaboration
from workers.collaboration.policies import policy_options
from workers.engines.llamacpp import LlamaCppEngine
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.usage import Usage

PAIR = BenchPair(small="small", large="large", small_sha256="a", large_sha256="b", build="x", head="")
SIZES = Sizes(PAIR, 0.5, 1.5)
COSTS = {
    "small": EngineCosts(decode=0.02, read={1: 0.02, 100: 0.002}),
    "large": EngineCosts(decode=0.08, read={1: 0.08, 100: 0.008}),
}


def question(number: int) -> Question:
    return Question(id=f"gsm8k_test/{number}", question=f"{number}?", answer="1", kind="math", answer_type="number")


def trace(
    authors: str, *, seconds: float = 1.0, usage: dict[str, Usage] | None = None, grades: tuple[float, ...] = ()
) -> Trace:
    return Trace(
        text="",
        authors=authors,
        handovers=sum(a != b for a, b in pairwise(authors)),
        usage=usage or {"small": Usage(completion=authors.count("s")), "large": Usage(completion=authors.count("l"))},
        calls={"small": 1, "large": 1},
        reason="stop",
        seconds=seconds,
        costs=COSTS,
        grades=grades,
    )


def graded(authors: str, right: int, n: int = 10) -> list[Graded]:
    return [Graded(question(number), trace(authors), number < right) for number in range(n)]


def row(system: str, accuracy: float, share: float, label: str = "") -> Row:
    bounds = {"above_line": 0.0, "above_line_low": -0.1, "above_line_high": 0.1}
    return Row(
        system=system,
        setting=label,
        dataset="all",
        n=10,
        seeds=[0],
        accuracy=accuracy,
        ci95=(0.0, 1.0),
        tokens={},
        large_share=share,
        cost=1.0,
        seconds=1.0,
        extra={**bounds, "mixing_share": share},
    )


def test_what_tokens_must_take_counts_only_what_was_not_cached() -> None:
    usage = {"small": Usage(prompt=150, cached=50, completion=10), "large": Usage(prompt=100, cached=100, completion=5)}
    needed = needed_seconds(usage, {"small": 1, "large": 1}, COSTS)
    assert needed == pytest.approx(9 * 0.02 + 100 * 0.002 + 4 * 0.08)


def test_the_first_token_of_every_call_comes_out_of_its_reading() -> None:
    usage = {"large": Usage(prompt=100, completion=30)}
    once, ten = (needed_seconds(usage, {"large": calls}, COSTS) for calls in (1, 10))
    assert once == pytest.approx(29 * 0.08 + 100 * 0.008)
    assert ten == pytest.approx(20 * 0.08 + 10 * (0.08 + 9 / 99 * 0.72)), "ten chunks of ten tokens"
    assert needed_seconds({"large": Usage()}, {"large": 1}, COSTS) == 0.0, "a call that ended at once"


def test_reading_costs_lie_between_those_of_the_measured_sizes() -> None:
    costs = EngineCosts(decode=1.0, read={1: 1.0, 100: 0.1})
    assert costs.read_seconds(100, 100) == pytest.approx(100.0)
    assert costs.read_seconds(100, 10) == pytest.approx(10 * (1.0 + 9 / 99 * 9.0))
    assert costs.read_seconds(5000, 1) == pytest.approx(500.0)
    assert costs.read_seconds(0, 3) == 0.0


def test_it_makes_no_difference_how_what_is_read_is_spread_over_the_calls() -> None:
    # A chunk takes 16 ms and 4 ms for each of its tokens.
    costs = EngineCosts(decode=0.02, read={size: (0.016 + 0.004 * size) / size for size in (1, 8, 32, 192)})
    one_by_one = sum(costs.read_seconds(size, 1) for size in (120, *[2] * 60))
    assert costs.read_seconds(240, 61) == pytest.approx(one_by_one) == pytest.approx(61 * 0.016 + 240 * 0.004)


def test_mixing_at_random_is_on_the_line_and_the_interval_holds_it() -> None:
    small = [Outcome(index < 30, 100, 0) for index in range(100)]
    large = [Outcome(index < 50, 100, 100) for index in range(100)]
    mixed = [Outcome(index < 40, 100, 50) for index in range(100)]
    distance = distance_above_line(mixed, [small, large])
    assert distance.above == pytest.approx(0.0)
    assert distance.low <= 0.0 <= distance.high
    assert not distance.decided


def test_a_policy_as_good_as_the_large_model_with_few_of_its_tokens_is_above_the_line() -> None:
    small = [Outcome(index < 30, 100, 0) for index in range(100)]
    large = [Outcome(index < 70, 100, 100) for index in range(100)]
    good = [Outcome(index < 70, 100, 20) for index in range(100)]
    distance = distance_above_line(good, [small, large])
    assert distance.above == pytest.approx(0.7 - (0.3 + 0.2 * 0.4))
    assert 0 < distance.low < distance.above < distance.high
    assert distance.decided


def test_shares_weigh_by_tokens_and_not_by_answers() -> None:
    small, large = [Outcome(False, 10, 0)] * 2, [Outcome(True, 10, 10)] * 2
    uneven = [Outcome(True, 90, 90), Outcome(False, 10, 0)]
    assert distance_above_line(uneven, [small, large]).above == pytest.approx(0.5 - 0.9)


def test_outcomes_of_other_questions_are_refused() -> None:
    with pytest.raises(ValueError, match="same questions"):
        distance_above_line([Outcome(True, 1, 1)], [[], []])


def _outcomes(right: int, share: int, n: int = 100) -> list[Outcome]:
    return [Outcome(index < right, 100, share) for index in range(n)]


@pytest.mark.parametrize(("share", "on_line"), [(10, 0.35), (30, 0.5), (60, 0.6), (100, 0.6)])
def test_a_line_goes_through_all_its_points_whatever_their_order(share: int, on_line: float) -> None:
    points = [_outcomes(60, 100), _outcomes(30, 0), _outcomes(60, 40), _outcomes(40, 20)]
    assert distance_above_line(_outcomes(50, share), points).above == pytest.approx(0.5 - on_line)


def test_a_line_is_flat_beyond_its_ends() -> None:
    points = [_outcomes(30, 20), _outcomes(60, 80)]
    assert distance_above_line(_outcomes(50, 0), points).above == pytest.approx(0.2)
    assert distance_above_line(_outcomes(50, 100), points).above == pytest.approx(-0.1)


def test_a_gpu_reads_its_weights_once_for_every_token_however_many_calls_they_take() -> None:
    gpu = GpuModel(bandwidth=1e12, operations=1e15, reached=1.0, weight_bytes=2.0, hop=0.0)
    usage = {"large": Usage(prompt=10, completion=100)}
    once = gpu.seconds((usage, {"large": 1}), {"large": 10.0})
    often = gpu.seconds((usage, {"large": 51}), {"large": 10.0})
    assert once == often == pytest.approx(100 * 0.02)
    judged = gpu.seconds(({"large": Usage(prompt=10, completion=1)}, {"large": 1}), {"large": 10.0})
    assert judged == pytest.approx(0.02), "the pass that reads gives the token"
    chunk = gpu.seconds(({"large": Usage(prompt=100_000, completion=100)}, {"large": 1}), {"large": 10.0})
    assert chunk == pytest.approx(99 * 0.02 + 100_000 * 2e10 / 1e15)


MEASURED = {
    "hop": 0.001,
    "models": {
        "0.5": {"decode": 0.004, "read": {"1": 0.004, "100": 0.0001}},
        "1.5": {"decode": 0.006, "read": {"1": 0.006, "100": 0.0002}},
        "8": {"decode": 0.02, "read": {"1": 0.02, "100": 0.001}},
    },
}


@pytest.fixture
def measured(tmp_path: Path) -> Gpu:
    path = tmp_path / "gpu.json"
    path.write_text(json.dumps(MEASURED))
    return read_gpu(path)


def test_what_was_measured_on_a_gpu_takes_the_place_of_its_data_sheet(measured: Gpu) -> None:
    usage = {"small": Usage(prompt=100, completion=10), "large": Usage(prompt=300, cached=200, completion=5)}
    seconds = measured.seconds((usage, {"small": 1, "large": 1}), {"small": 0.5, "large": 8.0})
    assert seconds == pytest.approx(9 * 0.004 + 100 * 0.0001 + 4 * 0.02 + 100 * 0.001 + 2 * 0.001)
    answers = {Setting("small"): graded("s" * 10, 3), Setting("large"): graded("l" * 10, 6)}
    figures = rows_of("gsm8k_test", answers, SIZES, measured)[0].extra
    names = ["gpu_speedup_0.5_1.5", "gpu_speedup_0.5_8", "gpu_speedup_1.5_8"]
    assert [name for name in figures if name.startswith("gpu_")] == names
    # Ten tokens, of which one comes out of the reading; and the other model's call, which the trace has too.
    assert figures["gpu_speedup_0.5_8"] == pytest.approx((10 * 0.02 + 0.004 + 0.002) / (10 * 0.004 + 0.02 + 0.002))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "No such file"),
        ("{", "JSON"),
        (json.dumps({"models": {"8": MEASURED["models"]["8"]}}), "two models"),  # type: ignore[index]
        (json.dumps({**MEASURED, "bandwidth": 1}), "bandwidth"),
        (json.dumps({"models": {"1": {"decode": 0, "read": {}}, "2": {"decode": 0, "read": {}}}}), "model 1 needs"),
    ],
)
def test_a_file_that_does_not_say_what_a_gpu_costs_is_named(tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "gpu.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(GpuUnreadable, match=rf"(?s)gpu\.json.*{said}"):
        read_gpu(path)


def test_the_page_on_benchmarks_shows_a_file_that_can_be_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/benchmarks.md").read_text()
    (tmp_path / "gpu.json").write_text(page.split("```json\n")[1].split("```")[0])
    assert read_gpu(tmp_path / "gpu.json").pairs(0.5, 1.5) == [(1.7, 8.0)]


def test_from_the_break_even_ratio_on_the_policy_is_faster() -> None:
    gpu = GpuModel()
    alone = ({"large": Usage(prompt=100, completion=200)}, {"large": 1})
    mixed = (
        {"small": Usage(prompt=100, completion=150), "large": Usage(prompt=300, cached=100, completion=50)},
        {"small": 6, "large": 6},
    )
    ratio = gpu.break_even_ratio(mixed, alone, ("small", 1.7), ("large", 8.0))
    assert ratio is not None
    assert ratio > 1
    for factor, faster in ((0.99, False), (1.01, True)):
        billions = {"small": 1.7, "large": 1.7 * ratio * factor}
        assert (gpu.seconds(mixed, billions) < gpu.seconds(alone, billions)) is faster


def test_a_policy_that_leaves_the_large_model_no_less_to_do_never_breaks_even() -> None:
    answers = {
        Setting("small"): graded("s" * 10, 3),
        Setting("large"): graded("l" * 10, 6),
        Setting("leader"): graded("l" * 10 + "s", 6),
        Setting("entropy"): graded("s" * 8 + "ll", 6),
    }
    rows = rows_of("gsm8k_test", answers, SIZES, GpuModel())
    assert ["break_even_ratio" in row.extra for row in rows] == [True, False, False, True]


def test_rows_say_shares_activated_parameters_and_hand_overs() -> None:
    answers = {
        Setting("small"): graded("s" * 10, 3),
        Setting("large"): graded("l" * 10, 6),
        Setting("entropy", (("threshold", 0.5),)): graded("sssssslll" + "s", 6),
    }
    small, large, mixed = rows_of("gsm8k_test", answers, SIZES, GpuModel())
    assert (small.large_share, large.large_share, mixed.large_share) == (0.0, 1.0, pytest.approx(0.3))
    assert mixed.setting == "threshold=0.5"
    assert mixed.extra["activated_billions"] == pytest.approx(0.7 * 0.5 + 0.3 * 1.5)
    assert mixed.extra["handovers_per_100"] == pytest.approx(20.0)
    assert (mixed.extra["calls_small"], mixed.extra["calls_large"]) == (10, 10)
    assert mixed.extra["decoded_share"] == mixed.extra["mixing_share"] == pytest.approx(0.3)
    assert not [name for name in mixed.extra if name.startswith("grade")]
    assert mixed.extra["above_line"] == pytest.approx(0.6 - (0.3 + 0.3 * 0.3))
    assert large.extra["gpu_speedup_0.5_1.5"] == pytest.approx(1.0)
    assert mixed.extra["gpu_speedup_1.7_32"] > 1.0


def test_a_plan_that_is_no_part_of_the_answer_counts_as_the_large_models() -> None:
    """The answer is the small model's, and so is its share by tokens; the line is another matter."""
    usage = {"small": Usage(completion=10), "large": Usage(completion=10)}
    planned = [Graded(question(number), trace("s" * 10, usage=usage), number < 5) for number in range(10)]
    answers = {
        Setting("small"): graded("s" * 10, 3),
        Setting("large"): graded("l" * 10, 7),
        Setting("hawkeye"): planned,
    }
    hawkeye = rows_of("gsm8k_test", answers, SIZES, GpuModel())[2]
    assert hawkeye.large_share == 0.0
    assert hawkeye.extra["decoded_share"] == hawkeye.extra["mixing_share"] == pytest.approx(0.5)
    assert hawkeye.extra["above_line"] == pytest.approx(0.0)


def test_tokens_that_the_small_model_decodes_in_vain_do_not_lower_the_share() -> None:
    usage = {"small": Usage(completion=50), "large": Usage(completion=5)}
    wasteful = [Graded(question(number), trace("s" * 5 + "l" * 5, usage=usage), True) for number in range(10)]
    answers = {Setting("small"): graded("s", 3), Setting("large"): graded("l", 7), Setting("divergence"): wasteful}
    extra = rows_of("gsm8k_test", answers, SIZES, GpuModel())[2].extra
    assert extra["mixing_share"] == pytest.approx(0.5)
    assert extra["decoded_share"] == pytest.approx(5 / 55)


def test_grades_are_told_with_how_well_they_tell_right_answers_from_wrong_ones() -> None:
    def step(number: int, *grades: float) -> Graded:
        return Graded(question(number), trace("s", grades=grades), number < 2)

    answers = {
        Setting("small"): graded("s", 1, 4),
        Setting("large"): graded("l", 3, 4),
        Setting("stepwise"): [step(0, 9, 9), step(1, 9, 5), step(2, 6.6, 7), step(3, 8.8, 9)],
    }
    extra = rows_of("gsm8k_test", answers, SIZES, GpuModel())[2].extra
    assert [extra[f"grade_{grade}"] for grade in range(10)] == [0, 0, 0, 0, 0, 1 / 8, 0, 2 / 8, 0, 5 / 8]
    assert extra["grade_auc_mean"] == pytest.approx(3 / 4), "9 and 7 against 6.8 and 8.9"
    assert extra["grade_auc_lowest"] == pytest.approx(2 / 4), "9 and 5 against 6.6 and 8.8"


def test_aims_are_judged_against_both_models_and_every_policy() -> None:
    head, alone = setting("divergence"), setting("divergence", use_head=False)
    ends = [row("small", 0.3, 0.0), row("large", 0.7, 1.0)]
    outcomes = {setting("small"): _outcomes(30, 0), setting("large"): _outcomes(70, 100)}
    good = [row("entropy", 0.68, 0.4, "threshold=0.5"), row("stepwise", 0.7, 0.7)]
    clear = {**outcomes, head: _outcomes(70, 20), alone: _outcomes(40, 30), setting("leader"): _outcomes(30, 70)}
    assert [aim.reached for aim in aims_of([*ends, *good], clear)] == [True, True, True]
    bad = [row("entropy", 0.68, 0.6, "threshold=0.3"), row("stepwise", 0.65, 0.7)]
    better = {**outcomes, head: _outcomes(30, 30), alone: _outcomes(60, 30), setting("leader"): _outcomes(31, 30)}
    judged = aims_of([*ends, *bad], better)
    assert [aim.reached for aim in judged] == [False, False, False]
    assert "above it: divergence use_head=False +30" in judged[1].measured
    assert "not decided: leader +1" in judged[1].measured
    assert "1 of 2 comparisons are not decided with n = 100" in judged[1].why


def test_efficiency_is_judged_on_answers_to_the_same_questions() -> None:
    answers = {
        Setting("small"): [Graded(question(0), trace("s" * 11, seconds=2.0), True)],
        Setting("leader"): [Graded(question(0), trace("s" * 11 + "l" * 11, seconds=1.25), True)],
        Setting("entropy"): [Graded(question(0), trace("s" * 11, seconds=1.0), True)],
    }
    rows = timing_rows({"gsm8k_test": answers})
    assert [(row.seconds, row.efficiency) for row in rows] == [(2.0, 0.1), (1.25, 0.8), (1.0, 0.2)]
    aim = efficiency_aim(rows)
    assert not aim.reached and aim.measured == "0.20 at worst (entropy)"
    assert "entropy" in aim.why and "leader" not in aim.why, "a model alone is no policy"


def test_a_part_of_the_policies_keeps_the_ends_of_the_line() -> None:
    chosen = only(settings_of_policies(with_head=True), ["leader"])
    assert {one.policy for one in chosen} == {"small", "large", "leader"}
    assert next(one.label for one in settings_of_policies(True) if one.policy == "divergence") == ""


def test_only_the_easier_questions_of_math500_are_asked() -> None:
    easy = Question(id="math500/1", question="?", answer="1", kind="math", answer_type="latex", level=3)
    assert wanted(easy)
    assert not wanted(easy.model_copy(update={"level": 4}))
    assert wanted(question(1))


def test_the_plot_is_written(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    rows = [row("small", 0.3, 0.0), row("large", 0.5, 1.0), row("entropy", 0.4, 0.3)]
    plot_shares(Report(bench="collaboration", models=[], aims=[], rows=rows), tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 5000


def test_a_heads_ablation_is_no_point_of_its_line() -> None:
    pytest.importorskip("matplotlib")
    rows = [row("small", 0.3, 0.0), row("large", 0.5, 1.0), row("divergence", 0.5, 0.3)]
    rows += [row("divergence", 0.45, 0.2, "threshold=0.8"), row("divergence", 0.4, 0.25, "use_head=False")]
    axes = blank(5, 5).add_subplot()
    draw_panel(axes, rows)
    lines = {line.get_label(): list(line.lines[0].get_xdata()) for line in axes.containers}
    assert lines["divergence"] == [0.2, 0.3]
    assert lines["divergence by entropy alone"] == [0.25]


async def test_answers_are_written_once_and_found_afterwards(tmp_path: Path) -> None:
    script = Script(context=2048, default=say("The answer is \\boxed{1}."))
    with ScriptedServer(script) as server:
        engines = {name: LlamaCppEngine(name, server.url) for name in ("small", "large")}
        cache = TraceCache(tmp_path / "traces.sqlite")
        writer = TraceWriter(LocalCollaboration(engines), cache, PAIR, 64)
        alone = Setting("large")
        assert writer.found(question(1), alone) is None
        written = await writer.write(question(1), alone, COSTS)
        costs = await measure_costs(engines["small"])
        cache.close()
        for engine in engines.values():
            await engine.aclose()
    assert set(written.authors) == {"l"}
    assert written.usage["large"].completion >= len(written.authors)
    assert costs.decode > 0
    assert all(math.isfinite(cost) and cost > 0 for cost in costs.read.values())
    again = TraceCache(tmp_path / "traces.sqlite")
    found = TraceWriter(LocalCollaboration({}), again, PAIR, 64)
    assert found.found(question(1), alone) == written
    assert found.found(question(2), alone) is None
    assert found.found(question(1), Setting("small")) is None
    beside_others = TraceWriter(LocalCollaboration({}), again, PAIR, 64, at_once=4)
    assert beside_others.found(question(1), alone) is None, "what was written alone says nothing of four at once"
    again.close()


async def test_the_grade_of_every_step_is_in_the_trace(tmp_path: Path) -> None:
    steps = say("So it is one.\n\nThe answer is \\boxed{1}.", continues=True)
    grade = say("8", match="quality score is")
    with ScriptedServer(Script(default=steps, replies=(grade,))) as server:
        engines = {name: LlamaCppEngine(name, server.url) for name in ("small", "large")}
        async with closed_after(engines.values()):
            with closing(TraceCache(tmp_path / "traces.sqlite")) as cache:
                writer = TraceWriter(LocalCollaboration(engines), cache, PAIR, 64)
                kept = await writer.write(question(1), setting("stepwise"), {})
                rewritten = await writer.write(question(1), setting("stepwise", threshold=9.0), {})
    assert (kept.grades, set(kept.authors)) == ((8.0, 8.0), {"s"})
    assert (rewritten.grades, set(rewritten.authors)) == ((8.0, 8.0), {"l"}), "the grade for which a step was rewritten"


SCRIPT = Script(context=2048, default=say("It is one. So the answer is \\boxed{1}.", continues=True))


@pytest.fixture
def two_sets(tmp_path: Path) -> Bench:
    """Without the engines' addresses, which a test adds."""
    for name in ("gsm8k_test", "other"):
        lines = [
            {"id": f"{name}/{number}", "question": f"{number}?", "answer": "1", "kind": "math", "answer_type": "number"}
            for number in range(2)
        ]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    return Bench(
        settings=_settings(""),
        parts=(Part("gsm8k_test", 2), Part("other", 1)),
        policies=("entropy", "leader"),
        data=tmp_path,
        cache=tmp_path / "traces.sqlite",
        results=tmp_path,
        head=None,
        gpu=GpuModel(),
        at_once=2,
    )


async def test_a_whole_run_reports_every_policy_and_goes_on_where_it_stopped(two_sets: Bench) -> None:
    console = Console(file=io.StringIO(), width=200)
    with ScriptedServer(SCRIPT) as server:
        bench = replace(two_sets, settings=_settings(server.url))
        answers = await run(bench, console)
        written = server.stats.tokens
        again = await run(bench, console)
        assert server.stats.tokens == written, "a second run finds every answer"
    rows = rows_by_set(bench, answers)
    assert rows_by_set(bench, again) == rows
    assert [row.dataset for row in rows] == ["gsm8k_test"] * 8 + ["other"] * 8 + ["all"] * 8
    assert {row.accuracy for row in rows} == {1.0}
    assert rows[-1].n == 3
    assert "ms to decode" not in console.file.getvalue()  # type: ignore[attr-defined]
    outcomes = {one: outcomes_of(graded, "large") for one, graded in answers["all"].items()}
    assert len(aims_of(rows[-8:], outcomes)) == 3


async def test_answers_are_timed_alone_and_the_same_questions_for_every_setting(two_sets: Bench) -> None:
    console = Console(file=io.StringIO(), width=200)
    with ScriptedServer(SCRIPT) as server:
        bench = replace(two_sets, settings=_settings(server.url), at_once=1)
        await run(bench, console)
        untimed = server.stats.tokens
        timed = replace(bench, kind="collaboration-timing")
        answers = await run(timed, console)
        assert server.stats.tokens > untimed, "what was written without knowing a token's costs is written again"
        written = server.stats.tokens
        assert timing_rows(await run(timed, console)) == timing_rows(answers)
        assert server.stats.tokens == written, "and not a second time"
    assert "ms to decode a token" in console.file.getvalue()  # type: ignore[attr-defined]
    rows = timing_rows(answers)
    assert [(row.dataset, row.n) for row in rows] == [("gsm8k_test", 2)] * 8 + [("other", 1)] * 8 + [("all", 3)] * 8
    assert all(row.seconds > 0 and row.efficiency > 0 for row in rows)


def test_ablations_have_both_models_to_be_compared_with() -> None:
    names = [one.name for one in ablations()]
    assert names[:2] == ["small", "large"]
    assert len(set(names)) == len(names) == 10
    for one in ablations():
        policy_options(one.policy, dict(one.options))


def test_by_mean_grades_some_steps_are_kept_and_some_rewritten() -> None:
    """Of the 68 mean grades that were measured of the default pair 65 lie between these bounds."""
    thresholds = [dict(one.options)["threshold"] for one in ablations() if ("score", "average") in one.options]
    assert len(thresholds) > 1
    assert all(4.5 < float(threshold) < 6 for threshold in thresholds)


def _drafting(bench: Bench, draft: str) -> Bench:
    models = dict(bench.settings.models)
    engine = models["large"].engine.model_copy(update={"draft": draft})
    models["large"] = models["large"].model_copy(update={"engine": engine})
    return replace(bench, settings=bench.settings.model_copy(update={"models": models}))


def test_answers_of_an_engine_that_drafts_are_its_own(two_sets: Bench) -> None:
    assert _drafting(two_sets, "").pair == two_sets.pair
    assert _drafting(two_sets, "small").pair.build != two_sets.pair.build


def test_with_a_draft_model_the_large_one_is_timed_once_more_and_nothing_else(two_sets: Bench) -> None:
    timed = replace(two_sets, kind="collaboration-timing", policies=())
    assert timed.passes() == (timed,)
    plain, reference = _drafting(timed, "small").passes()
    assert plain == timed, "no policy is timed on an engine that drafts"
    assert reference.settings.models["large"].engine.draft == "small"
    assert [one.name for one in reference.compared()] == ["large draft=small"]
    of_a_file = _drafting(timed, "/somewhere/tiny.gguf").passes()[1]
    assert [one.name for one in of_a_file.compared()] == ["large draft=tiny.gguf"]
    untimed = _drafting(two_sets, "small")
    assert untimed.passes() == (untimed,)
    elsewhere = _drafting(replace(timed, settings=_settings("http://127.0.0.1:9")), "small")
    assert elsewhere.passes() == (elsewhere,), "an engine that is not started here has no draft model of ours"


async def test_the_lossless_reference_stands_beside_the_large_model(two_sets: Bench) -> None:
    console = Console(file=io.StringIO(), width=200)
    with ScriptedServer(SCRIPT) as server:
        served = replace(two_sets, settings=_settings(server.url), at_once=1, kind="collaboration-timing")
        reference = replace(_drafting(served, "small"), instead=(Setting("large", draft="small"),))
        answers = beside(await run(served, console), await run(reference, console))
    rows = timing_rows(answers)
    assert [(row.dataset, row.system, row.setting) for row in rows if row.system in ("large", "entropy")][:3] == [
        ("gsm8k_test", "large", ""),
        ("gsm8k_test", "large", "draft=small"),
        ("gsm8k_test", "entropy", "threshold=0.3"),
    ]
    drafted = [row for row in rows if row.setting == "draft=small"]
    assert [(row.dataset, row.n, row.needed, row.efficiency) for row in drafted] == [
        ("gsm8k_test", 2, None, None),
        ("other", 1, None, None),
        ("all", 3, None, None),
    ]
    assert all(row.seconds > 0 for row in drafted)
    aim = efficiency_aim(rows)
    assert "draft" not in aim.why, "a model alone is no policy"
    show_timing(TimingReport(bench="b", models=[], threads={}, rows=rows, aims=[aim]), console)
    assert "large draft=small" in console.file.getvalue()  # type: ignore[attr-defined]


def _settings(url: str) -> Settings:
    def model(role: Literal["small", "large"], parameters: float) -> ModelSettings:
        return ModelSettings(role=role, parameters=parameters, engine=EngineSettings(url=url))

    return Settings(models={"small": model("small", 0.5), "large": model("large", 1.5)})
