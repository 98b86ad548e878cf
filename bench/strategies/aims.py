"""What the rows of the strategies' report tell of its aims, whichever runs measured them."""

from collections.abc import Mapping, Sequence

from bench.record import Aim
from bench.statistics import paired_difference, wilson
from bench.strategies.report import StrategyRow, is_vote
from bench.strategies.trials import SINGLE

_UNMEASURED = "not measured"
_WHOLE_PLAN = "run with --model both for the whole plan"
_CAUGHT, _BOTHERED = 0.6, 0.15

_Rows = Mapping[tuple[str, str], StrategyRow]


def aims_of(rows: Sequence[StrategyRow], small: str, large: str) -> list[Aim]:
    """What the rows tell of the aims; an aim that they tell nothing of says that it is not measured."""
    strategies = [one for one in rows if not is_vote(one)]
    by_name = {(one.dataset, one.system): one for one in strategies}
    return [
        _gsm8k([one for one in strategies if one.dataset == "gsm8k_test"]),
        *(_gain(by_name, "humaneval", small, "code", plain, 0.10) for plain in ("direct", SINGLE)),
        *(
            _gain(by_name, dataset, model, "logic", "cot", 0.25)
            for dataset in ("proofwriter", "prontoqa")
            for model in (small, large)
        ),
        _underspecified("umwp", "auto", by_name.get(("umwp", f"auto({large})"))),
    ]


def standing(aim: Aim) -> str:
    """In a word or two, for a reader of the table."""
    return "not measured" if aim.measured == _UNMEASURED else "reached" if aim.reached else "not reached"


def _gsm8k(rows: Sequence[StrategyRow]) -> Aim:
    """The best system within the cost of large ``cot``."""
    aim, target = "gsm8k with the pair at no more than the cost of large cot", "62 % at cost 1.0 or less"
    within = [one for one in rows if one.cost is not None and one.cost <= 1.0]
    if not within:
        costs = any(one.cost is not None for one in rows)
        why = "no cost is known without the large model's cot on the same questions; run with --model both"
        return _unmeasured(aim, target, "nothing that was run stays within that cost" if costs else why)
    best = max(within, key=lambda one: one.accuracy)
    fewest, most = min(one.n for one in within), max(one.n for one in within)
    on = "the same questions" if fewest == most else f"the first {fewest} to {most} questions"
    return Aim(
        aim=aim,
        target=target,
        measured=f"{best.accuracy:.1%} [{best.ci95[0]:.2f}, {best.ci95[1]:.2f}] by {best.system} at {best.cost:.2f}, "
        f"n = {best.n}; the best of {len(within)} systems on {on}, which flatters it",
        reached=best.accuracy >= 0.62,
        why="" if best.accuracy >= 0.62 else "no strategy within that cost is right often enough",
    )


def _gain(rows: _Rows, dataset: str, model: str, strategy: str, plain: str, wanted: float) -> Aim:
    aim, target = f"{dataset}: {strategy}({model}) above {plain}({model})", f"+{wanted * 100:.0f} points"
    better, base = rows.get((dataset, f"{strategy}({model})")), rows.get((dataset, f"{plain}({model})"))
    if better is None or base is None:
        missing = f"{strategy}({model})" if better is None else f"{plain}({model})"
        return _unmeasured(aim, target, f"{missing} was not run on {dataset}; {_WHOLE_PLAN}")
    if better.right and base.right and better.right.keys().isdisjoint(base.right):
        return _unmeasured(aim, target, "the two were asked different questions; run both again")
    gain, shown, doubt = _difference(better, base)
    return Aim(
        aim=aim,
        target=target,
        measured=shown,
        reached=gain >= wanted,
        why=f"{'' if gain >= wanted else 'the gain is smaller than the aim, and '}{doubt}",
    )


def _difference(better: StrategyRow, base: StrategyRow) -> tuple[float, str, str]:
    """How much more often the one is right, in words too, and what its interval says: paired over the questions that
    both were asked. Rows of a time when single answers were not kept have no interval."""
    both = [question for question in better.right if question in base.right]
    if not both:
        gain = better.accuracy - base.accuracy
        shown = f"{gain * 100:+.1f} points ({base.accuracy:.1%} → {better.accuracy:.1%}), n = {better.n}"
        return gain, shown, "no interval is known, because the answers to single questions were not kept"
    first, second = [better.right[question] for question in both], [base.right[question] for question in both]
    gain, (low, high) = paired_difference(first, second)
    rates = f"{sum(second) / len(both):.1%} → {sum(first) / len(both):.1%}"
    shown = f"{gain * 100:+.1f} points [{low * 100:+.1f}, {high * 100:+.1f}] ({rates}), n = {len(both)}, paired"
    return gain, shown, f"its interval {'includes' if low <= 0 <= high else 'excludes'} 0"


def _underspecified(dataset: str, name: str, row: StrategyRow | None) -> Aim:
    """Of the questions without an answer most are to be asked about or declined, of the others few."""
    aim = f"{dataset}: {name} asks or declines where something is missing"
    target = f"{_CAUGHT:.0%} or more of the unanswerable, {_BOTHERED:.0%} or less of the answerable"
    if row is None:
        return _unmeasured(aim, target, f"{name} was not run on {dataset}; {_WHOLE_PLAN}")
    caught, bothered = row.extra.get("asked_unanswerable"), row.extra.get("asked_answerable")
    if caught is None or bothered is None:
        return _unmeasured(aim, target, f"the row of {row.system} says it of one half at most; run it again")
    reached = caught >= _CAUGHT and bothered <= _BOTHERED
    return Aim(
        aim=aim,
        target=target,
        measured=f"{_share(row, 'unanswerable')}, {_share(row, 'answerable')}",
        reached=reached,
        why="" if reached else "neither words nor the model's verdict tell the two apart well enough",
    )


def _share(row: StrategyRow, half: str) -> str:
    share, n = row.extra[f"asked_{half}"], round(row.extra[half])
    low, high = wilson(round(share * n), n)
    return f"{share:.0%} [{low:.0%}, {high:.0%}] of {n} {half}"


def _unmeasured(aim: str, target: str, why: str) -> Aim:
    return Aim(aim=aim, target=target, measured=_UNMEASURED, reached=False, why=why)
