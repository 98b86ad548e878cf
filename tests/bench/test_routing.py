"""The figures of the routing benchmark on data whose answers are known."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from bench.record import Row, write_report
from bench.routing.bench import Bench, Options
from bench.routing.data import COMPUTED, routing_data
from bench.routing.frontier import Frontier, Resampled, Trial, at_cost, hull, interval, mixed, oracle
from bench.routing.plot import plot
from bench.routing.replay import OutcomeMissing, StartingWith, replay
from bench.routing.report import LeftOutRow, RoutingReport, frontier_aims, ladder_aims, left_out_aim, rows_of
from bench.routing.risk import calibration, coverages, risk_curve
from orchestrator.outcomes.store import OutcomeStore
from orchestrator.settings_file import load_settings
from routers.acceptance.asked import Asked, asked_of
from routers.constant import Constant
from routers.embedding import WordEmbedder
from routers.ladder import Ladder
from routers.route import route_named
from tests.routers.acceptance.outcomes import made_up
from workers.usage import Usage

_ROUTES = ("direct(small)", "direct(large)", "program(small)", "program(large)", "cot(small)", "cot(large)")
_KEYS = [f"question {number}" for number in range(200)]


def _trial(system: str, right: float, cost: float, setting: str = "") -> Trial:
    """The first ``right`` of the questions are right. Each took the large model a second and ten tokens."""
    written = {"small": np.zeros((200, 3)), "large": np.full((200, 3), (50.0, 10.0, 20.0))}
    return Trial(
        system, setting, (np.arange(200) < right * 200).astype(float), np.full(200, cost), np.ones(200), written
    )


def _frontier(*constants: Trial) -> Frontier:
    return Frontier(Resampled(_KEYS, 300, 0), constants, oracle(constants), constants[-1])


def test_a_route_below_the_mix_of_two_others_is_not_on_the_frontier() -> None:
    line = hull([(0.1, 0.2), (0.5, 0.35), (1.0, 0.6), (2.0, 0.5)])
    assert line == [(0.1, 0.2), (1.0, 0.6)]
    assert at_cost(line, 0.55) == pytest.approx(0.4)
    assert (at_cost(line, 0.0), at_cost(line, 5.0)) == (0.2, 0.6)


def test_a_random_mix_lies_on_the_frontier_and_a_better_router_above_it_by_what_it_gains() -> None:
    cheap, dear = _trial("cheap", 0.4, 100), _trial("dear", 0.6, 1000)
    frontier = _frontier(cheap, dear)
    hulls = frontier.hulls()
    above, (low, high) = frontier.above(mixed(cheap, dear, 0.5), hulls)
    assert above == pytest.approx(0, abs=1e-9)
    assert low <= 0 <= high
    above, (low, _) = frontier.above(_trial("router", 0.7, 550), hulls)
    assert above == pytest.approx(0.2)
    assert low > 0.1


def test_the_oracle_takes_the_cheapest_right_route() -> None:
    written, none = np.full((3, 3), 10.0), np.zeros((3, 3))
    cheap = Trial(
        "cheap", "", np.array([1.0, 0.0, 0.0]), np.full(3, 1.0), np.full(3, 2.0), {"small": written, "large": none}
    )
    dear = Trial(
        "dear", "", np.array([1.0, 1.0, 0.0]), np.full(3, 9.0), np.full(3, 5.0), {"small": none, "large": written}
    )
    best = oracle([cheap, dear])
    assert best.right.tolist() == [1, 1, 0]
    assert best.cost.tolist() == [1, 9, 1]
    assert best.seconds.tolist() == [2, 5, 2]
    assert [best.tokens[model][:, 1].tolist() for model in ("small", "large")] == [[10, 0, 10], [0, 10, 0]]


def test_questions_that_share_a_key_are_drawn_together() -> None:
    resampled = Resampled(["a", "a", "b", "b", "c"], 50, seed=1)
    assert (resampled.weights[:, 0] == resampled.weights[:, 1]).all()
    assert (resampled.weights[0] == 1).all()
    again = Resampled(["a", "a", "b", "b", "c"], 50, seed=1)
    assert (again.weights == resampled.weights).all()


def test_aims_say_what_was_reached_and_rows_stand_beside_the_best_constant() -> None:
    cheap, dear = _trial("cheap", 0.4, 100), _trial("dear", 0.6, 1000)
    frontier = _frontier(cheap, dear)
    router = [_trial("router", 0.7, 900, "λ 0.1"), _trial("router", 0.8, 1100, "λ 0.01")]
    aims = frontier_aims(frontier, router)
    assert [aim.reached for aim in aims] == [True, True, False]
    assert "+15.0 points" in aims[1].measured
    assert aims[2].measured.startswith("0% ")  # an oracle that is no better than a constant leaves no headroom
    rows = rows_of(frontier, [cheap, dear, *router], "made-up", 0, "large")
    assert rows[0].cost == pytest.approx(0.1)
    assert rows[1].extra["against_best_constant"] == 0
    assert rows[2].extra["against_best_constant"] == pytest.approx(0.1)
    assert rows[2].extra["against_best_constant_low"] > 0


def test_a_system_is_credited_with_nothing_below_its_cheapest_setting() -> None:
    frontier = _frontier(_trial("cheap", 0.4, 100), _trial("dear", 0.6, 1000))
    everywhere, gain, headroom = frontier_aims(frontier, [_trial("router", 0.7, 1500, "λ 0.1")])
    assert "above at 3 of 10 costs" in everywhere.measured and not everywhere.reached
    assert gain.measured.startswith("+0.0 points") and headroom.measured.startswith("0% ")


def test_evidence_that_is_as_good_and_cheaper_in_every_draw_may_serve() -> None:
    constants = (_trial("cheap", 0.4, 100), _trial("dear", 0.6, 1000))
    present = _trial("ladder", 0.6, 800, "medium")
    cheaper = _trial("ladder by evidence", 0.6, 500, "medium")
    worse = _trial("ladder by evidence", 0.55, 500, "medium")
    assert ladder_aims(_frontier(*constants), [present, cheaper])[0].reached
    assert not ladder_aims(_frontier(*constants), [present, worse])[0].reached
    dearer = ladder_aims(_frontier(*constants), [present, _trial("ladder by evidence", 0.7, 900, "medium")])[0]
    assert not dearer.reached and "costs more" in dearer.why


def test_coverage_is_the_most_that_can_be_answered_at_the_risk() -> None:
    confidence = np.linspace(1, 0, 200)
    # The surest hundred are right, then every other one is wrong.
    right = np.where(np.arange(200) < 100, 1.0, np.arange(200) % 2)
    resampled = Resampled(_KEYS, 100, 0)
    curve = risk_curve("made-up", confidence, right, resampled, 0.1)
    assert curve.coverage_at == pytest.approx(0.62, abs=0.02)
    assert curve.ci95[0] < curve.coverage_at < curve.ci95[1]
    # Ties cannot be told apart: all or nothing.
    assert coverages(np.full(200, 0.5), right, resampled, 0.1)[0] == 0
    assert coverages(np.full(200, 0.5), right, resampled, 0.3)[0] == 1


def test_calibration_reports_its_bins_and_the_floor_of_chance() -> None:
    chance = np.random.default_rng(0)
    probabilities = chance.random(1000)
    right = (chance.random(1000) < probabilities).astype(float)
    found = calibration(probabilities, right, [str(number // 4) for number in range(1000)], seed=0, draws=50)
    assert (found.attempts, found.questions) == (1000, 250)
    assert found.ece < 2.5 * found.floor
    assert sum(bin[2] for bin in found.bins) == 1000


@pytest.fixture(scope="module")
def asked() -> list[Asked]:
    return asked_of(made_up(30), {})


def test_a_constant_replays_to_its_own_outcome_and_a_ladder_pays_for_every_rung(asked: list[Asked]) -> None:
    program, cot = route_named("program(large)"), route_named("cot(large)")
    one = asked[0]
    alone = replay(Constant(program, "asked for"), one, "medium")
    assert (alone.right, alone.attempts) == (one.right[one.index("program(large)") or 0], 1)
    assert alone.tokens["large"].completion == 100
    ladder = Ladder(
        {"medium": (program, cot)},
        talker=program,
        clerk=program,
        enough={"program": {"medium": 0.0}},
        agreeing=2,
        scales={},
    )
    both = replay(ladder, one, "medium")
    assert (both.attempts, both.tokens["large"].completion) == (2, 360)
    routed = replay(StartingWith(ladder, route_named("cot(small)")), one, "medium")
    assert routed.tokens["small"].completion == 250


def test_an_attempt_that_was_never_made_is_not_made_up(asked: list[Asked]) -> None:
    with pytest.raises(OutcomeMissing, match=r"made-up/0000 was never tried on plan\(large\)"):
        replay(Constant(route_named("plan(large)"), "asked for"), asked[0], "medium")


def test_what_a_request_would_not_show_is_not_replayed_as_known() -> None:
    program, talker = route_named("program(large)"), route_named("direct(large)")
    [one] = asked_of(made_up(1, direct=True, wording="Tell me of {0} and {1}."), {})
    assert one.form == "number", "what the data set knows of its answers"
    ladder = Ladder(
        {"medium": (program,)},
        talker=talker,
        clerk=talker,
        enough={"program": {"medium": 0.0}},
        agreeing=2,
        scales={},
    )
    for policy in (ladder, StartingWith(ladder, program)):
        assert replay(policy, one, "medium").tokens["large"].completion == 20, "it was written straight to the reader"


def test_an_interval_leaves_out_the_data_itself() -> None:
    assert interval(np.array([99.0, 1.0, 1.0, 1.0])) == (1.0, 1.0)


_DEDUCTION = (
    "The cow is big. " * 40 + "Does it follow that {0} cows are big? A. True B. False C. Unknown\nA. True\nB. False"
)
_FUNCTION = (
    'Complete this function.\n\ndef add{0}(x: int) -> int:\n    """Add {1}.\n    >>> add{0}(1)\n    2\n    """\n'
)


def _say_what_they_took(pooled: list[Row], rows: list[Row]) -> None:
    """Each of the 80 questions took each route a second, and ``made_up`` says how many tokens."""
    assert all(row.tokens and row.seconds >= row.n for row in rows)
    by_name = {f"{row.system} {row.setting}".strip(): row for row in pooled}
    alone = by_name["cot(large)"]
    assert (alone.tokens, alone.seconds) == ({"large": Usage(prompt=50 * 80, completion=260 * 80)}, 80.0)
    assert (alone.large_share, by_name["cot(small)"].large_share) == (1.0, 0.0)
    half = by_name["random mix of program(small) and program(large) 50%"]
    assert {model: usage.completion for model, usage in half.tokens.items()} == {"small": 70 * 80, "large": 50 * 80}
    assert half.large_share == pytest.approx(50 / 120)
    assert by_name["ladder high"].seconds > 80, "it took a second attempt at some questions"
    stories = next(row for row in rows if (row.system, row.dataset) == ("cot(large)", "stories"))
    assert (stories.seconds, stories.tokens["large"].completion) == (40.0, 260 * 40)


def _say_how_it_does_elsewhere(report: RoutingReport) -> None:
    """Nothing was learned from the questions of another kind, and the router leaves them to what serves without it."""
    functions, deduction = report.drift
    assert (functions.dataset, functions.fell_back, functions.uncalibrated) == ("humaneval", 1.0, 1.0)
    assert functions.taken == [] and "was never tried on code(small)" in functions.missing
    assert (deduction.n, deduction.fell_back, deduction.missing) == (25, 1.0, "")
    [taken] = deduction.taken
    assert (taken.router, taken.n, taken.difference) == ("kNN with a guard", 25, 0.0)
    assert taken.guarded == taken.policy and taken.constant_accuracy >= max(taken.policy, taken.unguarded)
    aim = next(aim for aim in report.aims if "another kind" in aim.aim)
    assert aim.reached and "proofwriter: fell back on 100% of 25, unlike 100%, right" in aim.measured
    assert not any("unseen in training" in aim.aim for aim in report.aims), "Route-To-Reason was not asked for"


def _left_out(route: str, best_in: tuple[str, ...], chosen: float, gain: float) -> LeftOutRow:
    return LeftOutRow(
        route=route,
        outcomes=20,
        best_in=best_in,
        best_on=24 * len(best_in),
        chosen=chosen,
        others=100,
        elsewhere=0.4,
        gain=gain,
        gain_ci95=(gain - 0.05, gain + 0.05),
    )


def test_a_strategy_that_was_added_is_judged_where_one_is_best() -> None:
    nowhere = _left_out("cot(large)", (), 0.0, -0.1)
    found = left_out_aim([nowhere, _left_out("program(large)", ("lcm", "products"), 0.9, 0.2)])
    assert found.reached and "program(large) on 90% of 48 questions of lcm, products" in found.measured
    assert "cot" not in found.measured
    assert not left_out_aim([nowhere]).reached
    assert not left_out_aim([_left_out("program(large)", ("lcm",), 0.9, 0.04)]).reached
    assert not left_out_aim([_left_out("program(large)", ("lcm",), 0.45, 0.2)]).reached


async def test_families_that_one_strategy_is_best_at_are_added_to_what_a_new_one_is_tried_on_and_to_nothing_else() -> (
    None
):
    outcomes = made_up(64, direct=True)
    computed = made_up(30, direct=True, family=COMPUTED[0], wording="How many bits have {0} and {1}?")
    settings, embedder = load_settings(environment={}), WordEmbedder()
    without = await routing_data(outcomes, _ROUTES, settings, embedder)
    data = await routing_data([*outcomes, *computed], _ROUTES, settings, embedder)
    assert data.learning.digest() == without.learning.digest() and data.table.ids == without.table.ids
    assert Counter(data.wide.families) == {"made-up": 64, COMPUTED[0]: 30}
    own = [data.wide.ids.index(id) for id in data.table.ids]
    np.testing.assert_allclose(data.wide.cost[own], data.table.cost)


async def test_one_command_reports_every_system_from_stored_outcomes(tmp_path: Path) -> None:
    store = OutcomeStore(tmp_path / "outcomes")
    store.append(made_up(64, direct=True))
    store.append(made_up(40, direct=True, family="stories", wording="Tell me of {0} and {1}."))
    lacking = made_up(30, direct=True, family="lacking")
    store.append([one for one in lacking if one.route != "cot(small)"])
    store.append(made_up(25, direct=True, family="proofwriter", wording=_DEDUCTION))
    store.append(made_up(25, direct=True, family="humaneval", wording=_FUNCTION))
    options = Options(
        tmp_path / "outcomes", tmp_path, data=None, seed=0, draws=50, risk=0.1, routers=("length", "kNN with a guard")
    )
    settings = load_settings(environment={})
    report = await Bench(options, settings, Console(quiet=True)).run()
    assert report.families == {"made-up": 40, "stories": 40}
    assert report.not_measured == {"lacking": ("cot(small)",)}
    stories = {row.system: row for row in report.rows if row.dataset == "stories" and row.setting in ("", "medium")}
    assert stories["ladder"].accuracy == stories["direct(large)"].accuracy and stories["ladder"].n == 40
    pooled = report.pooled
    assert {row.n for row in pooled} == {80}
    systems = {row.system for row in pooled}
    assert {"program(large)", "oracle", "ladder", "ladder by evidence", "kNN with a guard"} <= systems
    assert sum("kNN with a guard, then ladder, against the ladder alone" in aim.aim for aim in report.aims) == 3
    assert {
        "kNN with a guard, then ladder",
        "kNN with a guard, then evidence",
        "evidence after program(large)",
        "length",
    } <= systems
    assert "win rate" not in systems
    _say_what_they_took(pooled, report.rows)
    by_name = {row.system: row for row in pooled if not row.setting}
    assert by_name["cot(large)"].cost == pytest.approx(1.0)
    best = next(row for row in pooled if row.system == "oracle")
    assert all(row.accuracy <= best.accuracy for row in pooled)
    assert {row.concurrent for row in report.latency} == {1, 32}
    _say_how_it_does_elsewhere(report)
    path = write_report(report, tmp_path)
    plot(report, path.with_suffix(".png"))
    assert path.with_suffix(".png").stat().st_size > 10_000
    assert all(aim.why for aim in report.aims if not aim.reached)
