"""The playbook's benchmarks: small ones over a scripted engine and the real Redis, and what streams are made of."""

import time
from pathlib import Path

import orjson
import pytest
from redis.asyncio import Redis

from bench.playbook.plot import plot
from bench.playbook.report import PlaybookReport, aims_of, kept_of, moving_of, rows_of
from bench.playbook.service import Answered, service_open
from bench.playbook.stream import SEEN, UNSEEN, Asked, build_stream
from bench.playbook_recall.guard import guard_aims, guard_rows
from bench.playbook_recall.report import aims_of as recall_aims
from bench.playbook_recall.report import rows_of as recall_rows
from bench.playbook_recall.timing import measured, playbook_of
from bench.playbook_recall.vectors import cloud
from bench.questions import NoQuestions, Question
from orchestrator.playbook.entries import Entries
from orchestrator.playbook.entry import Entry, Recipe, Worked
from orchestrator.runs import SINGLE_USER
from orchestrator.settings import Settings
from orchestrator.settings_file import load_settings
from orchestrator.settings_playbook import PlaybookSettings
from routers.embedding import WordEmbedder
from tests.orchestrator.conftest import settings_for
from tests.orchestrator.playbook.building import recipe
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer

_SUM = "Ann has 3 boxes with 4 apples each and finds {} more apples. How many apples does she have?"


def asked(number: int, correct: bool = True) -> Asked:
    answer = 12 + number if correct else 0
    question = Question(
        id=f"sums/{number}", question=_SUM.format(number), answer=str(answer), kind="math", answer_type="number"
    )
    return Asked("sums", question)


@pytest.fixture
def ready(tmp_path: Path, redis_url: str, redis: Redis, scripted: ScriptedServer) -> Settings:
    # Every way of asking gives the right answer to the question whose number of apples it says.
    numbers = range(1, 9)
    scripted.script = Script(
        replies=(
            say("read_twice: Read the question twice before you begin to count.", match="Solution:"),
            *(say(f"It is \\boxed{{{12 + n}}}.", match=f"finds {n} more") for n in numbers),
        ),
    )
    settings = settings_for(tmp_path, redis_url, scripted.url)
    options = PlaybookSettings(recall_milliseconds=5000, shadow=2, consolidate=3)
    return settings.model_copy(update={"playbook": options})


async def test_the_playbook_learns_between_questions_and_a_second_time_nothing_is_generated(
    ready: Settings, tmp_path: Path, redis_url: str, redis: Redis, scripted: ScriptedServer
) -> None:
    questions = [asked(number, correct=number != 4) for number in range(1, 7)]
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        folder.mkdir()

    async def run(folder: Path) -> tuple[list[tuple[Answered, Answered]], list[Entry], int]:
        await redis.flushdb()
        async with service_open(ready, folder, redis_url, tmp_path / "cache.sqlite") as service:
            pairs = []
            for number, question in enumerate(questions):
                without = await service.without(question)
                pairs.append((await service.with_playbook(question, learn=True, cold=number < 2), without))
            return pairs, await service.entries(), service.behind_the_scenes()[0]

    pairs, entries, behind = await run(folders[0])
    assert [without.correct for _, without in pairs] == [True, True, True, False, True, True]
    assert all(one.tokens == other.tokens for one, other in pairs[:2]), "the cold ones are answered as without"
    assert {entry.kind for entry in entries} == {"recipe", "behaviour"}
    assert any(entry.trials for entry in entries), "candidates were tried in shadow"
    assert behind > 0
    generated = scripted.stats.requests
    again, _, _ = await run(folders[1])
    assert scripted.stats.requests == generated
    assert [(one.correct, one.tokens) for one, _ in again] == [(one.correct, one.tokens) for one, _ in pairs]


async def test_a_promoted_recipe_answers_for_a_fifth_and_the_report_says_so(
    ready: Settings, tmp_path: Path, redis_url: str, redis: Redis
) -> None:
    async with service_open(ready, tmp_path, redis_url, tmp_path / "cache.sqlite") as service:
        for number in range(1, 7):
            await service.with_playbook(asked(number), learn=True, cold=True)
        recipes = [entry for entry in await service.entries() if entry.kind == "recipe"]
        known = next(entry for entry in recipes if not entry.topic.startswith("any-"))
        promoted = {"status": "promoted", "wins": 20.0, "trials": 20, "cost": 100.0, "pinned": True}
        promoted |= {"name": "cot(small)", "recipe": Recipe(strategy="cot", models=("small",))}
        await Entries(redis, WordEmbedder()).put(known.model_copy(update=promoted))
        pairs = []
        for number in range(7, 9):
            without = await service.without(asked(number))
            pairs.append((await service.with_playbook(asked(number), learn=False), without))
        entries = await service.entries()
    assert all(one.recipes and one.route == "cot(small)" for one, _ in pairs)
    assert all(one.cost < other.cost for one, other in pairs)
    rows = rows_of("last third", pairs)
    assert [(row.system, row.dataset, row.used) for row in rows[:2]] == [
        ("without playbook", "all", 0.0),
        ("with playbook", "all", 1.0),
    ]
    aims = aims_of(pairs, pairs, [])
    assert "n = 4" in aims[1].measured
    moving = moving_of(pairs)
    assert [point.at for point in moving] == [1, 2] * 2
    report = PlaybookReport(
        bench="playbook",
        models=[],
        rows=rows,
        moving=moving,
        entries=kept_of(entries, [asked(number) for number in range(1, 7)]),
        cold=1,
        settings=ready.playbook,
        behind_the_scenes={"tokens": 0, "cost": 0.0},
        aims=aims,
    )
    assert PlaybookReport.model_validate_json(report.model_dump_json()).settings.shadow == 2, "trials a question got"
    plot(report, tmp_path / "playbook.png")
    assert (tmp_path / "playbook.png").stat().st_size > 1000


def test_a_stream_holds_back_questions_of_its_families_and_keeps_others_out(tmp_path: Path) -> None:
    for name in {family.dataset for family in (*SEEN, *UNSEEN) if family.dataset}:
        subtasks = [f.subtask for f in (*SEEN, *UNSEEN) if f.dataset == name]
        lines = [
            orjson.dumps(
                {"id": f"{name}/{subtask}/{n}", "question": "?", "answer": "1", "kind": "x", "answer_type": "number"}
                | ({"subtask": subtask} if subtask else {})
            )
            for subtask in subtasks
            for n in range(40)
        ]
        (tmp_path / f"{name}.jsonl").write_bytes(b"\n".join(lines))
    stream = build_stream(tmp_path, tmp_path, 150, False, print)
    ids = [{one.question.id for one in part} for part in (stream.streamed, stream.held_back, stream.unseen)]
    assert not ids[0] & ids[1] and not (ids[0] | ids[1]) & ids[2]
    assert {one.family for one in stream.streamed} == {one.family for one in stream.held_back}
    assert not {one.family for one in stream.unseen} & {one.family for one in stream.streamed}
    short = build_stream(tmp_path, tmp_path, 6, False, print)
    assert short.streamed == stream.streamed[:6]
    assert len(short.unseen) < len(stream.unseen)
    with pytest.raises(NoQuestions, match="no data set"):
        build_stream(tmp_path / "nowhere", tmp_path, 6, False, print)


async def test_recall_is_timed_and_set_beside_the_exact_scan(redis: Redis) -> None:
    playbook = playbook_of(load_settings(environment={}), redis, SINGLE_USER, cloud("clustered", 200, 10, seed=1))
    stands = [stand async for stand in measured(redis, playbook, [50, 200], print)]
    assert [stand.size for stand in stands] == [50, 200]
    rows = recall_rows("clustered", stands[-1])
    assert {row.setting for row in rows} == {"recall", "nearest", "nearest of the pair", "everything"}
    assert all(0 < row.p50 <= row.p95 <= row.p99 and row.work_p50 > 0 for row in rows)
    assert all(row.found >= 0.9 for row in rows)
    assert next(row.found for row in rows if row.system == "numpy scan") == 1.0
    assert not recall_aims(rows)[0].reached, "so few entries say nothing about a hundred thousand"


def test_the_guard_lets_nothing_planted_through() -> None:
    rows = guard_rows()
    assert all(row.promoted == 0 for row in rows if row.planted)
    assert guard_aims(rows)[0].reached
    best = next(row for row in rows if row.truth == "30 points better" and row.way == "on the same question")
    assert best.promoted == best.simulations
    assert best.median is not None and best.longest is not None and best.median <= best.longest
    in_shadow = {row.truth: row for row in rows if row.way == "recipe in shadow"}
    assert in_shadow["right in 100 %"].promoted == in_shadow["right in 98 %"].promoted == best.simulations
    assert in_shadow["right in 90 %"].planted


def test_an_entry_is_reported_with_its_family_and_without_the_questions_that_it_quotes() -> None:
    one = asked(1)
    problem = one.question.question
    shown = Recipe(strategy="program", models=("small",), examples=(Worked(problem=problem, solution="print(13)"),))
    known = {"status": "promoted", "wins": 3.0, "trials": 4, "created": time.time(), "problem": problem}
    quoting = recipe(SINGLE_USER, **known).model_copy(update={"recipe": shown})
    example = recipe(SINGLE_USER, **known).model_copy(update={"kind": "example", "recipe": None, "text": problem})
    kept = kept_of([quoting, example], [one])
    assert [(each.kind, each.family, each.status, each.trials) for each in kept] == [
        ("recipe", "sums", "promoted", 4),
        ("example", "sums", "promoted", 4),
    ]
    assert not any("Ann has" in each.model_dump_json() for each in kept)
