"""The latency benchmark's client and arithmetic, over a real server."""

import pytest

from bench.latency.client import Load, Timing, UnexpectedAnswer, measure
from bench.latency.report import aim_of, rows_of
from bench.latency.targets import LITELLM, REPLY, Target
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer

_LOAD = Load(clients=3, rounds=2, requests=2)


def _nothing() -> None:
    pass


def _rounds(direct: float, tandem: float, proxy: float) -> list[dict[str, list[Timing]]]:
    firsts = {"direct": direct, "tandem": tandem, f"litellm {LITELLM}": proxy}
    return [
        {name: [Timing(first + drift, first + drift)] for name, first in firsts.items()}
        for drift in (0.0, 0.01, 0.02, 0.03)
    ]


async def test_every_client_is_timed_in_every_round() -> None:
    with ScriptedServer(Script(default=say(REPLY))) as server:
        targets = (Target("direct", server.url), Target("again", server.url))
        rounds = await measure(targets, _LOAD, _nothing)
        assert server.stats.requests == 2 * (2 + 2) * 3 * 2, "two warm-ups and two rounds of both targets"
    assert [{name: len(timings) for name, timings in entry.items()} for entry in rounds] == [
        {"direct": 6, "again": 6}
    ] * 2
    assert all(0 < timing.first <= timing.total for entry in rounds for timing in entry["direct"])


async def test_times_of_a_wrong_answer_are_not_reported() -> None:
    with (
        ScriptedServer(Script(default=say("something else"))) as server,
        pytest.raises(UnexpectedAnswer, match="something else"),
    ):
        await measure((Target("direct", server.url),), _LOAD, _nothing)


def test_a_drift_that_all_share_is_not_added_by_anyone() -> None:
    rows = {row.system: row for row in rows_of(_LOAD, _rounds(0.001, 0.004, 0.011))}
    assert rows["direct"].added is None
    assert rows["tandem"].added == pytest.approx(3)
    assert rows["tandem"].added_ci95 == pytest.approx((3, 3))


@pytest.mark.parametrize(("tandem", "reached"), [(0.004, True), (0.009, False)])
def test_the_aim_is_reached_below_half_of_what_the_proxy_adds(tandem: float, reached: bool) -> None:
    assert aim_of(_LOAD, _rounds(0.001, tandem, 0.011)).reached is reached
