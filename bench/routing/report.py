"""Rows and aims of the routing benchmark."""

from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from bench.record import Aim, Report, Row
from bench.routing.data import RoutingData
from bench.routing.frontier import Frontier, Trial, interval, sweeps
from bench.routing.latency import DecisionLatency
from bench.routing.risk import Calibration, RiskCurve
from bench.statistics import wilson
from workers.usage import Usage

_COSTS = tuple(float(cost) for cost in np.geomspace(0.2, 2.0, 10))
_YARDSTICK = "cot(large)"


class LeftOutRow(BaseModel):
    """A route whose strategy training had not seen, added to the router with a few outcomes: see
    ``routers.transfer.LeftOut``; ``gain`` in value."""

    model_config = ConfigDict(frozen=True)

    route: str
    outcomes: int
    best_in: tuple[str, ...]
    best_on: int
    chosen: float
    others: int
    elsewhere: float
    gain: float
    gain_ci95: tuple[float, float]


class DriftTaken(BaseModel):
    """Right answers on ``n`` questions of another kind at medium effort, as shares: of what serves without a router
    (``policy``), with ``router`` falling back to it, of that router if it never fell back (``unguarded``), and of the
    ``constant`` that is best on them in hindsight. ``difference``: with the router less without, paired."""

    model_config = ConfigDict(frozen=True)

    router: str
    n: int
    policy: float
    guarded: float
    unguarded: float
    constant: str
    constant_accuracy: float
    difference: float
    difference_ci95: tuple[float, float]


class DriftRow(BaseModel):
    """Of ``n`` questions of another kind the share on which the router fell back, which is that it has no say (the
    answer cannot be compared, or a solver decides it) or the question is ``unlike`` those it knows; and the share on
    which the acceptance probability counts as uncalibrated. ``familiar``: how many of its own kind are unlike.
    ``taken``: what came of it, where outcomes of these questions are stored; else ``missing`` says what they lack."""

    model_config = ConfigDict(frozen=True)

    dataset: str
    n: int
    fell_back: float
    unlike: float
    familiar: float
    uncalibrated: float
    taken: list[DriftTaken] = []
    missing: str = ""


class RoutingReport(Report):
    """``families``: measured questions by data set; ``not_measured``: the sets that have none, and the routes they
    lack. ``seed`` is that of folds, draws and training."""

    seed: int
    families: dict[str, int]
    not_measured: dict[str, tuple[str, ...]]
    calibration: Calibration
    risk_coverage: list[RiskCurve]
    leave_one_out: list[LeftOutRow]
    drift: list[DriftRow]
    latency: list[DecisionLatency]

    @property
    def pooled(self) -> list[Row]:
        """The rows on all measured questions, which come first."""
        return [row for row in self.rows if row.dataset == self.rows[0].dataset]


def rows_of(frontier: Frontier, trials: Sequence[Trial], dataset: str, seed: int, large: str) -> list[Row]:
    """A row for each trial; the interval is the bootstrap's over groups of questions. ``large`` names that model."""
    hulls = frontier.hulls()
    best = frontier.best()
    found = []
    for trial in trials:
        cost, right = frontier.points(trial)
        above, (low, high) = frontier.above(trial, hulls)
        paired = frontier.resampled.means(trial.right - best.right)
        paired_low, paired_high = interval(paired)
        found.append(
            Row(
                system=trial.system,
                setting=trial.setting,
                dataset=dataset,
                n=len(trial.right),
                seeds=[seed],
                accuracy=float(right[0]),
                ci95=interval(right),
                tokens=_tokens(trial),
                large_share=_share(trial, large),
                cost=float(cost[0]),
                seconds=float(trial.seconds.sum()),
                extra={
                    "above_constants": above,
                    "above_constants_low": low,
                    "above_constants_high": high,
                    "against_best_constant": float(paired[0]),
                    "against_best_constant_low": paired_low,
                    "against_best_constant_high": paired_high,
                },
            )
        )
    return found


def family_rows(data: RoutingData, trials: Sequence[Trial], seed: int, large: str) -> list[Row]:
    """Every constant and what serves, on each data set apart; costs are relative to the yardstick's on all."""
    base = float(data.constant(_YARDSTICK).cost.mean())
    shown = [trial for trial in trials if trial.system in (*data.routes, "ladder", "oracle")]
    families = sorted(set(data.table.families))
    found = []
    for family in families if len(families) > 1 else []:
        own = np.array([name == family for name in data.table.families])
        for trial in (whole.only(own) for whole in shown):
            right = float(trial.right.sum())
            found.append(
                Row(
                    system=trial.system,
                    setting=trial.setting,
                    dataset=family,
                    n=len(trial.right),
                    seeds=[seed],
                    accuracy=right / len(trial.right),
                    ci95=wilson(round(right), len(trial.right)),
                    tokens=_tokens(trial),
                    large_share=_share(trial, large),
                    cost=float(trial.cost.mean()) / base,
                    seconds=float(trial.seconds.sum()),
                )
            )
    return found


def _tokens(trial: Trial) -> dict[str, Usage]:
    """Over all questions, by the models that had part; where chance decides, what is expected."""
    sums = {model: [round(count) for count in counts.sum(axis=0)] for model, counts in trial.tokens.items()}
    return {
        model: Usage(prompt=prompt, completion=completion, cached=cached)
        for model, (prompt, completion, cached) in sums.items()
        if prompt or completion
    }


def _share(trial: Trial, large: str) -> float:
    """What the large model wrote of everything that was written."""
    tokens = _tokens(trial)
    written = sum(usage.completion for usage in tokens.values())
    return tokens.get(large, Usage()).completion / written if written else 0.0


def frontier_aims(frontier: Frontier, trials: Sequence[Trial]) -> list[Aim]:
    """Above the constants' frontier everywhere, by three points at the best constant's cost, and headroom captured:
    each for the system that does best at it, which flatters it."""
    candidates = sweeps(trials)
    best = frontier.best()
    gains = {name: frontier.at_best(sweep) for name, sweep in candidates.items()}
    top = max(gains, key=lambda name: gains[name][0][0])
    gain, share = gains[top]
    low, high = interval(gain)
    cost = frontier.points(best)[0][0]
    aims = [
        _everywhere(frontier, candidates),
        Aim(
            aim=f"above the best constant ({best.system}) at its cost of {cost:.2f}",
            target="≥ +3 points",
            measured=f"{gain[0] * 100:+.1f} points [{low * 100:+.1f}, {high * 100:+.1f}] by {top}",
            reached=bool(gain[0] >= 0.03),
            why=_why(float(gain[0]), low, 0.03),
        ),
    ]
    low, high = interval(share)
    aims.append(
        Aim(
            aim="headroom captured: (router − best constant) / (oracle − best constant) at equal cost",
            target="≥ 40 %",
            measured=f"{share[0]:.0%} [{low:.0%}, {high:.0%}] by {top}",
            reached=bool(share[0] >= 0.4),
            why="" if share[0] >= 0.4 else _missing(),
        )
    )
    return aims


def ladder_aims(frontier: Frontier, trials: Sequence[Trial]) -> list[Aim]:
    """Whether evidence may decide by default: it has to beat the thresholds of the same ladder, on the same questions,
    in accuracy without costing more or in cost without losing accuracy."""
    known = sweeps(trials)
    pairs = zip(known["ladder by evidence"], known["ladder"], strict=True)
    return [
        _beside(
            frontier, own, present, f"evidence decides on the ladder of effort {own.setting}, against its thresholds"
        )
        for own, present in pairs
    ]


def routed_aims(frontier: Frontier, trials: Sequence[Trial]) -> list[Aim]:
    """Whether a learned router in front of the ladder is better than the ladder that serves without it."""
    known = sweeps(trials)
    ladder = {trial.setting: trial for trial in known["ladder"]}
    return [
        _beside(frontier, own, ladder[own.setting], f"{name}, against the ladder alone, at effort {own.setting}")
        for name, sweep in known.items()
        if name.endswith(", then ladder")
        for own in sweep
    ]


def _beside(frontier: Frontier, own: Trial, present: Trial, aim: str) -> Aim:
    right = frontier.resampled.means(own.right - present.right)
    cost = frontier.points(own)[0] - frontier.points(present)[0]
    (low, high), (less, more) = interval(right), interval(cost)
    reached = (low > 0 and cost[0] <= 0) or (more < 0 and low >= 0)
    return Aim(
        aim=aim,
        target="better with its whole interval and no dearer, or cheaper and no worse",
        measured=f"{right[0] * 100:+.1f} points [{low * 100:+.1f}, {high * 100:+.1f}] for {cost[0]:+.2f} of cost "
        f"[{less:+.2f}, {more:+.2f}]",
        reached=bool(reached),
        why="" if reached else f"{_undecided(low, high, less)}, so the ladder goes on serving",
    )


def _undecided(low: float, high: float, less: float) -> str:
    """What the intervals of accuracy and cost leave open."""
    if low > 0:
        return "it is right more often and costs more, which is another trade and no gain at the same cost"
    if high < 0:
        return "it is right less often"
    return "it costs more" if less > 0 else "not distinguishable on so many questions"


def _everywhere(frontier: Frontier, candidates: Mapping[str, Sequence[Trial]]) -> Aim:
    hulls = frontier.hulls()
    gains = {name: frontier.along(sweep, hulls, _COSTS) for name, sweep in candidates.items()}
    over = {name: sum(gain[0] > 0 for gain in found) for name, found in gains.items()}
    sure = {name: sum(interval(gain)[0] > 0 for gain in found) for name, found in gains.items()}
    mean = {name: float(np.mean([gain[0] for gain in found])) for name, found in gains.items()}
    name = max(gains, key=lambda name: (over[name], mean[name]))
    reached = sure[name] == len(_COSTS)
    return Aim(
        aim="above the frontier of the constants everywhere from 0.2 to 2 × large cot's cost",
        target=f"above at each of {len(_COSTS)} costs, with its 95 % interval",
        measured=f"{name}: above at {over[name]} of {len(_COSTS)} costs, at {sure[name]} with the whole interval, "
        f"{mean[name] * 100:+.1f} points on average",
        reached=reached,
        why="" if reached else "the gain at each cost is smaller than the noise of this many questions, or absent",
    )


def calibration_aim(found: Calibration) -> Aim:
    enough = found.attempts >= 1500
    reached = found.ece <= 0.05 and enough
    low, high = found.ci95
    return Aim(
        aim="expected calibration error of the acceptance probability, cross-fitted, on at least 1,500 pooled attempts",
        target="≤ 0.05",
        measured=f"{found.ece:.3f} on {found.attempts} attempts at {found.questions} questions; {found.floor:.3f} "
        f"would be chance; {low:.3f} to {high:.3f} in resamples of the questions, which show more error than the whole",
        reached=reached,
        why=""
        if reached
        else ("too few attempts were collected" if not enough else "it is not calibrated well enough"),
    )


def coverage_aim(own: RiskCurve, baseline: RiskCurve, ratio: tuple[float, float, float]) -> Aim:
    """``ratio`` of coverages with its interval."""
    reached = ratio[0] >= 1.5
    return Aim(
        aim=f"coverage at {own.risk:.0%} risk against thresholding on the model's own log-probability",
        target="≥ 1.5 ×",
        measured=f"{ratio[0]:.2f} × [{ratio[1]:.2f}, {ratio[2]:.2f}]: {own.coverage_at:.0%} by {own.system}, "
        f"{baseline.coverage_at:.0%} by {baseline.system}",
        reached=reached,
        why="" if reached else "the log-probability of the same attempts already orders right before wrong",
    )


def left_out_aim(found: Sequence[LeftOutRow]) -> Aim:
    """Judged by the routes that are best in some family by more than chance; of the others nobody knows where."""
    judged = [row for row in found if row.best_in]
    reached = bool(judged) and all(row.chosen > max(0.5, row.elsewhere) and row.gain_ci95[0] > 0 for row in judged)
    said = [
        f"{row.route} on {row.chosen:.0%} of {row.best_on} questions of {', '.join(row.best_in)}, elsewhere on "
        f"{row.elsewhere:.0%} of {row.others}; {row.gain * 100:+.1f} points of value "
        f"[{row.gain_ci95[0] * 100:+.1f}, {row.gain_ci95[1] * 100:+.1f}]"
        for row in judged
    ]
    why = (
        "what was added is not told from the routes that were there" if judged else "no family has a route that is best"
    )
    return Aim(
        aim=f"a strategy unseen in training, added with {found[0].outcomes} outcomes, is chosen where it is best",
        target="on more than half of the questions of the families where it is best, more often than elsewhere, with a "
        "gain in value",
        measured="; ".join(said) or "not measured",
        reached=reached,
        why="" if reached else why,
    )


def drift_aim(found: Sequence[DriftRow]) -> Aim:
    """It falls back where it knows nothing, and what is answered then is no worse than without it."""
    taken = [one for row in found for one in row.taken]
    falls = bool(found) and all(row.fell_back >= 0.9 for row in found)
    stands = all(one.difference_ci95[1] >= 0 for one in taken)
    said = [
        f"{row.dataset}: fell back on {row.fell_back:.0%} of {row.n}, unlike {row.unlike:.0%}{_came_to(row)}"
        for row in found
    ]
    why = "no questions of another kind were given: outcomes of them, or --data"
    if found:
        why = "some of these questions look like its own" if not falls else "what it chose instead was right less often"
    return Aim(
        aim="the router falls back on questions of another kind, and does not fall down",
        target="falls back on ≥ 90 % of each set, and is no worse than without the router",
        measured="; ".join(said) or "not measured",
        reached=falls and stands,
        why="" if falls and stands else why,
    )


def _came_to(row: DriftRow) -> str:
    parts = [
        f", right {one.guarded:.0%} ({one.router}), without it {one.policy:.0%}, unguarded {one.unguarded:.0%}"
        for one in row.taken
    ]
    return "".join(parts) or (f" ({row.missing})" if row.missing else "")


def latency_aim(found: Sequence[DecisionLatency]) -> Aim:
    firsts = [one for one in found if one.concurrent == 1 and one.decision.startswith("first")]
    worst = max(firsts, key=lambda one: one.p95)
    return Aim(
        aim="a whole decision on CPU, one request at a time",
        target="< 10 ms p95",
        measured=f"{worst.p95:.1f} ms p95 ({worst.decision})",
        reached=worst.p95 < 10,
        why="" if worst.p95 < 10 else "the machine was shared, or the router's training set is large",
    )


def _why(gain: float, low: float, wanted: float) -> str:
    if gain >= wanted:
        return "" if low > 0 else "as a point estimate only: the interval reaches below zero"
    return "the gain is smaller than the aim" if gain > 0 else "no system beats the best constant at its cost"


def _missing() -> str:
    return (
        "the rest of the oracle's lead lies in questions that only some routes get right, and neither the question nor "
        "the attempts seen so far show which route that is"
    )
