"""Rows of the collaboration benchmark."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.collaboration.gpu import Gpu, Work
from bench.collaboration.grading import grading
from bench.collaboration.line import Outcome, distance_above_line
from bench.collaboration.plan import ALONE, Setting
from bench.collaboration.traces import BenchPair, Trace
from bench.questions import Question
from bench.record import Row
from bench.statistics import wilson
from workers.usage import Usage

_PROMPT_WEIGHT = 0.1
POOLED = "all"


@dataclass(frozen=True, slots=True)
class Graded:
    """An answer and whether it is right."""

    question: Question
    trace: Trace
    correct: bool

    def outcome(self, large: str) -> Outcome:
        """``large``: the large model's name."""
        by_large = self.trace.usage.get(large, Usage()).completion
        return Outcome(self.correct, self.trace.authors.count("s") + by_large, by_large)


Answers = Mapping[Setting, Sequence[Graded]]


@dataclass(frozen=True, slots=True)
class Sizes:
    """Both models' names and billions of parameters."""

    pair: BenchPair
    small: float
    large: float

    def of(self, model: str) -> float:
        return self.large if model == self.pair.large else self.small


def rows_of(dataset: str, answers: Answers, sizes: Sizes, gpu: Gpu) -> list[Row]:
    """One row for each setting, with outcomes of both models alone among ``answers``."""
    ends = {setting.policy: graded for setting, graded in answers.items() if setting.policy in ALONE}
    return [_row(dataset, setting, graded, ends, sizes, gpu) for setting, graded in answers.items()]


def _row(
    dataset: str,
    setting: Setting,
    graded: Sequence[Graded],
    ends: Mapping[str, Sequence[Graded]],
    sizes: Sizes,
    gpu: Gpu,
) -> Row:
    n, correct = len(graded), sum(one.correct for one in graded)
    usage, calls = totals(graded)
    tokens = sum(len(one.trace.authors) for one in graded)
    large = sum(one.trace.authors.count("l") for one in graded)
    base, _ = totals(ends["large"])
    outcomes = outcomes_of(graded, sizes.pair.large)
    above = distance_above_line(outcomes, [outcomes_of(end, sizes.pair.large) for end in ends.values()])
    decoded = sum(used.completion for used in usage.values())
    return Row(
        system=setting.policy,
        setting=setting.label,
        dataset=dataset,
        n=n,
        seeds=[0],
        accuracy=correct / n,
        ci95=wilson(correct, n),
        tokens=usage,
        large_share=large / tokens if tokens else 0.0,
        cost=_weighted(usage, sizes) / _weighted(base, sizes),
        seconds=sum(one.trace.seconds for one in graded),
        extra={
            "tokens_per_answer": tokens / n,
            "activated_billions": sum(used.completion * sizes.of(model) for model, used in usage.items()) / tokens,
            "handovers_per_100": 100 * sum(one.trace.handovers for one in graded) / tokens,
            "calls_per_100": 100 * sum(calls.values()) / tokens,
            "calls_small": calls.get(sizes.pair.small, 0),
            "calls_large": calls.get(sizes.pair.large, 0),
            "discarded_share": 1 - tokens / max(1, decoded),
            "decoded_share": usage.get(sizes.pair.large, Usage()).completion / max(1, decoded),
            "mixing_share": sum(one.large for one in outcomes) / max(1, sum(one.tokens for one in outcomes)),
            "above_line": above.above,
            "above_line_low": above.low,
            "above_line_high": above.high,
            **grading(graded),
            **_on_gpu(gpu, totals(graded), totals(ends["large"]), sizes),
        },
    )


def outcomes_of(graded: Sequence[Graded], large: str) -> list[Outcome]:
    """``large``: the large model's name."""
    return [one.outcome(large) for one in graded]


def totals(graded: Sequence[Graded]) -> tuple[dict[str, Usage], dict[str, int]]:
    """Usage and calls by model over all answers."""
    usage: dict[str, Usage] = {}
    calls: dict[str, int] = {}
    for one in graded:
        for model, used in one.trace.usage.items():
            usage[model] = usage.get(model, Usage()) + used
            calls[model] = calls.get(model, 0) + one.trace.calls[model]
    return usage, calls


def _on_gpu(gpu: Gpu, work: Work, alone: Work, sizes: Sizes) -> dict[str, float]:
    """How many times faster than the large model alone these traces would be on a GPU, for several pairs of sizes; and
    from which ratio of decoding times on, beside the first pair's small model."""
    names = sizes.pair.small, sizes.pair.large
    pairs = gpu.pairs(sizes.small, sizes.large)
    figures = {}
    for pair in pairs:
        billions = dict(zip(names, pair, strict=True))
        speedup = gpu.seconds(alone, billions) / gpu.seconds(work, billions)
        figures[f"gpu_speedup_{pair[0]:g}_{pair[1]:g}"] = speedup
    small, large = zip(names, pairs[0], strict=True)
    ratio = gpu.break_even_ratio(work, alone, small, large)
    return figures if ratio is None else {**figures, "break_even_ratio": ratio}


def _weighted(usage: Mapping[str, Usage], sizes: Sizes) -> float:
    """A prefix that the cache served is not read again: without that every hand-over would cost its whole prompt."""
    return sum(
        ((used.prompt - used.cached) * _PROMPT_WEIGHT + used.completion) * sizes.of(model)
        for model, used in usage.items()
    )
