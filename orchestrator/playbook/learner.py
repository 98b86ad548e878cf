"""Learning from a run, once: its outcome goes to its topic and to the entries that it used or left out."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import structlog
from pydantic import BaseModel, ConfigDict

from agents.problem import AnswerForm
from orchestrator.playbook.entry import Entry, Evidence, Status
from orchestrator.playbook.evidence import Stakes, counts_everywhere, judged, randomised, together
from orchestrator.playbook.lesson import Lesson
from orchestrator.playbook.parts import PlaybookParts
from orchestrator.playbook.records import Part
from orchestrator.playbook.topic_hash import counted
from orchestrator.runs import RunRequest
from orchestrator.storage.records import TaughtRun
from routers.assessment import answer_form
from routers.cost import weigh_all
from tools.verifiers.equality import cluster

_ENDED = ("answered", "budget", "abstained")
_log = structlog.get_logger(__name__)


class Archive(Protocol):
    """Keeps entries where Redis can be filled from again."""

    async def keep(self, entries: Sequence[Entry], runs: Sequence[str] = ()) -> None:
        """As they are now; they have outcomes of these ``runs`` beside those that were said before."""
        ...

    async def forget(self, owner: str, entries: Sequence[str]) -> None:
        """Those that Redis no longer has."""
        ...


class Told(BaseModel):
    """A run as it is learned from. ``won`` is what is known of its answer, None where nothing is, and ``rated`` whether
    that is its owner's word; ``writer_won`` the same of the first attempt, by the model ``writer``. ``cost`` in
    parameter-weighted tokens."""

    model_config = ConfigDict(frozen=True)

    run: str
    owner: str
    question: str
    form: AnswerForm
    route: str
    won: float | None
    rated: bool = False
    writer: str
    writer_won: float | None
    tokens: int
    cost: float
    lesson: Lesson

    @property
    def is_settled(self) -> bool:
        """Whether it is known to have been right or wrong. An answer that no verifier supports may be either."""
        return self.won is not None and (self.won > 0 or self.rated)


class Learned(BaseModel):
    """``new`` is False where the run had taught all this before. ``changed`` are the entries promoted or demoted."""

    model_config = ConfigDict(frozen=True)

    topic: str
    new: bool
    changed: tuple[Entry, ...] = ()


class Learner:
    """``parameters`` maps models to their size in billions."""

    def __init__(self, parts: PlaybookParts, archive: Archive, stakes: Stakes, parameters: Mapping[str, float]) -> None:
        self._parts = parts
        self._archive = archive
        self._stakes = stakes
        self._parameters = parameters

    def told(self, run: TaughtRun) -> Told | None:
        """What a stored run teaches; None for one that was cancelled, failed or went to the reader as it was. May take
        tens of milliseconds of CPU time to compare answers."""
        request, lesson = RunRequest.model_validate(run.request), Lesson.model_validate(run.lesson)
        question = next((message.content for message in reversed(request.messages) if message.role == "user"), "")
        form = answer_form(question)
        if run.status not in _ENDED or form in ("text", "code") or run.ledger is None:
            return None
        won = won_of(run, lesson)
        same = lesson.first is not None and run.value is not None and len(cluster([lesson.first, run.value], form)) == 1
        return Told(
            run=run.id,
            owner=run.owner,
            question=question,
            form=form,
            route=run.route or "",
            won=won,
            rated=run.rating is not None,
            writer=lesson.writer,
            writer_won=None if won is None else float(won > 0 and same),
            tokens=sum(usage.completion for usage in run.ledger.tokens.values()),
            cost=weigh_all(run.ledger.tokens, self._parameters),
            lesson=lesson,
        )

    async def learn(self, told: Told, *, restored: bool = False) -> Learned:
        """Raises ``redis.exceptions.RedisError`` while Redis is away: nothing is half learned then. ``restored``: the
        entries have this run's outcome already, and only their topic does not."""
        topic = await self._parts.records.topic_of(told.owner, told.run)
        if topic is None:
            asked = (told.owner, told.question, told.form, told.lesson.topic)
            topic = await self._parts.topics.assign(*asked, run=told.run)
        parts = self._parts_of(told, await self._on_trial(told))
        new = await self._parts.records.add(told.owner, told.run, topic, _counts(told), parts, told.run, there=restored)
        # Though it be nothing new: the time before, Redis or the database may have gone away right after it was added.
        changed = [] if restored else await self._judge_parts(told, parts)
        return Learned(topic=topic, new=new, changed=tuple(changed))

    async def _judge_parts(self, told: Told, parts: Sequence[Part]) -> list[Entry]:
        outcomes = any(part.is_outcome for part in parts)
        return await self.judge(told.owner, [part.entry for part in parts], told.run if outcomes else None)

    async def judge(self, owner: str, entries: Sequence[str], run: str | None) -> list[Entry]:
        """Promote and demote what the evidence says of these, which have an outcome of ``run``, and of the same recipes
        in other topics, for which it counts as well; those that were."""
        changed: list[Entry] = []
        for entry in await self._parts.entries.some(owner, entries):
            same = await self._parts.entries.same(entry)
            everywhere = together(same)
            for other in same:
                after = await self._changed(other, everywhere)
                changed += [] if after is None else [after]
                if other.id == entry.id:
                    after = after or await self._parts.entries.revalue(other)
                    await self._archive.keep([after], () if run is None else (run,))
                elif after is not None:
                    await self._archive.keep([after])
        return changed

    async def _changed(self, entry: Entry, everywhere: Evidence) -> Entry | None:
        """The entry as it is once it was promoted or demoted; None where it stays what it was."""
        change = judged(entry, self._stakes, everywhere)
        if change is None:
            return None
        status: Status = "promoted" if change == "promote" else "demoted"
        after = await self._parts.entries.set_status(entry.owner, entry.id, status)
        if after.status != status:
            return None
        _log.info("the playbook changed its mind", entry=entry.id, name=entry.name, status=status)
        return after

    async def _on_trial(self, told: Told) -> Entry | None:
        """The entry that chance gave to this run or left out, as it was before its outcome."""
        trial = told.lesson.on_trial
        return None if trial is None else next(iter(await self._parts.entries.some(told.owner, [trial.entry])), None)

    def _parts_of(self, told: Told, on_trial: Entry | None) -> list[Part]:
        """One part for each entry used, though nobody knows whether it helped, and one for an entry that chance left
        out."""
        trial, won = told.lesson.on_trial, told.won
        gains = {}
        if trial is not None and trial.compared and won is not None:
            gains[trial.entry] = randomised(
                won,
                told.cost,
                used=trial.used,
                share=trial.share,
                default_rate=trial.default_rate,
                default_cost=trial.default_cost,
                stakes=self._stakes,
            )
        if won is None:
            return [Part(entry=entry) for entry in told.lesson.used]
        pooled = on_trial is not None and counts_everywhere(on_trial, self._stakes)
        used = [
            Part(entry=entry, won=won, tokens=told.tokens, cost=told.cost, gain=gains.pop(entry, None), pooled=pooled)
            for entry in told.lesson.used
        ]
        return [*used, *(Part(entry=entry, gain=gain, pooled=pooled) for entry, gain in gains.items())]


def won_of(run: TaughtRun, lesson: Lesson) -> float | None:
    """What is known of a run's answer: the owner's word, else that of the verifiers; one taken on a recipe's word says
    nothing about it."""
    if run.rating is not None:
        return float(run.rating > 0)
    if lesson.proven or run.supported is None:
        return None
    return float(run.supported)


def _counts(told: Told) -> dict[str, float]:
    """What goes to the topic: the default's figures come from runs without the playbook only."""
    counts: dict[str, float] = {"seen": 1}
    if told.won is None or told.lesson.used:
        return counts
    counts |= {"trials": 1, "wins": told.won, "tokens": told.tokens, "cost": told.cost}
    counts |= counted("route", told.route, told.won, 1, told.cost)
    if told.writer_won is not None:
        counts |= counted("writer", told.writer, told.writer_won, 1)
    return counts
