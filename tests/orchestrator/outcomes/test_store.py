"""The store of outcomes: nothing is lost, nothing is counted twice, nothing is half there."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agents.problem import Evidence
from orchestrator.outcomes.store import OutcomeStore, OutcomesUnreadable
from routers.outcome import Outcome
from workers.usage import Usage


def outcome(number: int, *, correct: bool = True, route: str = "program(large)", seed: int = 0) -> Outcome:
    return Outcome(
        id=f"tiny/{number}",
        question=f"What is {number} + 1? Größe „x“",
        family="tiny",
        split_key=f"tiny/{number}",
        form="number",
        route=route,
        seed=seed,
        value=str(number + 1) if correct else None,
        correct=correct,
        tokens={"large": Usage(prompt=10, completion=number), "small": Usage(prompt=1)},
        seconds=0.5,
        evidence=Evidence(program_ran=True, mean_logprob=-0.25),
        build="one",
        created=12.5,
    )


def test_what_was_appended_is_read_back_as_it_was(tmp_path: Path) -> None:
    written = [outcome(1), outcome(2, correct=False), outcome(1, seed=1)]
    store = OutcomeStore(tmp_path / "outcomes")
    assert store.read() == []
    store.append(written[:2])
    store.append(written[2:])
    store.append([])
    assert OutcomeStore(tmp_path / "outcomes").read() == written
    assert len(list((tmp_path / "outcomes").iterdir())) == 2


def test_the_last_word_on_an_attempt_replaces_the_one_before(tmp_path: Path) -> None:
    store = OutcomeStore(tmp_path)
    store.append([outcome(1), outcome(2)])
    store.append([outcome(1, correct=False)])
    assert [one.correct for one in store.read()] == [False, True]
    assert store.known() == {("tiny/1", "program(large)", 0, "one"), ("tiny/2", "program(large)", 0, "one")}


def test_many_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: OutcomeStore(tmp_path).append([outcome(number)]), range(40)))
    assert {one.id for one in OutcomeStore(tmp_path).read()} == {f"tiny/{number}" for number in range(40)}


def test_a_batch_that_was_cut_off_is_not_seen_and_a_foreign_file_is_named(tmp_path: Path) -> None:
    store = OutcomeStore(tmp_path)
    store.append([outcome(1)])
    (tmp_path / ".0000.parquet.part").write_bytes(b"PAR1 half")
    assert len(store.read()) == 1
    (tmp_path / "other.parquet").write_bytes(b"not Parquet")
    with pytest.raises(OutcomesUnreadable, match=r"other\.parquet"):
        store.read()


def test_only_the_owner_of_the_process_can_read_what_people_asked(tmp_path: Path) -> None:
    store = OutcomeStore(tmp_path)
    store.append([outcome(1)])
    (file,) = tmp_path.glob("*.parquet")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
