"""Exact speculative decoding as the lossless reference."""

import io
from dataclasses import replace

from rich.console import Console

from bench.collaboration.command import Bench, run
from bench.collaboration.plan import Setting
from bench.collaboration.timing import TimingReport, beside, efficiency_aim, show_timing, timing_rows
from tests.bench.collaboration.answers import SCRIPT, settings_of
from workers.engines.scripted.server import ScriptedServer


def _drafting(bench: Bench, draft: str) -> Bench:
    models = dict(bench.settings.models)
    engine = models["large"].engine.model_copy(update={"draft": draft})
    models["large"] = models["large"].model_copy(update={"engine": engine})
    return replace(bench, settings=bench.settings.model_copy(update={"models": models}))


def test_answers_of_an_engine_that_drafts_are_its_own(two_sets: Bench) -> None:
    assert _drafting(two_sets, "").pair == two_sets.pair
    assert _drafting(two_sets, "small").pair.build != two_sets.pair.build


def test_with_a_draft_model_the_large_one_is_timed_once_more_and_nothing_else(two_sets: Bench) -> None:
    timed = replace(two_sets, kind="collaboration-timing", policies=())
    assert timed.passes() == (timed,)
    plain, reference = _drafting(timed, "small").passes()
    assert plain == timed, "no policy is timed on an engine that drafts"
    assert reference.settings.models["large"].engine.draft == "small"
    assert [one.name for one in reference.compared()] == ["large draft=small"]
    of_a_file = _drafting(timed, "/somewhere/tiny.gguf").passes()[1]
    assert [one.name for one in of_a_file.compared()] == ["large draft=tiny.gguf"]
    untimed = _drafting(two_sets, "small")
    assert untimed.passes() == (untimed,)
    elsewhere = _drafting(replace(timed, settings=settings_of("http://127.0.0.1:9")), "small")
    assert elsewhere.passes() == (elsewhere,), "an engine that is not started here has no draft model of ours"


async def test_the_lossless_reference_stands_beside_the_large_model(two_sets: Bench) -> None:
    console = Console(file=io.StringIO(), width=200)
    with ScriptedServer(SCRIPT) as server:
        served = replace(two_sets, settings=settings_of(server.url), at_once=1, kind="collaboration-timing")
        reference = replace(_drafting(served, "small"), instead=(Setting("large", draft="small"),))
        answers = beside(await run(served, console), await run(reference, console))
    rows = timing_rows(answers)
    assert [(row.dataset, row.system, row.setting) for row in rows if row.system in ("large", "entropy")][:3] == [
        ("gsm8k_test", "large", ""),
        ("gsm8k_test", "large", "draft=small"),
        ("gsm8k_test", "entropy", "threshold=0.3"),
    ]
    drafted = [row for row in rows if row.setting == "draft=small"]
    assert [(row.dataset, row.n, row.needed, row.efficiency) for row in drafted] == [
        ("gsm8k_test", 2, None, None),
        ("other", 1, None, None),
        ("all", 3, None, None),
    ]
    assert all(row.seconds > 0 for row in drafted)
    aim = efficiency_aim(rows)
    assert "draft" not in aim.why, "a model alone is no policy"
    show_timing(TimingReport(bench="b", models=[], threads={}, rows=rows, aims=[aim]), console)
    assert "large draft=small" in console.file.getvalue()  # type: ignore[attr-defined]
