"""Wall-clock on a GPU: by its data sheet, and by what was measured on one."""

import json
from pathlib import Path

import pytest

from bench.collaboration.gpu import Gpu, GpuModel, GpuUnreadable, read_gpu
from bench.collaboration.plan import Setting
from bench.collaboration.rows import rows_of
from tests.bench.collaboration.answers import SIZES, graded
from workers.usage import Usage


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
    page = (Path(__file__).parents[3] / "docs/benchmarks.md").read_text()
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
