"""Whole runs of the collaboration benchmark over the scripted engine."""

import io
import math
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from bench.collaboration.aims import aims_of
from bench.collaboration.command import Bench, rows_by_set, run
from bench.collaboration.costs import measure_costs
from bench.collaboration.plan import Setting, ablations, setting
from bench.collaboration.rows import outcomes_of
from bench.collaboration.timing import timing_rows
from bench.collaboration.traces import TraceCache, TraceWriter
from bench.engines import closed_after
from tests.bench.collaboration.answers import COSTS, PAIR, SCRIPT, question, settings_of
from workers.collaboration.local import LocalCollaboration
from workers.collaboration.policies import policy_options
from workers.engines.llamacpp import LlamaCppEngine
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer


async def test_answers_are_written_once_and_found_afterwards(tmp_path: Path) -> None:
    script = Script(context=2048, default=say("The answer is \\boxed{1}."))
    with ScriptedServer(script) as server:
        engines = {name: LlamaCppEngine(name, server.url) for name in ("small", "large")}
        cache = TraceCache(tmp_path / "traces.sqlite")
        writer = TraceWriter(LocalCollaboration(engines), cache, PAIR, 64)
        alone = Setting("large")
        assert writer.found(question(1), alone) is None
        written = await writer.write(question(1), alone, COSTS)
        costs = await measure_costs(engines["small"])
        cache.close()
        for engine in engines.values():
            await engine.aclose()
    assert set(written.authors) == {"l"}
    assert written.usage["large"].completion >= len(written.authors)
    assert costs.decode > 0
    assert all(math.isfinite(cost) and cost > 0 for cost in costs.read.values())
    again = TraceCache(tmp_path / "traces.sqlite")
    found = TraceWriter(LocalCollaboration({}), again, PAIR, 64)
    assert found.found(question(1), alone) == written
    assert found.found(question(2), alone) is None
    assert found.found(question(1), Setting("small")) is None
    beside_others = TraceWriter(LocalCollaboration({}), again, PAIR, 64, at_once=4)
    assert beside_others.found(question(1), alone) is None, "what was written alone says nothing of four at once"
    again.close()


async def test_the_grade_of_every_step_is_in_the_trace(tmp_path: Path) -> None:
    steps = say("So it is one.\n\nThe answer is \\boxed{1}.", continues=True)
    grade = say("8", match="quality score is")
    with ScriptedServer(Script(default=steps, replies=(grade,))) as server:
        engines = {name: LlamaCppEngine(name, server.url) for name in ("small", "large")}
        async with closed_after(engines.values()):
            with closing(TraceCache(tmp_path / "traces.sqlite")) as cache:
                writer = TraceWriter(LocalCollaboration(engines), cache, PAIR, 64)
                kept = await writer.write(question(1), setting("stepwise"), {})
                rewritten = await writer.write(question(1), setting("stepwise", threshold=9.0), {})
    assert (kept.grades, set(kept.authors)) == ((8.0, 8.0), {"s"})
    assert (rewritten.grades, set(rewritten.authors)) == ((8.0, 8.0), {"l"}), "the grade for which a step was rewritten"


async def test_a_whole_run_reports_every_policy_and_goes_on_where_it_stopped(two_sets: Bench) -> None:
    console = Console(file=io.StringIO(), width=200)
    with ScriptedServer(SCRIPT) as server:
        bench = replace(two_sets, settings=settings_of(server.url))
        answers = await run(bench, console)
        written = server.stats.tokens
        again = await run(bench, console)
        assert server.stats.tokens == written, "a second run finds every answer"
    rows = rows_by_set(bench, answers)
    assert rows_by_set(bench, again) == rows
    assert [row.dataset for row in rows] == ["gsm8k_test"] * 8 + ["other"] * 8 + ["all"] * 8
    assert {row.accuracy for row in rows} == {1.0}
    assert rows[-1].n == 3
    assert "ms to decode" not in console.file.getvalue()  # type: ignore[attr-defined]
    outcomes = {one: outcomes_of(graded, "large") for one, graded in answers["all"].items()}
    assert len(aims_of(rows[-8:], outcomes)) == 3


async def test_answers_are_timed_alone_and_the_same_questions_for_every_setting(two_sets: Bench) -> None:
    console = Console(file=io.StringIO(), width=200)
    with ScriptedServer(SCRIPT) as server:
        bench = replace(two_sets, settings=settings_of(server.url), at_once=1)
        await run(bench, console)
        untimed = server.stats.tokens
        timed = replace(bench, kind="collaboration-timing")
        answers = await run(timed, console)
        assert server.stats.tokens > untimed, "what was written without knowing a token's costs is written again"
        written = server.stats.tokens
        assert timing_rows(await run(timed, console)) == timing_rows(answers)
        assert server.stats.tokens == written, "and not a second time"
    assert "ms to decode a token" in console.file.getvalue()  # type: ignore[attr-defined]
    rows = timing_rows(answers)
    assert [(row.dataset, row.n) for row in rows] == [("gsm8k_test", 2)] * 8 + [("other", 1)] * 8 + [("all", 3)] * 8
    assert all(row.seconds > 0 and row.efficiency > 0 for row in rows)


def test_ablations_have_both_models_to_be_compared_with() -> None:
    names = [one.name for one in ablations()]
    assert names[:2] == ["small", "large"]
    assert len(set(names)) == len(names) == 10
    for one in ablations():
        policy_options(one.policy, dict(one.options))


def test_by_mean_grades_some_steps_are_kept_and_some_rewritten() -> None:
    """Of the 68 mean grades that were measured of the default pair 65 lie between these bounds."""
    thresholds = [dict(one.options)["threshold"] for one in ablations() if ("score", "average") in one.options]
    assert len(thresholds) > 1
    assert all(4.5 < float(threshold) < 6 for threshold in thresholds)
