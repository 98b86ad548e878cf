"""Rows and aims of the collaboration benchmark."""

from pathlib import Path

import pytest

from bench.collaboration.aims import aims_of
from bench.collaboration.gpu import GpuModel
from bench.collaboration.plan import Setting, only, setting, settings_of_policies, wanted
from bench.collaboration.plot import draw_panel, plot_shares
from bench.collaboration.rows import Graded, rows_of
from bench.collaboration.timing import efficiency_aim, timing_rows
from bench.plot import blank
from bench.questions import Question
from bench.record import Report
from tests.bench.collaboration.answers import SIZES, graded, outcomes_with, question, row, trace
from workers.usage import Usage


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
    outcomes = {setting("small"): outcomes_with(30, 0), setting("large"): outcomes_with(70, 100)}
    good = [row("entropy", 0.68, 0.4, "threshold=0.5"), row("stepwise", 0.7, 0.7)]
    clear = {
        **outcomes,
        head: outcomes_with(70, 20),
        alone: outcomes_with(40, 30),
        setting("leader"): outcomes_with(30, 70),
    }
    assert [aim.reached for aim in aims_of([*ends, *good], clear)] == [True, True, True]
    bad = [row("entropy", 0.68, 0.6, "threshold=0.3"), row("stepwise", 0.65, 0.7)]
    better = {
        **outcomes,
        head: outcomes_with(30, 30),
        alone: outcomes_with(60, 30),
        setting("leader"): outcomes_with(31, 30),
    }
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
