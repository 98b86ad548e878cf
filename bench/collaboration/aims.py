"""What the papers' shapes ask of the measured rows."""

from collections.abc import Mapping, Sequence

from bench.collaboration.line import Distance, Outcome, distance_above_line
from bench.collaboration.plan import ALONE, Setting
from bench.record import Aim, Row

_KEPT = 0.96
_MOST_LARGE = 0.45
_TRAINED = "divergence"

Outcomes = Mapping[Setting, Sequence[Outcome]]


def aims_of(rows: Sequence[Row], outcomes: Outcomes) -> list[Aim]:
    """Judged on rows of one and the same set of questions, both models alone among them, and on their ``outcomes``."""
    large = next(row for row in rows if row.system == "large")
    return [
        _entropy([row for row in rows if row.system == "entropy"], large),
        _divergence(outcomes),
        _stepwise([row for row in rows if row.system == "stepwise"], large),
    ]


def _entropy(rows: Sequence[Row], large: Row) -> Aim:
    fit = [row for row in rows if _share(row) <= _MOST_LARGE]
    best = max(fit or rows, key=lambda row: row.accuracy, default=None)
    kept = None if best is None else best.accuracy / max(large.accuracy, 1e-9)
    reached = bool(fit) and kept is not None and kept >= _KEPT
    return Aim(
        aim="entropy keeps the large model's accuracy with under half of its tokens",
        target=f"≥ {_KEPT:.0%} of the accuracy at a large share of ≤ {_MOST_LARGE:.0%}",
        measured="not measured" if best is None or kept is None else f"{_named(best)}: {kept:.0%} of it",
        reached=reached,
        why="" if reached or best is None else _above(best),
    )


def _divergence(outcomes: Outcomes) -> Aim:
    mixed = [setting for setting in outcomes if setting.policy not in ALONE]
    trained = [setting for setting in mixed if setting.policy == _TRAINED and setting.by_head]
    line = [outcomes[setting] for setting in outcomes if setting.policy in ALONE or setting in trained]
    others = {
        setting: distance_above_line(outcomes[setting], line) for setting in mixed if trained and setting not in trained
    }
    below = [_distance(setting, one) for setting, one in others.items() if one.high < 0]
    above = [_distance(setting, one) for setting, one in others.items() if one.low > 0]
    open_ = [_distance(setting, one) for setting, one in others.items() if not one.decided]
    parts = (("below the line", below), ("above it", above), ("not decided", open_))
    n = len(next(iter(outcomes.values())))
    return Aim(
        aim="divergence is above every training-free policy at the same share of large tokens",
        target="all of them are below its line, drawn between its settings and both models, with 95 % intervals of a "
        "paired bootstrap over the questions",
        measured="; ".join(f"{what}: {', '.join(listed) or 'none'}" for what, listed in parts)
        if others
        else "not measured",
        reached=bool(others) and len(below) == len(others),
        why=f"{len(open_)} of {len(others)} comparisons are not decided with n = {n}" if open_ else "",
    )


def _stepwise(rows: Sequence[Row], large: Row) -> Aim:
    best = max(rows, key=lambda row: row.accuracy, default=None)
    reached = best is not None and best.accuracy >= large.accuracy
    return Aim(
        aim="stepwise has at least the large model's accuracy",
        target=f"≥ {large.accuracy:.3f}",
        measured="not measured" if best is None else _named(best),
        reached=reached,
        why="" if reached or best is None else _above(best),
    )


def _share(row: Row) -> float:
    return row.extra["mixing_share"]


def _named(row: Row) -> str:
    return f"{row.system} {row.setting} {row.accuracy:.3f} at a share of {_share(row):.2f}".replace("  ", " ")


def _distance(setting: Setting, one: Distance) -> str:
    return f"{setting.name} {one.above * 100:+.0f} [{one.low * 100:+.0f}, {one.high * 100:+.0f}]"


def _above(row: Row) -> str:
    low, high = row.extra["above_line_low"], row.extra["above_line_high"]
    where = "above" if low > 0 else "below" if high < 0 else "not to be told from"
    return (
        f"it is {row.extra['above_line'] * 100:+.1f} points [{low * 100:+.1f}, {high * 100:+.1f}] off random mixing of "
        f"the two models at its share, {where} it with n = {row.n}"
    )
