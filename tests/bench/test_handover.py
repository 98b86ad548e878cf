"""The hand-over benchmark: its arithmetic, and a run over two scripted engines."""

import asyncio
import gc
import io
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from rich.console import Console

from bench.engines import closed_after
from bench.handover import command
from bench.handover.command import Plan, measure, measure_sglang
from bench.handover.idle import idle_at
from bench.handover.report import HandoverReport, HandoverRow, aims_of, rows_of
from bench.handover.timing import WAYS, Handing, Idle, Way, hand_over
from tests.processes import free_port
from tests.waiting import eventually
from workers.collaboration.policy import Role
from workers.engines.errors import EngineUnavailable
from workers.engines.llamacpp import LlamaCppEngine
from workers.engines.protocol import Engine, Finish, Generation, Token
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer


def test_rows_hold_medians_and_what_the_delta_cost() -> None:
    handings = [Handing("bounded", "small", seconds / 1000, 0.010, 0.035, 17, 250) for seconds in (30, 40, 90)]
    handings += [Handing("bounded", "large", 0.020, 0.015, 0.021, 17, 251)]
    handings += [Handing("cut", "small", 0.055, 0.010, 0.035, 17, 250)]
    forth, back, cut = rows_of("llamacpp", 256, 16, handings)
    assert (forth.setting, forth.n, forth.median) == ("small to large", 3, pytest.approx(40))
    assert (forth.own, forth.delta, forth.read, forth.cached) == (pytest.approx(10), pytest.approx(30), 17, 250)
    assert (back.setting, back.delta) == ("large to small", pytest.approx(5))
    assert (forth.prefill, back.prefill) == (pytest.approx(25), pytest.approx(6)), "beyond the own next token"
    assert [row.way for row in (forth, back, cut)] == ["bounded", "bounded", "cut"]
    assert (cut.setting, cut.delta) == ("small to large", pytest.approx(45))


def _row(
    prefix: int, delta: float, prefill: float, way: Way = "bounded", around: float = 0.0, settling: float = 0.0
) -> HandoverRow:
    """Of three hand-overs, ``around`` apart."""
    own = 0.01
    handings = [
        Handing(way, "small", (delta + shift) / 1000 + own, own, prefill / 1000 + own, 17, prefix, settling / 1000)
        for shift in (-around, 0, around)
    ]
    return rows_of("sglang", prefix, 16, handings)[0]


def test_a_hand_over_may_grow_with_the_prefix_as_reading_does() -> None:
    growth, price = aims_of([_row(256, 40, 38), _row(4096, 400, 390)])
    assert growth.reached and price.reached, "reading itself takes longer behind a longer text"
    growth, price = aims_of([_row(256, 40, 38), _row(4096, 400, 55)])
    assert not growth.reached and "+360 against +17 at 4096" in growth.measured
    assert not price.reached and "400 against 55 at 4096 (missed)" in price.measured


def test_hand_overs_that_spread_further_than_the_tolerance_decide_nothing() -> None:
    growth, price = aims_of([_row(256, 40, 38), _row(4096, -345, 127, around=300)])
    assert not growth.reached and not price.reached, "they differ by more than what is to be told"
    assert "-345 against 127 at 4096 (undecided, ± " in price.measured
    assert "(undecided" in growth.measured
    _, price = aims_of([_row(256, 900, 38, around=100)])
    assert "(missed)" in price.measured, "what is beyond even so is decided"


def test_what_is_left_once_the_cut_engine_is_idle_stands_beside_what_a_cut_costs() -> None:
    settled = _row(256, 40, 38, "settled", settling=190)
    growth, price = aims_of([_row(256, 240, 38, "cut"), settled])
    assert (settled.delta, settled.settling) == (pytest.approx(40), pytest.approx(190)), "the wait is in no other"
    assert "once the cut engine is idle: small to large +2 at 256 after 190 of waiting" in price.why
    assert "settled" not in growth.aim + price.aim


def test_an_abort_that_takes_as_long_at_every_prefix_is_a_price_and_no_growth() -> None:
    growth, price = aims_of([_row(256, 240, 38, "cut"), _row(4096, 250, 55, "cut")])
    assert (growth.reached, price.reached) == (True, False)


def test_growth_is_not_to_be_told_from_one_prefix() -> None:
    growth, _ = aims_of([_row(256, 40, 38)])
    assert not growth.reached and "at one prefix only" in growth.measured


def test_turns_that_are_cut_are_judged_by_themselves() -> None:
    _, kept, _, missed = aims_of([_row(256, 40, 38), _row(256, 90, 38, "cut")])
    assert (kept.reached, missed.reached) == (True, False)
    assert missed.aim.startswith("sglang, cut:")


@dataclass
class Pair:
    small: ScriptedServer
    large: ScriptedServer

    async def hand_over(self, way: Way, kind: type[LlamaCppEngine] = LlamaCppEngine) -> list[Handing]:
        engines: dict[Role, Engine] = {"small": kind("small", self.small.url), "large": kind("large", self.large.url)}
        async with closed_after(engines.values()):
            return [handing async for handing in hand_over(engines, 200, 5, 3, way, self.idle())]

    def idle(self) -> dict[Role, Idle]:
        """Both engines are said to rest only after a while."""

        async def rest() -> None:
            await asyncio.sleep(0.05)

        return {"small": rest, "large": rest}

    @property
    def aborted(self) -> int:
        return self.small.stats.aborted + self.large.stats.aborted


@pytest.fixture
def pair() -> Iterator[Pair]:
    script = Script(default=say("on and on. ", endless=True, delay=0.01))
    with ScriptedServer(script) as small, ScriptedServer(script) as large:
        yield Pair(small, large)


# A scripted engine forgets what it wrote until it was cut, five tokens; it reads those again.
@pytest.mark.parametrize(("way", "aborts", "most"), [("bounded", 0, 8), ("cut", 6, 13), ("settled", 6, 13)])
async def test_models_take_turns_and_read_only_what_is_new(pair: Pair, way: Way, aborts: int, most: int) -> None:
    handings = await pair.hand_over(way)
    assert {handing.way for handing in handings} == {way}
    await eventually(lambda: pair.aborted == aborts)
    assert [handing.origin for handing in handings] == ["large", "small"] * 3
    assert all(handing.seconds > 0 and handing.own > 0 and handing.prefill > 0 for handing in handings)
    assert all(handing.read <= most and handing.cached >= 200 for handing in handings)
    assert all((handing.settling >= 0.05) is (way == "settled") for handing in handings)


async def test_a_turn_that_ends_before_it_is_cut_gives_no_hand_over(pair: Pair) -> None:
    pair.small.script = Script(default=say("on"))
    assert [handing.origin for handing in await pair.hand_over("cut")] == ["large"] * 3


@pytest.mark.parametrize("way", WAYS)
async def test_what_an_abort_takes_is_in_the_hand_overs_of_turns_that_are_cut(pair: Pair, way: Way) -> None:
    handings = await pair.hand_over(way, SlowToAbort)
    assert [handing.seconds >= SlowToAbort.seconds for handing in handings] == [way != "bounded"] * 6


async def test_what_was_measured_before_a_fault_is_in_the_report(pair: Pair, tmp_path: Path) -> None:
    plan = Plan(prefixes=(100, 400), turn=3, times=1, results=tmp_path)
    with pytest.raises(EngineUnavailable):
        await measured(pair, plan, GoneLater)
    report = HandoverReport.model_validate_json((tmp_path / "handover-llamacpp.json").read_bytes())
    assert {(row.prefix, row.way, row.n) for row in report.rows} == {(100, "bounded", 1), (100, "cut", 1)}
    assert report.models == [{"role": "small", "name": "scripted"}]


async def test_a_run_leaves_a_plot_beside_its_report(pair: Pair, tmp_path: Path) -> None:
    plan = Plan(prefixes=(100,), turn=3, times=1, results=tmp_path)
    await measured(pair, plan)
    assert (tmp_path / "handover-llamacpp.png").stat().st_size > 0


async def test_servers_that_are_not_there_are_named_and_nothing_stays_open(tmp_path: Path) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(EngineUnavailable, match=nobody):
        await measure_sglang([nobody, nobody], Plan((100,), 3, 1, tmp_path), Console(quiet=True))
    gc.collect()  # What was left open says so now, and a warning is an error.


async def test_an_engine_is_waited_for_until_none_of_its_slots_is_busy() -> None:
    asked = 0

    async def slots(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.json_response([{"is_processing": False}, {"is_processing": asked < 3}])

    app = web.Application()
    app.router.add_get("/slots", slots)
    async with TestServer(app) as server:
        await idle_at(str(server.make_url("/")))()
        assert asked == 3
        with pytest.raises(EngineUnavailable, match="404"):
            await idle_at(str(server.make_url("/elsewhere")))()


def test_servers_that_do_not_say_who_is_busy_are_measured_without_waiting_for_them() -> None:
    console = Console(file=io.StringIO(), width=200)
    assert command.Pair("sglang", {}, []).ways(console) == ["bounded", "cut"]
    assert "do not say" in console.file.getvalue()  # type: ignore[attr-defined]


async def measured(pair: Pair, plan: Plan, kind: type[LlamaCppEngine] = LlamaCppEngine) -> None:
    engines: dict[Role, Engine] = {"small": kind("small", pair.small.url), "large": kind("large", pair.large.url)}
    models = [{"role": "small", "name": "scripted"}]
    async with closed_after(engines.values()):
        await measure(command.Pair("llamacpp", engines, models), plan, Console(quiet=True))


class GoneLater(LlamaCppEngine):
    """Cannot be reached any more when the longer text comes."""

    async def tokenize(self, text: str) -> tuple[int, ...]:
        if text.count("Line") > 30:
            raise EngineUnavailable("the engine is gone")
        return await super().tokenize(text)


class SlowToAbort(LlamaCppEngine):
    """Waits when it is closed before its end, as SGLang's client does for the answer to its abort."""

    seconds = 1.0

    async def generate(self, generation: Generation) -> AsyncIterator[Token | Finish]:
        async for event in super().generate(generation):
            try:
                yield event
            except GeneratorExit:
                await asyncio.sleep(0 if isinstance(event, Finish) else self.seconds)
                raise
