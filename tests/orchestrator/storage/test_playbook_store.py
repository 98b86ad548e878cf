"""The playbook's entries in each database."""

import uuid

import pytest

from orchestrator.storage.database import Database


@pytest.fixture
def owner() -> str:
    return uuid.uuid4().hex


async def test_an_entry_of_two_owners_is_two_entries(database: Database, owner: str) -> None:
    other = uuid.uuid4().hex
    for each in (owner, other):
        await database.save_entry(each, "1" * 32, {"owner": each}, ["run1"])
    assert await database.stored_entries(owner) == [{"owner": owner}]
    await database.remove_entries(other, ["1" * 32])
    assert await database.stored_entries(other) == []
    assert await database.taught_by("run1", other) == []
    assert await database.taught_by("run1", owner) == ["1" * 32]


async def test_runs_add_up_and_are_forgotten_one_by_one(database: Database, owner: str) -> None:
    await database.save_entry(owner, "1" * 32, {"kept": 1}, ["run1", "run2", "run1"])
    await database.save_entry(owner, "1" * 32, {"kept": 2}, ["run2", "run3"])
    await database.remove_outcomes("run2", owner)
    assert await database.outcomes_of_entries(owner) == {"1" * 32: {"run1", "run3"}}
    assert await database.stored_entries(owner) == [{"kept": 2}]
    await database.remove_entries(owner)
    assert await database.outcomes_of_entries(owner) == {}


async def test_entries_are_found_by_what_they_are_about(database: Database, owner: str) -> None:
    questions = ['What is "2" + 2?', "Wie viel ist 2 × 2?"]
    shown = {"recipe": {"examples": [{"problem": "What is 1 + 1?"}, {"problem": "What is 3 + 3?"}]}}
    await database.save_entry(owner, "f" * 32, {"problem": "Sums", **shown}, ())
    for asked in (["What is 1 + 1?"], ["What is 3 + 3?", "Sums"]):
        [about] = await database.stored_entries_about(owner, asked)
        assert about["problem"] == "Sums", "a recipe's examples too"
    for number, question in enumerate(questions):
        await database.save_entry(owner, str(number) * 32, {"problem": question}, ())
    assert await database.stored_entries_about(owner, [questions[1], "What else?"]) == [{"problem": questions[1]}]
    assert await database.stored_entries_about(owner, []) == []
    assert await database.stored_entries_about(uuid.uuid4().hex, questions) == []
