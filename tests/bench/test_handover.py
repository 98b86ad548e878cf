"""The hand-over benchmark: its arithmetic, and a run over two scripted engines."""

import pytest

from bench.handover.report import HandoverRow, aims_of, rows_of
from bench.handover.timing import Handing, hand_over
from workers.collaboration.policy import Role
from workers.engines.llamacpp import LlamaCppEngine
from workers.engines.protocol import Engine
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer


def test_rows_hold_medians_and_what_the_delta_cost() -> None:
    handings = [Handing("small", seconds / 1000, 0.010, 0.035, 17, 250) for seconds in (30, 40, 90)]
    handings += [Handing("large", 0.020, 0.015, 0.021, 17, 251)]
    forth, back = rows_of("llamacpp", 256, 16, handings)
    assert (forth.setting, forth.n, forth.median) == ("small to large", 3, pytest.approx(40))
    assert (forth.own, forth.delta, forth.read, forth.cached) == (pytest.approx(10), pytest.approx(30), 17, 250)
    assert (back.setting, back.delta) == ("large to small", pytest.approx(5))
    assert (forth.prefill, back.prefill) == (pytest.approx(25), pytest.approx(6)), "beyond the own next token"


def _row(prefix: int, delta: float, prefill: float) -> HandoverRow:
    own = 0.01
    handings = [
        Handing(origin, delta / 1000 + own, own, prefill / 1000 + own, 17, prefix) for origin in ("small", "large")
    ]
    return rows_of("sglang", prefix, 16, handings)[0]


def test_the_aim_is_missed_where_a_hand_over_costs_more_than_reading() -> None:
    (kept,) = aims_of([_row(256, 40, 38), _row(4096, 400, 390)])
    (missed,) = aims_of([_row(256, 40, 38), _row(4096, 400, 55)])
    assert kept.reached, "reading itself may take longer behind a longer text"
    assert not missed.reached
    assert "400 against 55 at 4096" in missed.measured


async def test_models_take_turns_and_read_only_what_is_new() -> None:
    script = Script(default=say("on and on. ", endless=True))
    with ScriptedServer(script) as small, ScriptedServer(script) as large:
        engines: dict[Role, Engine] = {
            "small": LlamaCppEngine("small", small.url),
            "large": LlamaCppEngine("large", large.url),
        }
        handings = [handing async for handing in hand_over(engines, prefix=200, delta=5, times=3)]
        for engine in engines.values():
            await engine.aclose()
    assert [handing.origin for handing in handings] == ["large", "small"] * 3
    assert all(handing.seconds > 0 and handing.own > 0 and handing.prefill > 0 for handing in handings)
    assert all(handing.read <= 8 and handing.cached >= 200 for handing in handings)
