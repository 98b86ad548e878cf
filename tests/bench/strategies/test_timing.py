"""How long one question takes alone, over a scripted engine that takes its time."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from bench.strategies.kept import earlier_rows
from bench.strategies.plan import Plan
from bench.strategies.timing import TIMING, Timing, plot_timing, show_timing
from tests.bench.strategies.rows import write_questions
from tests.orchestrator.conftest import settings_for
from workers.engines.scripted.script import Reply, Script
from workers.engines.scripted.server import ScriptedServer


def _plan(folder: Path, only: tuple[str, ...], dataset: str = "gsm8k_test", model: str = "small") -> Plan:
    return Plan(
        data=folder,
        cache=folder / "cache.sqlite",
        results=folder / "results",
        datasets=(dataset,),
        models=(model,),
        only=only,
        rows=2,
        samples=2,
        seeds=1,
        concurrency=4,
    )


async def test_every_strategy_writes_its_own_samples_one_question_at_a_time(
    tmp_path: Path, scripted: ScriptedServer
) -> None:
    write_questions(tmp_path, "gsm8k_test")
    scripted.script = Script(default=Reply(texts=("It is \\boxed{4}.",), delay=0.05))
    settings = settings_for(tmp_path, "", scripted.url)
    console = Console(quiet=True)
    await Timing(_plan(tmp_path, ("cot", "confidence")), settings, console).run()
    # Two questions: one answer each, then two samples each, which no cache shares.
    assert scripted.stats.requests == 2 + 4
    rows = {row.system: row for row in earlier_rows(tmp_path / "results", settings, console, TIMING)}
    assert set(rows) == {"cot(small)", "confidence(small)"}
    for row in rows.values():
        assert row.n == 2 and row.commit
        assert 0.05 <= row.extra["wait_least"] <= row.extra["wait_median"] <= row.extra["wait_most"]
    assert not (tmp_path / "cache.sqlite").exists()


async def test_pieces_of_a_timing_add_up(tmp_path: Path, scripted: ScriptedServer) -> None:
    write_questions(tmp_path, "gsm8k_test")
    scripted.script = Script(default=Reply(texts=("It is \\boxed{4}.",)))
    settings = settings_for(tmp_path, "", scripted.url)
    console = Console(quiet=True)
    first = await Timing(_plan(tmp_path, ("cot",)), settings, console).run()
    second = await Timing(_plan(tmp_path, ("plan",)), settings, console, first.rows).run()
    assert [row.system for row in second.rows] == ["cot(small)", "plan(small)"]
    assert second.rows[0] == first.rows[0]
    table = Console(record=True, width=200, file=io.StringIO())
    show_timing(second, table)
    assert "plan(small)" in table.export_text()
    path = tmp_path / "timing.png"
    plot_timing(second, path)
    assert path.stat().st_size > 5_000


@pytest.mark.parametrize("model", ["small", "large"])
async def test_auto_chooses_its_models_itself_and_is_timed_once(
    tmp_path: Path, scripted: ScriptedServer, model: str
) -> None:
    write_questions(tmp_path, "umwp")
    scripted.script = Script(default=Reply(texts=("It is \\boxed{4}.",)))
    settings = settings_for(tmp_path, "", scripted.url)
    report = await Timing(_plan(tmp_path, ("auto",), "umwp", model), settings, Console(quiet=True)).run()
    assert [row.system for row in report.rows] == (["auto(large)"] if model == "large" else [])
