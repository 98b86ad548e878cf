"""Outcomes of real runs: what is kept under which consent, and that what is taken back is forgotten."""

import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Literal

import pytest

from orchestrator.compose import open_tandem
from orchestrator.conversations import Conversations
from orchestrator.outcomes.recorder import Heard, OutcomeRecorder, recording
from orchestrator.outcomes.store import OutcomeStore
from orchestrator.playbook.jobs import NoTeacher
from orchestrator.runs import RunRecord, RunRequest
from orchestrator.settings import Settings
from orchestrator.settings_outcomes import OutcomeSettings
from orchestrator.storage.artifacts import ArtifactStore
from orchestrator.storage.database import Database
from orchestrator.storage.records import Feedback, Outcome, TurnSettings
from tests.orchestrator.conftest import events_of, last_of
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.ledger import LedgerSummary
from workers.messages import Message
from workers.usage import Usage

_LEDGER = LedgerSummary(tokens={"large": Usage(prompt=9, completion=20)}, calls=1, seconds=1.5, money=0.0, spent=None)
Keep = Literal["verdict", "text"]


class _Told(NoTeacher):
    def __init__(self) -> None:
        self.runs: list[str] = []

    def ended(self, run: str, owner: str) -> None:
        self.runs.append(run)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database.open(f"sqlite:///{tmp_path / 'tandem.db'}") as opened:
        yield opened


@pytest.fixture
def store(tmp_path: Path) -> OutcomeStore:
    return OutcomeStore(tmp_path / "outcomes")


async def _run(database: Database, outcome: Outcome, text: str = "What is 2 + 2?") -> str:
    run = uuid.uuid4().hex
    request = RunRequest(owner="anna", messages=(Message(role="user", content=text),))
    record = RunRecord(
        id=run, owner="anna", status="answered", request=request, created=1.0, route="program(large)", text="It is 4.",
        value="4", ledger=_LEDGER,
    )  # fmt: skip
    await database.save_run(record, outcome)
    return run


@pytest.fixture
def rated(database: Database, store: OutcomeStore) -> Callable[..., object]:
    async def rate(run: str, rating: Literal[1, -1, 0], keep: Keep = "verdict") -> None:
        if rating == 0:
            await database.remove_feedback(run, "anna")
        else:
            await database.save_feedback(run, "anna", Feedback(rating=rating))
        async with recording(OutcomeRecorder(database, store, keep)) as recorder:
            recorder.judged(run, "anna")

    return rate


_CHECKED = Outcome(strategy="program", form="number", supported=True)


async def test_feedback_makes_an_outcome_without_what_was_said(
    database: Database, store: OutcomeStore, rated: Callable[..., object]
) -> None:
    run = await _run(database, _CHECKED)
    await rated(run, -1)  # type: ignore[misc]
    (kept,) = store.read()
    assert (kept.id, kept.route, kept.form, kept.correct, kept.source) == (
        run,
        "program(large)",
        "number",
        False,
        "feedback",
    )
    assert kept.tokens == _LEDGER.tokens and kept.seconds == 1.5
    assert kept.question == "" and kept.value is None
    for file in store.folder.iterdir():
        assert b"2 + 2" not in file.read_bytes()


async def test_text_is_kept_where_the_settings_allow_it(
    database: Database, store: OutcomeStore, rated: Callable[..., object]
) -> None:
    await rated(await _run(database, _CHECKED), 1, "text")  # type: ignore[misc]
    (kept,) = store.read()
    assert kept.question == "What is 2 + 2?" and kept.value == "4" and kept.correct


async def test_a_changed_mind_replaces_the_outcome_and_one_taken_back_removes_it(
    database: Database, store: OutcomeStore, rated: Callable[..., object]
) -> None:
    run, other = await _run(database, _CHECKED), await _run(database, _CHECKED)
    await rated(other, 1)  # type: ignore[misc]
    await rated(run, 1)  # type: ignore[misc]
    await rated(run, -1)  # type: ignore[misc]
    assert {kept.id: kept.correct for kept in store.read()} == {other: True, run: False}
    await rated(run, 0)  # type: ignore[misc]
    assert [kept.id for kept in store.read()] == [other]


async def test_examples_judge_code_and_agreement_judges_nothing(database: Database, store: OutcomeStore) -> None:
    passed = await _run(database, Outcome(strategy="code", form="code", supported=True), "def f(): ...")
    agreed = await _run(database, _CHECKED)
    told = _Told()
    async with recording(OutcomeRecorder(database, store, "verdict")) as recorder:
        heard = Heard(told, recorder)
        for run in (passed, agreed, "a run that is not there"):
            heard.ended(run, "anna")
    assert [(kept.id, kept.source) for kept in store.read()] == [(passed, "examples")]
    assert told.runs == [passed, agreed, "a run that is not there"]


async def test_what_an_owner_says_of_a_real_run_is_there_when_the_gateway_has_stopped(
    settings: Settings, scripted: ScriptedServer, request_for: Callable[..., RunRequest], owner: str
) -> None:
    scripted.script = Script(default=say("It is \\boxed{4}."))
    async with open_tandem(settings) as tandem:
        run = await tandem.runs.start(request_for("What is 2 + 2?", model="cot(large)"))
        last = last_of(await events_of(tandem, run, owner))
        await tandem.database.save_feedback(run, owner, Feedback(rating=1))
        tandem.teacher.ended(run, owner)
    (kept,) = OutcomeStore(settings.storage.directory / "outcomes").read()
    assert (kept.id, kept.route, kept.correct, kept.tokens) == (run, "cot(large)", True, last.ledger.tokens)


async def test_a_deleted_conversation_takes_its_outcomes_with_it(
    settings: Settings, scripted: ScriptedServer, owner: str
) -> None:
    scripted.script = Script(default=say("It is \\boxed{4}."))
    store = OutcomeStore(settings.storage.directory / "outcomes")
    async with open_tandem(settings) as tandem:
        artifacts = ArtifactStore(settings.storage.directory / "artifacts")
        conversations = Conversations(tandem.database, tandem.runs, artifacts, tandem.teacher.ended)
        conversation = (await tandem.database.create_conversation(owner)).id
        asked = TurnSettings(model="cot(large)")
        prepared = await conversations.question(conversation, owner, None, "What is 2 + 2?", asked)
        run = await tandem.runs.start(prepared.request)
        await conversations.began(prepared, run)
        last_of(await events_of(tandem, run, owner))
        await tandem.database.save_feedback(run, owner, Feedback(rating=1))
        tandem.teacher.ended(run, owner)
    assert [kept.id for kept in store.read()] == [run]
    async with open_tandem(settings) as tandem:
        again = Conversations(tandem.database, tandem.runs, artifacts, tandem.teacher.ended)
        await again.delete(conversation, owner)
    assert store.read() == []


async def test_nothing_is_kept_without_consent(
    settings: Settings, scripted: ScriptedServer, request_for: Callable[..., RunRequest], owner: str
) -> None:
    scripted.script = Script(default=say("It is \\boxed{4}."))
    silent = settings.model_copy(update={"outcomes": OutcomeSettings(keep="none")})
    async with open_tandem(silent) as tandem:
        run = await tandem.runs.start(request_for("What is 2 + 2?", model="cot(large)"))
        await events_of(tandem, run, owner)
        await tandem.database.save_feedback(run, owner, Feedback(rating=1))
        tandem.teacher.ended(run, owner)
    assert not (settings.storage.directory / "outcomes").exists()
