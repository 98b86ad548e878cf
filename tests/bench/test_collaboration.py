"""The arithmetic of the collaboration benchmark."""

import io
import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest
from rich.console import Console

from bench.collaboration.aims import aims_of
from bench.collaboration.command import Bench, run
from bench.collaboration.costs import EngineCosts, measure_costs, needed_seconds
from bench.collaboration.gpu import Gpu, GpuModel, GpuUnreadable, read_gpu
from bench.collaboration.line import Outcome, accuracy_at, distance_above_line
from bench.collaboration.plan import Part, Setting, only, settings_of_policies, wanted
from bench.collaboration.plot import plot_shares
from bench.collaboration.rows import Graded, Sizes, rows_of
from bench.collaboration.traces import BenchPair, Trace, TraceCache, TraceWriter
from bench.questions import Question
from bench.record import Report, Row
from orchestrator.settings import EngineSettings, ModelSettings, Settings
from workers.collaboration.local import LocalCollaboration
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


def trace(authors: str, *, seconds: float = 1.0, usage: dict[str, Usage] | None = None) -> Trace:
    return Trace(
        text="",
        authors=authors,
        handovers=sum(a != b for a, b in pairwise(authors)),
        usage=usage or {"small": Usage(completion=authors.count("s")), "large": Usage(completion=authors.count("l"))},
        calls={"small": 1, "large": 1},
        reason="stop",
        seconds=seconds,
        costs=COSTS,
    )


def graded(authors: str, right: int, n: int = 10) -> list[Graded]:
    return [Graded(question(number), trace(authors), number < right) for number in range(n)]


def row(system: str, accuracy: float, share: float, setting: str = "", **extra: float) -> Row:
    known = {"efficiency": 0.9, "calls_per_100": 5.0, "handovers_per_100": 5.0, "above_line": 0.0}
    bounds = {"above_line_low": -0.1, "above_line_high": 0.1}
    return Row(
        system=system,
        setting=setting,
        dataset="all",
        n=10,
        seeds=[0],
        accuracy=accuracy,
        ci95=(0.0, 1.0),
        tokens={},
        large_share=share,
        cost=1.0,
        seconds=1.0,
        extra={**known, **bounds, **extra},
    )


def test_what_tokens_must_take_counts_only_what_was_not_cached() -> None:
    usage = {"small": Usage(prompt=150, cached=50, completion=10), "large": Usage(prompt=100, cached=100, completion=5)}
    needed = needed_seconds(usage, {"small": 1, "large": 1}, COSTS)
    assert needed == pytest.approx(10 * 0.02 + 100 * 0.002 + 5 * 0.08)


def test_reading_costs_lie_between_those_of_the_measured_sizes() -> None:
    costs = EngineCosts(decode=1.0, read={1: 1.0, 100: 0.1})
    assert costs.read_seconds(100, 100) == pytest.approx(100.0)
    assert costs.read_seconds(100, 10) == pytest.approx(100 * 0.55)
    assert costs.read_seconds(5000, 1) == pytest.approx(500.0)
    assert costs.read_seconds(0, 3) == 0.0


def test_mixing_at_random_is_on_the_line_and_the_interval_holds_it() -> None:
    small = [Outcome(index < 30, 100, 0) for index in range(100)]
    large = [Outcome(index < 50, 100, 100) for index in range(100)]
    mixed = [Outcome(index < 40, 100, 50) for index in range(100)]
    distance = distance_above_line(mixed, small, large)
    assert distance.above == pytest.approx(0.0)
    assert distance.low <= 0.0 <= distance.high


def test_a_policy_as_good_as_the_large_model_with_few_of_its_tokens_is_above_the_line() -> None:
    small = [Outcome(index < 30, 100, 0) for index in range(100)]
    large = [Outcome(index < 70, 100, 100) for index in range(100)]
    good = [Outcome(index < 70, 100, 20) for index in range(100)]
    distance = distance_above_line(good, small, large)
    assert distance.above == pytest.approx(0.7 - (0.3 + 0.2 * 0.4))
    assert 0 < distance.low < distance.above < distance.high


def test_shares_weigh_by_tokens_and_not_by_answers() -> None:
    small, large = [Outcome(False, 10, 0)] * 2, [Outcome(True, 10, 10)] * 2
    uneven = [Outcome(True, 90, 90), Outcome(False, 10, 0)]
    assert distance_above_line(uneven, small, large).above == pytest.approx(0.5 - 0.9)


def test_outcomes_of_other_questions_are_refused() -> None:
    with pytest.raises(ValueError, match="same questions"):
        distance_above_line([Outcome(True, 1, 1)], [], [])


def test_accuracy_between_points_is_on_their_line() -> None:
    assert accuracy_at(0.5, [(1.0, 0.6), (0.0, 0.2)]) == pytest.approx(0.4)
    assert accuracy_at(2.0, [(0.0, 0.2), (1.0, 0.6)]) == pytest.approx(0.6)


def test_a_gpu_pays_a_read_of_the_weights_for_every_call() -> None:
    gpu = GpuModel(bandwidth=1e12, operations=1e15, reached=1.0, weight_bytes=2.0, hop=0.0)
    usage = {"large": Usage(prompt=10, completion=100)}
    once = gpu.seconds((usage, {"large": 1}), {"large": 10.0})
    often = gpu.seconds((usage, {"large": 51}), {"large": 10.0})
    assert once == pytest.approx(101 * 0.02)
    assert often - once == pytest.approx(50 * 0.02)


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
    assert seconds == pytest.approx(10 * 0.004 + 100 * 0.0001 + 5 * 0.02 + 100 * 0.001 + 2 * 0.001)
    answers = {Setting("small"): graded("s" * 10, 3), Setting("large"): graded("l" * 10, 6)}
    figures = rows_of("gsm8k_test", answers, SIZES, measured)[0].extra
    names = ["gpu_speedup_0.5_1.5", "gpu_speedup_0.5_8", "gpu_speedup_1.5_8"]
    assert [name for name in figures if name.startswith("gpu_")] == names
    # Ten tokens and the reading of the weights for each of two calls, which the trace has for both models.
    assert figures["gpu_speedup_0.5_8"] == pytest.approx((11 * 0.02 + 0.004 + 0.002) / (11 * 0.004 + 0.02 + 0.002))


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
    assert mixed.extra["efficiency"] == pytest.approx(7 * 0.02 + 3 * 0.08)
    assert mixed.extra["above_line"] == pytest.approx(0.6 - (0.3 + 0.3 * 0.3))
    assert large.extra["gpu_speedup_0.5_1.5"] == pytest.approx(1.0)
    assert mixed.extra["gpu_speedup_1.7_32"] > 1.0


def test_aims_are_judged_against_both_models_and_every_policy() -> None:
    ends = [row("small", 0.3, 0.0), row("large", 0.5, 1.0)]
    good = [row("entropy", 0.49, 0.4, "threshold=0.5"), row("divergence", 0.5, 0.2), row("stepwise", 0.5, 0.7)]
    assert [aim.reached for aim in aims_of([*ends, *good])] == [True, True, True, True]
    bad = [
        row("entropy", 0.49, 0.6, "threshold=0.3"),
        row("divergence", 0.33, 0.3),
        row("divergence", 0.48, 0.3, "use_head=False"),
        row("stepwise", 0.45, 0.7, efficiency=0.5),
    ]
    judged = aims_of([*ends, *bad])
    assert [aim.reached for aim in judged] == [False, False, False, False]
    assert "use_head=False" in judged[1].why
    assert "stepwise" in judged[3].why


def test_a_part_of_the_policies_keeps_the_ends_of_the_line() -> None:
    chosen = only(settings_of_policies(with_head=True), ["leader"])
    assert {setting.policy for setting in chosen} == {"small", "large", "leader"}
    assert next(setting.label for setting in settings_of_policies(True) if setting.policy == "divergence") == ""


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


async def test_answers_are_written_once_and_found_afterwards(tmp_path: Path) -> None:
    script = Script(context=2048, default=say("The answer is \\boxed{1}."))
    with ScriptedServer(script) as server:
        engines = {name: LlamaCppEngine(name, server.url) for name in ("small", "large")}
        cache = TraceCache(tmp_path / "traces.sqlite")
        writer = TraceWriter(LocalCollaboration(engines), cache, PAIR, 64)
        setting = Setting("large")
        assert writer.found(question(1), setting) is None
        written = await writer.write(question(1), setting, COSTS, 1)
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
    assert found.found(question(1), setting) == written
    assert found.found(question(2), setting) is None
    assert found.found(question(1), Setting("small")) is None
    again.close()


async def test_a_whole_run_reports_every_policy_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    lines = [
        {"id": f"{name}/{number}", "question": f"{number}?", "answer": "1", "kind": "math", "answer_type": "number"}
        for name in ("gsm8k_test", "other")
        for number in range(2)
    ]
    for name in ("gsm8k_test", "other"):
        rows = [json.dumps(line) for line in lines if line["id"].startswith(name)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(rows))
    script = Script(context=2048, default=say("It is one. So the answer is \\boxed{1}.", continues=True))
    console = Console(file=io.StringIO(), width=200)
    with ScriptedServer(script) as server:
        bench = Bench(
            settings=_settings(server.url),
            parts=(Part("gsm8k_test", 2), Part("other", 1)),
            policies=("entropy", "leader"),
            data=tmp_path,
            cache=tmp_path / "traces.sqlite",
            results=tmp_path,
            head=None,
            gpu=GpuModel(),
            at_once=2,
            timed=1,
        )
        rows = await run(bench, console)
        written = server.stats.tokens
        again = await run(bench, console)
        assert server.stats.tokens == written, "a second run finds every answer"
    assert [row.model_dump() for row in again] == [row.model_dump() for row in rows]
    assert [row.dataset for row in rows] == ["gsm8k_test"] * 8 + ["other"] * 8 + ["all"] * 8
    assert {row.accuracy for row in rows} == {1.0}
    assert rows[-1].n == 3
    assert rows[-1].extra["timed"] == 2, "the first of a set is written alone"
    assert "ms to decode a token" in console.file.getvalue()  # type: ignore[attr-defined]
    assert len(aims_of(rows[-8:])) == 4


def _settings(url: str) -> Settings:
    def model(role: Literal["small", "large"], parameters: float) -> ModelSettings:
        return ModelSettings(role=role, parameters=parameters, engine=EngineSettings(url=url))

    return Settings(models={"small": model("small", 0.5), "large": model("large", 1.5)})
