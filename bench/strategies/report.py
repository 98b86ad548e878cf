"""From solved questions to the rows and aims of the strategies' report: each beside the vote that costs as much."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.aggregate import row_of, total_tokens, weighted_tokens
from bench.pooled import Pool
from bench.record import Aim, Row
from bench.solving import Solved
from bench.statistics import paired_difference, wilson
from orchestrator.settings import Settings

# A strategy that draws the whole pool costs what the pool does, give or take an early end.
_BEYOND_POOL = 1.01
_UNMEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one strategy did on one data set with one model. ``seeds`` are the seeds of ``solved``, one list each."""

    model: str
    dataset: str
    trial: str
    seeds: tuple[int, ...]
    solved: tuple[tuple[Solved, ...], ...]

    @property
    def every(self) -> list[Solved]:
        return [one for solved in self.solved for one in solved]

    @property
    def right(self) -> list[float]:
        """For each question the share of seeds with which it was right."""
        return [sum(one.correct for one in column) / len(column) for column in zip(*self.solved, strict=True)]


def row(outcome: Outcome, pool: Pool | None, reference: Sequence[Solved] | None, settings: Settings) -> Row:
    """``pool`` holds the samples of the same model for the same questions; ``reference`` as in ``row_of``.

    ``extra`` has the cost in samples of that pool, the accuracy of the majority of as many samples, and the paired
    difference with its 95 % interval; ``against_votes`` is −1 where the strategy loses to that vote, 1 where it wins,
    0 where the interval holds both. Where the strategy costs more than the whole pool, ``beyond_pool`` is 1: the vote
    is of fewer samples than it could have been, and the verdict 0.
    """
    solved = outcome.every
    made = row_of(f"{outcome.trial}({outcome.model})", "", outcome.dataset, solved, reference, settings)
    questions = len(outcome.solved[0])
    right = sum(outcome.right) / questions
    extra = {
        "chain_tokens": sum(one.chain for one in solved) / len(solved),
        "tokens_per_question": sum(u.completion for u in total_tokens(solved).values()) / len(solved),
        "asked": sum(one.status in ("needs_input", "abstained") for one in solved) / len(solved),
    }
    if pool is not None:
        extra |= _against_votes(outcome, pool, settings)
    # Seeds of one question are not independent: the interval is that of the questions.
    interval = wilson(round(right * questions), questions)
    return made.model_copy(
        update={"n": questions, "seeds": list(outcome.seeds), "accuracy": right, "ci95": interval, "extra": extra}
    )


def _against_votes(outcome: Outcome, pool: Pool, settings: Settings) -> dict[str, float]:
    samples = weighted_tokens(total_tokens(outcome.every), settings) / len(outcome.every) / pool.cost
    voted = pool.majority(samples)
    mean, (low, high) = paired_difference(outcome.right, voted)
    beyond = samples > pool.size * _BEYOND_POOL
    return {
        "samples": samples,
        "votes_accuracy": sum(voted) / len(voted),
        "votes_samples": min(max(samples, 1.0), pool.size),
        "difference": mean,
        "difference_low": low,
        "difference_high": high,
        "beyond_pool": float(beyond),
        "against_votes": 0.0 if beyond else -1.0 if high < 0 else 1.0 if low > 0 else 0.0,
    }


def aims_of(rows: Sequence[Row], small: str, large: str) -> list[Aim]:
    """What the rows tell of the aims; an aim that they tell nothing of says that it is not measured."""
    by_name = {(one.dataset, one.system): one for one in rows}
    return [
        _gsm8k([one for one in rows if one.dataset == "gsm8k_test"]),
        _gain(by_name, "humaneval", small, "code", "direct", 0.10),
        *(
            _gain(by_name, dataset, model, "logic", "cot", 0.25)
            for dataset in ("proofwriter", "prontoqa")
            for model in (small, large)
        ),
    ]


def _gsm8k(rows: Sequence[Row]) -> Aim:
    """The best system within the cost of large ``cot``."""
    aim, target = "gsm8k with the pair at no more than the cost of large cot", "62 % at cost 1.0 or less"
    within = [one for one in rows if one.cost is not None and one.cost <= 1.0]
    if not within:
        costs = any(one.cost is not None for one in rows)
        why = "no cost is known without the large model's cot on the same questions; run with --model both"
        return _unmeasured(aim, target, "nothing that was run stays within that cost" if costs else why)
    best = max(within, key=lambda one: one.accuracy)
    return Aim(
        aim=aim,
        target=target,
        measured=f"{best.accuracy:.1%} [{best.ci95[0]:.2f}, {best.ci95[1]:.2f}] by {best.system} at {best.cost:.2f}, "
        f"n = {best.n}; the best of {len(within)} systems on the same questions, which flatters it",
        reached=best.accuracy >= 0.62,
        why="" if best.accuracy >= 0.62 else "no strategy within that cost is right often enough",
    )


def _gain(rows: dict[tuple[str, str], Row], dataset: str, model: str, strategy: str, plain: str, wanted: float) -> Aim:
    aim, target = f"{dataset}: {strategy}({model}) above {plain}({model})", f"+{wanted * 100:.0f} points"
    better, base = rows.get((dataset, f"{strategy}({model})")), rows.get((dataset, f"{plain}({model})"))
    if better is None or base is None:
        missing = f"{strategy}({model})" if better is None else f"{plain}({model})"
        return _unmeasured(aim, target, f"{missing} was not run on {dataset}; run with --model both for the whole plan")
    gain = better.accuracy - base.accuracy
    return Aim(
        aim=aim,
        target=target,
        measured=f"{gain * 100:+.1f} points ({base.accuracy:.1%} → {better.accuracy:.1%}), n = {better.n}",
        reached=gain >= wanted,
        why="" if gain >= wanted else "the gain is smaller than the aim",
    )


def _unmeasured(aim: str, target: str, why: str) -> Aim:
    return Aim(aim=aim, target=target, measured=_UNMEASURED, reached=False, why=why)


def underspecified(dataset: str, solved: Sequence[Solved] | None) -> Aim:
    """Of the questions without an answer most are to be asked about or declined, of the others few. ``solved`` by
    ``auto``; None where it was not run."""
    aim = f"{dataset}: auto asks or declines where something is missing"
    target = "60 % or more of the unanswerable, 15 % or less of the answerable"
    if solved is None:
        return _unmeasured(aim, target, f"auto was not run on {dataset}; run with --model both for the whole plan")
    declined = [one.status in ("needs_input", "abstained") for one in solved]
    without = [asked for one, asked in zip(solved, declined, strict=True) if one.question.answerable is False]
    others = [asked for one, asked in zip(solved, declined, strict=True) if one.question.answerable]
    caught = sum(without) / len(without) if without else 0.0
    bothered = sum(others) / len(others) if others else 0.0
    reached = caught >= 0.6 and bothered <= 0.15
    return Aim(
        aim=aim,
        target=target,
        measured=f"{caught:.0%} of {len(without)} unanswerable, {bothered:.0%} of {len(others)} answerable",
        reached=reached,
        why="" if reached else "the model's verdict on its own question does not tell the two apart well enough",
    )


def standing(aim: Aim) -> str:
    """In a word or two, for a reader of the table."""
    return "not measured" if aim.measured == _UNMEASURED else "reached" if aim.reached else "not reached"
