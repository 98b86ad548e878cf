"""What the papers' shapes ask of the measured rows."""

from collections.abc import Sequence

from bench.collaboration.line import accuracy_at
from bench.collaboration.plan import ALONE
from bench.record import Aim, Row

_KEPT = 0.96
_MOST_LARGE = 0.45
_EFFICIENT = 0.8
_TRAINED = "divergence"


def aims_of(rows: Sequence[Row]) -> list[Aim]:
    """Judged on rows of one and the same set of questions, both models alone among them."""
    ends = {row.system: row for row in rows if row.system in ALONE}
    small, large = ends["small"], ends["large"]
    mixed = [row for row in rows if row.system not in ALONE]
    untrained = [row for row in mixed if row.system != _TRAINED or "use_head=False" in row.setting]
    trained = [row for row in mixed if row not in untrained]
    aims = [_entropy([row for row in mixed if row.system == "entropy"], large)]
    aims.append(_divergence(trained, untrained, small, large))
    aims.append(_stepwise([row for row in mixed if row.system == "stepwise"], large))
    aims.append(_efficiency(mixed))
    return aims


def _entropy(rows: Sequence[Row], large: Row) -> Aim:
    fit = [row for row in rows if row.large_share <= _MOST_LARGE]
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


def _divergence(trained: Sequence[Row], untrained: Sequence[Row], small: Row, large: Row) -> Aim:
    points = [(row.large_share, row.accuracy) for row in (small, *trained, large)]
    behind = [row for row in untrained if accuracy_at(row.large_share, points) < row.accuracy]
    reached = bool(trained) and bool(untrained) and not behind
    curve = "; ".join(_named(row) for row in trained) or "not measured"
    why = ""
    if trained and behind:
        why = "at their share of large tokens better than divergence: " + "; ".join(_named(row) for row in behind)
    return Aim(
        aim="divergence is above every training-free policy at the same share of large tokens",
        target="its line, drawn between its settings and both models, is above all of them",
        measured=curve,
        reached=reached,
        why=why,
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


def _efficiency(rows: Sequence[Row]) -> Aim:
    worst = min(rows, key=lambda row: row.extra["efficiency"], default=None)
    below = [row for row in rows if row.extra["efficiency"] < _EFFICIENT]
    listed = "; ".join(
        f"{row.system} {row.setting} {row.extra['efficiency']:.2f} at {row.extra['calls_per_100']:.0f} calls and "
        f"{row.extra['handovers_per_100']:.0f} hand-overs a hundred tokens"
        for row in below
    )
    return Aim(
        aim="the time that the tokens must take, over the time it took",
        target=f"≥ {_EFFICIENT} for every policy",
        measured="not measured" if worst is None else f"{worst.extra['efficiency']:.2f} at worst ({worst.system})",
        reached=worst is not None and not below,
        why=f"what a call costs besides its tokens: {listed}" if below else "",
    )


def _named(row: Row) -> str:
    return f"{row.system} {row.setting} {row.accuracy:.3f} at a share of {row.large_share:.2f}".replace("  ", " ")


def _above(row: Row) -> str:
    low, high = row.extra["above_line_low"], row.extra["above_line_high"]
    where = "above" if low > 0 else "below" if high < 0 else "not to be told from"
    return (
        f"it is {row.extra['above_line'] * 100:+.1f} points [{low * 100:+.1f}, {high * 100:+.1f}] off random mixing of "
        f"the two models at its share, {where} it with n = {row.n}"
    )
