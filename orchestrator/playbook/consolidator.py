"""The consolidator and the guide: a large model looks at what a topic's runs did, and proposes what to try.

Behaviours are distilled after Metacognitive Reuse (reflect on traces, write ``name: instruction``); recipes are
proposed and memory is kept small after EGuR (guide and consolidator); examples are quoted from what was right, for the
small model where it does badly (AdaptMI), and for whole recipes. Whatever comes of it is a candidate and has to prove
itself.
"""

import time
import uuid
from collections.abc import Sequence

import numpy as np
import structlog

from orchestrator.playbook.entry import WORKED_EXAMPLES, Entry, Kind, Recipe, Topic, Worked
from orchestrator.playbook.evidence import better
from orchestrator.playbook.learner import Archive, won_of
from orchestrator.playbook.lesson import Lesson
from orchestrator.playbook.parts import PlaybookParts
from orchestrator.playbook.prompts import render
from orchestrator.playbook.proposals import behaviours_in, example_name, recipe_named, recipes_in
from orchestrator.playbook.repertoire import Repertoire
from orchestrator.playbook.text import EXAMPLE_CHARACTERS, PROBLEM_CHARACTERS, plain, plain_lines
from orchestrator.playbook.traces import Traces
from orchestrator.runs import RunRequest
from orchestrator.settings_playbook import PlaybookSettings
from orchestrator.storage.records import TaughtRun
from routers.embedding import Embedder
from tools.verifiers.programs import code_block
from workers.engines.protocol import Sampling
from workers.messages import Message
from workers.models.protocol import ChatModel, ChatRequest, complete

_TRACES = 4
_QUOTED = 10
"""Runs, the latest, of which one may become an example."""
_EXAMPLES = 3
"""Of a topic, on trial or in use. One is proposed at a time: they are tried in each other's place."""
_NEW = 3
"""Proposals of a kind at a time."""
_SAME = 0.9
"""Cosine similarity from which two instructions are one."""
_WEAK_AFTER = 20
_SMALL_PROGRAM = Recipe(strategy="program", models=("small",))
_TOKENS = 400
_log = structlog.get_logger(__name__)


class Consolidator:
    """The model is asked at most three times for a topic. ``repertoire`` is what it may propose recipes of."""

    def __init__(
        self,
        parts: PlaybookParts,
        archive: Archive,
        traces: Traces,
        embedder: Embedder,
        settings: PlaybookSettings,
        repertoire: Repertoire,
    ) -> None:
        self._parts = parts
        self._archive = archive
        self._traces = traces
        self._embedder = embedder
        self._settings = settings
        self._repertoire = repertoire

    async def seed(self, topic: Topic) -> list[Entry]:
        """Propose the recipes of the settings, in their order: the first of a topic need the least evidence."""
        recipes = [recipe_named(name, self._repertoire.names) for name in self._settings.recipes]
        return await self._propose_recipes(topic, [recipe for recipe in recipes if recipe is not None])

    async def consolidate(self, topic: Topic, runs: Sequence[TaughtRun], model: ChatModel) -> list[Entry]:
        """Merge behaviours that say the same, quote an example, compose recipes with examples and distil behaviours
        from the topic's latest ``runs``, rewrite a weak one, propose recipes; the new candidates.

        Raises what the model does; what was proposed before stays.
        """
        await self._merge(topic)
        # Before the model is asked: by the time that it answers the run may have been deleted.
        added = await self._quote(topic, runs)
        added += await self._compose(topic, runs)
        added += await self._distil(topic, runs, model)
        added += await self._rewrite(topic, model)
        return added + await self._guide(topic, model)

    async def _merge(self, topic: Topic) -> None:
        """Of behaviours that say the same the one with the most evidence is left, so that it gets the others' trials;
        those pinned stay."""
        entries = await self._parts.recall.of_topic(topic)
        behaviours = sorted((entry for entry in entries if entry.kind == "behaviour"), key=_standing, reverse=True)
        if len(behaviours) < 2:
            return
        vectors = await self._embedder.embed([entry.text for entry in behaviours])
        kept: list[int] = []
        for index, entry in enumerate(behaviours):
            same = kept and np.max(vectors[kept] @ vectors[index]) >= _SAME
            if not same or entry.pinned:
                kept.append(index)
                continue
            _log.info("the playbook has a behaviour twice", entry=entry.id, name=entry.name)
            await self._archive.keep([await self._parts.entries.set_status(topic.owner, entry.id, "demoted")])

    async def _quote(self, topic: Topic, runs: Sequence[TaughtRun]) -> list[Entry]:
        """Propose the shortest whole solution of a run that was right, where the small model would be given it."""
        known = await self._known(topic, "example")
        active = sum(entry.status in ("candidate", "promoted") for entry in known)
        if not self._parts.recall.pupils(topic) or active >= _EXAMPLES or self._room(known) < 1:
            return []
        quoted = {entry.problem for entry in known}
        worked = await self._worked(topic, [run for run in runs if _question(run) not in quoted])
        if not worked:
            return []
        shortest = worked[0]
        name = example_name(shortest.problem)
        return [await self._add(topic, "example", name, shortest.solution, problem=shortest.problem)]

    async def _compose(self, topic: Topic, runs: Sequence[TaughtRun]) -> list[Entry]:
        """Propose the default's first route, and the small model's program, with two of the shortest right solutions:
        who is shown terse ones writes tersely, and the small model may then do what it fails at alone. Each once."""
        known = await self._known(topic, "recipe")
        worked = await self._worked(topic, runs) if self._room(known) else []
        if len(worked) < WORKED_EXAMPLES:
            return []
        latest = next(run for run in reversed(runs) if _can_be_quoted(run))
        default = self._repertoire.default_of(RunRequest.model_validate(latest.request))
        shown = [entry.recipe for entry in known if entry.recipe is not None and entry.recipe.examples]
        composed = [
            recipe.model_copy(update={"examples": tuple(fitting[:WORKED_EXAMPLES])})
            for recipe in {each.name: each for each in (default, _SMALL_PROGRAM)}.values()
            if recipe.strategy in self._repertoire.names
            and not any((other.strategy, other.models) == (recipe.strategy, recipe.models) for other in shown)
            and len(fitting := [each for each in worked if _shows(recipe, each)]) >= WORKED_EXAMPLES
        ]
        return await self._propose_recipes(topic, composed)

    async def _worked(self, topic: Topic, runs: Sequence[TaughtRun]) -> list[Worked]:
        """Of the latest runs that were right the questions with whole solutions that fit, the shortest first."""
        solved = {_question(run): run for run in runs if _can_be_quoted(run)}
        found = [(question, await self._solution(run, topic)) for question, run in list(solved.items())[-_QUOTED:]]
        fitting = [(question, text) for question, text in found if 0 < len(text) <= EXAMPLE_CHARACTERS - len(question)]
        return [
            Worked(problem=question, solution=text) for question, text in sorted(fitting, key=lambda it: len(it[1]))
        ]

    async def _solution(self, run: TaughtRun, topic: Topic) -> str:
        """Whole, or at least longer than an example may be; empty where there is none."""
        return plain_lines(await self._traces.solution(run, topic.form) or "", 2 * EXAMPLE_CHARACTERS)

    async def _distil(self, topic: Topic, runs: Sequence[TaughtRun], model: ChatModel) -> list[Entry]:
        known = await self._known(topic, "behaviour")
        room = self._room(known)
        solved = [run for run in runs if _right(run)][-_TRACES:]
        if room < 1 or not solved:
            return []
        shown = [f"Problem: {_question(run)}\nSolution: {await self._traces.text(run)}" for run in solved]
        names = ", ".join(entry.name for entry in known)
        prompt = render(
            "distil",
            verdict="right",
            traces="\n\n".join(shown),
            count=str(min(_NEW, room)),
            known=f"Write none that says the same as these: {names}." if names else "",
        )
        proposed = behaviours_in(await _asked(model, prompt), min(_NEW, room))
        return await self._propose_behaviours(topic, proposed, known)

    async def _rewrite(self, topic: Topic, model: ChatModel) -> list[Entry]:
        """Put another wording in the place of the candidate with the least to show for the most trials."""
        known = await self._known(topic, "behaviour")
        weak = [
            entry
            for entry in known
            if entry.status == "candidate"
            and not entry.pinned
            and entry.evidence.compared >= _WEAK_AFTER
            and better(entry.evidence) < 0
        ]
        if not weak:
            return []
        weakest = min(weak, key=lambda entry: better(entry.evidence))
        prompt = render(
            "rewrite",
            problem=weakest.problem,
            instruction=f"{weakest.name}: {weakest.text}",
            wins=f"{weakest.wins:g}",
            trials=str(weakest.trials),
        )
        proposed = behaviours_in(await _asked(model, prompt), 1)
        await self._archive.keep([await self._parts.entries.set_status(topic.owner, weakest.id, "demoted")])
        return await self._propose_behaviours(topic, proposed, [entry for entry in known if entry is not weakest])

    async def _guide(self, topic: Topic, model: ChatModel) -> list[Entry]:
        known = await self._known(topic, "recipe")
        room = self._room(known)
        if room < 1:
            return []
        tried = {**topic.routes, **{entry.name: (entry.wins, entry.trials, entry.cost) for entry in known}}
        history = [
            f"- {route}: {wins:g} of {trials}, {cost / trials:.0f}"
            for route, (wins, trials, cost) in tried.items()
            if trials
        ]
        prompt = render(
            "guide",
            problem=topic.problem,
            history="\n".join(history) or "- nothing yet",
            strategies=", ".join(sorted(self._repertoire.names)),
            count=str(min(_NEW, room)),
        )
        proposed = recipes_in(await _asked(model, prompt), self._repertoire.names)
        thrifty = [recipe for recipe in proposed if self._repertoire.may_save(recipe)]
        return await self._propose_recipes(topic, thrifty[: min(_NEW, room)])

    async def _propose_recipes(self, topic: Topic, recipes: Sequence[Recipe]) -> list[Entry]:
        known = await self._known(topic, "recipe")
        names = {entry.recipe.name for entry in known if entry.recipe is not None}
        fresh = [recipe for recipe in recipes if recipe.name not in names][: self._room(known)]
        return [
            await self._add(topic, "recipe", recipe.name, f"{recipe.name} for problems of this kind", recipe=recipe)
            for recipe in fresh
        ]

    async def _propose_behaviours(
        self, topic: Topic, proposed: Sequence[tuple[str, str]], known: Sequence[Entry]
    ) -> list[Entry]:
        """Those that say something new; one that repeats a known entry is that entry."""
        added: list[Entry] = []
        said = [entry.text for entry in known]
        names = {entry.name for entry in known}
        for name, text in proposed:
            if name in names or await self._repeats(text, said):
                continue
            added.append(await self._add(topic, "behaviour", name, text))
            said.append(text)
            names.add(name)
        return added

    async def _repeats(self, text: str, said: Sequence[str]) -> bool:
        if not said:
            return False
        vectors = await self._embedder.embed([text, *said])
        return bool(np.max(vectors[1:] @ vectors[0]) >= _SAME)

    async def _add(
        self, topic: Topic, kind: Kind, name: str, text: str, *, recipe: Recipe | None = None, problem: str = ""
    ) -> Entry:
        """``problem`` where it is not the topic's."""
        now = time.time()
        entry = Entry(
            id=uuid.uuid4().hex,
            owner=topic.owner,
            kind=kind,
            name=name,
            text=text,
            recipe=recipe,
            problem=problem or topic.problem,
            topic=topic.id,
            form=topic.form,
            pair=self._parts.pair,
            version=self._parts.version,
            rank=await self._parts.topics.next_rank(topic.owner, topic.id, kind),
            created=now,
            used=now,
        )
        evicted = await self._parts.entries.put(entry)
        await self._archive.keep([entry])
        await self._archive.forget(topic.owner, evicted)
        return entry

    async def _known(self, topic: Topic, kind: Kind) -> list[Entry]:
        """The topic's entries of a kind, demoted and disabled ones too: what failed is not proposed again."""
        entries = await self._parts.recall.of_topic(topic, every=True)
        return [entry for entry in entries if entry.kind == kind]

    def _room(self, known: Sequence[Entry]) -> int:
        on_trial = sum(entry.status == "candidate" for entry in known)
        return max(0, self._settings.candidates - on_trial)


async def _asked(model: ChatModel, prompt: str) -> str:
    request = ChatRequest(
        (Message(role="user", content=prompt),), Sampling(max_tokens=_TOKENS, temperature=0.0), call=uuid.uuid4().hex
    )
    return (await complete(model, request)).text


def _standing(entry: Entry) -> tuple[bool, bool, int, float, int]:
    """Of entries that say the same the highest is kept: what is in use or pinned, then what was tried most."""
    evidence = entry.evidence
    return entry.status == "promoted", entry.pinned, evidence.compared, better(evidence), -entry.rank


def _can_be_quoted(run: TaughtRun) -> bool:
    """Whether it was right, and its question is all that was asked."""
    asked = sum(message.get("role") == "user" for message in run.request["messages"])
    return asked == 1 and _right(run)


def _shows(recipe: Recipe, worked: Worked) -> bool:
    """Whether the solution is of the kind that the recipe's strategy has written. A direct answer shows nobody how."""
    if recipe.strategy == "direct":
        return False
    return (code_block(worked.solution) is not None) == (recipe.strategy == "program")


def _right(run: TaughtRun) -> bool:
    """Whether it is known to have been right."""
    return won_of(run, Lesson.model_validate(run.lesson)) == 1.0


def _question(run: TaughtRun) -> str:
    messages = [message for message in run.request["messages"] if message.get("role") == "user"]
    return plain(str(messages[-1].get("content", "")) if messages else "", PROBLEM_CHARACTERS)
