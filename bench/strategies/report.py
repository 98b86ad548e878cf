"""From solved questions and pools of samples to the rows of the strategies' report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field

from agents.sampling import Format
from bench.aggregate import row_of, total_tokens, weighted_tokens
from bench.pooled import Pool
from bench.record import ReportHead, Row
from bench.solving import Solved
from bench.statistics import paired_difference, wilson
from orchestrator.settings import Settings
from workers.usage import Usage

# A strategy that draws the whole pool costs what the pool does, give or take an early end.
_BEYOND_POOL = 1.01
_VOTE = "vote of "

Pools = Mapping[Format, Pool]
"""The samples of one model for the same questions, by how they are written; costs are in samples of the first."""


class StrategyRow(Row):
    """``right`` is, by a question's id, the share of seeds with which a strategy was right; rows of votes have none.
    ``commit`` and ``created`` are those of the run that measured it, since a report keeps what earlier runs measured.
    """

    right: dict[str, float] = Field(default_factory=dict)
    commit: str = ""
    created: str = ""


class StrategiesReport(ReportHead):
    rows: list[StrategyRow]


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


def row(outcome: Outcome, pools: Pools, settings: Settings) -> StrategyRow:
    """A strategy beside ``pools`` of the same model for the same questions; ``with_costs`` adds what it costs.

    ``extra`` has, for the first pool and with the suffix ``_FORMAT`` for every other, the cost in samples of that pool,
    the accuracy of the majority of as many samples, and the paired difference with its 95 % interval. Where the
    strategy costs more than the whole pool, ``beyond_pool`` is 1: the vote is of fewer samples than it could have been.
    ``against_votes`` is the worse of the verdicts: −1 where the strategy loses to a vote, 1 where it wins against each,
    0 where an interval holds both or a pool is too small to tell. Of questions of which some have no answer,
    ``asked_answerable`` and ``asked_unanswerable`` are the shares of the two halves that were asked about or declined.
    """
    solved = outcome.every
    made = row_of(f"{outcome.trial}({outcome.model})", "", outcome.dataset, solved, None, settings)
    questions = len(outcome.solved[0])
    right = sum(outcome.right) / questions
    extra = {
        "chain_tokens": sum(one.chain for one in solved) / len(solved),
        "tokens_per_question": sum(u.completion for u in total_tokens(solved).values()) / len(solved),
        "asked": _share_asked(solved),
        **_asked_by_half(solved),
        **_against_votes(outcome, pools, settings),
    }
    known = {
        "n": questions,
        "seeds": list(outcome.seeds),
        "accuracy": right,
        # Seeds of one question are not independent: the interval is that of the questions.
        "ci95": wilson(round(right * questions), questions),
        "extra": extra,
        "right": dict(zip((one.question.id for one in outcome.solved[0]), outcome.right, strict=True)),
    }
    return StrategyRow.model_validate({**made.model_dump(), **known})


def vote_rows(dataset: str, model: str, pools: Pools, settings: Settings) -> list[StrategyRow]:
    """The majority of 1, 2, … samples of each pool, one row each, whose ``setting`` is how many vote: the mean over
    random subsets. ``extra.samples`` is its cost in samples of the first pool."""
    return [
        _vote_row(dataset, model, form, pools, size, settings)
        for form, pool in pools.items()
        for size in range(1, pool.size + 1)
    ]


def is_vote(row: Row) -> bool:
    return row.system.startswith(_VOTE)


def with_costs(rows: Sequence[StrategyRow], settings: Settings) -> list[StrategyRow]:
    """The rows with their costs, in units of what the large model's ``cot`` takes a question of the same data set: as
    the rows have it, whichever run measured it. ``extra.reference_rows`` says on how many questions."""
    yardstick = f"cot({settings.named('large')})"
    references = {row.dataset: row for row in rows if row.system == yardstick}
    return [_with_cost(row, references[row.dataset], settings) if row.dataset in references else row for row in rows]


def _with_cost(row: StrategyRow, reference: StrategyRow, settings: Settings) -> StrategyRow:
    cost = _weight_each(row, settings) / _weight_each(reference, settings)
    return row.model_copy(update={"cost": cost, "extra": {**row.extra, "reference_rows": reference.n}})


def _weight_each(row: Row, settings: Settings) -> float:
    """Parameter-weighted tokens of one answer to one question."""
    return weighted_tokens(row.tokens, settings) / (row.n * len(row.seeds))


def _against_votes(outcome: Outcome, pools: Pools, settings: Settings) -> dict[str, float]:
    extra: dict[str, float] = {}
    verdicts = []
    for number, (form, pool) in enumerate(pools.items()):
        beside = _beside(outcome, pool, settings)
        verdicts.append(_verdict(beside))
        extra |= {f"{name}_{form}" if number else name: value for name, value in beside.items()}
    return extra | ({"against_votes": min(verdicts)} if verdicts else {})


def _beside(outcome: Outcome, pool: Pool, settings: Settings) -> dict[str, float]:
    samples = weighted_tokens(total_tokens(outcome.every), settings) / len(outcome.every) / pool.cost
    voted = pool.majority(samples)
    mean, (low, high) = paired_difference(outcome.right, voted)
    return {
        "samples": samples,
        "votes_accuracy": sum(voted) / len(voted),
        "votes_samples": min(max(samples, 1.0), pool.size),
        "difference": mean,
        "difference_low": low,
        "difference_high": high,
        "beyond_pool": float(samples > pool.size * _BEYOND_POOL),
    }


def _verdict(beside: Mapping[str, float]) -> float:
    if beside["beyond_pool"]:
        return 0.0
    return -1.0 if beside["difference_high"] < 0 else 1.0 if beside["difference_low"] > 0 else 0.0


def _asked_by_half(solved: Sequence[Solved]) -> dict[str, float]:
    """Nothing where the questions do not say whether they can be answered."""
    halves: dict[str, list[Solved]] = {}
    for one in solved:
        if one.question.answerable is not None:
            halves.setdefault("answerable" if one.question.answerable else "unanswerable", []).append(one)
    shares = {f"asked_{half}": _share_asked(members) for half, members in halves.items()}
    return shares | {half: float(len(members)) for half, members in halves.items()}


def _share_asked(solved: Sequence[Solved]) -> float:
    return sum(one.status in ("needs_input", "abstained") for one in solved) / len(solved)


def _vote_row(dataset: str, model: str, form: Format, pools: Pools, size: int, settings: Settings) -> StrategyRow:
    pool = pools[form]
    voted = pool.majority(size)
    n, accuracy = len(voted), sum(voted) / len(voted)
    share = size * n / sum(len(votes) for votes in pool.votes)
    usage = Usage.model_validate({name: round(count * share) for name, count in pool.usage.model_dump().items()})
    return StrategyRow(
        system=f"{_VOTE}{form}({model})",
        setting=str(size),
        dataset=dataset,
        n=n,
        seeds=[0],
        accuracy=accuracy,
        ci95=wilson(round(accuracy * n), n),
        tokens={model: usage},
        large_share=float(model == settings.named("large")),
        cost=None,
        seconds=pool.seconds * share,
        extra={
            "samples": size * pool.cost / next(iter(pools.values())).cost,
            "tokens_per_question": usage.completion / n,
        },
    )
