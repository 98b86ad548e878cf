"""What a process that learns works with: built from the settings once, for as long as the process lives."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from celery import Celery
from redis.asyncio import Redis

from agents.events import Event
from orchestrator.addresses import redis_url
from orchestrator.model_park import ModelPark
from orchestrator.offers import Offers
from orchestrator.playbook.archived import DatabaseArchive
from orchestrator.playbook.consolidator import Consolidator
from orchestrator.playbook.entry import Entry, Topic
from orchestrator.playbook.jobs import CONSOLIDATE, SHADOW, send
from orchestrator.playbook.learner import Learned, Learner, Told
from orchestrator.playbook.parts import PlaybookParts, build_parts, playbook_url
from orchestrator.playbook.quiet import Interrupted, Quiet
from orchestrator.playbook.repertoire import Repertoire
from orchestrator.playbook.shadow import ShadowTrials
from orchestrator.playbook.traces import Traces
from orchestrator.settings import Settings
from orchestrator.storage.database import Database
from orchestrator.storage.records import TaughtRun
from orchestrator.storage.urls import database_url
from orchestrator.strategies import build_strategies
from routers.embedding import WordEmbedder
from tools.sandbox.remote import CelerySandbox
from workers.decode_lease import DecodeLease
from workers.engines.errors import EngineError
from workers.ledger import Budget, BudgetSpent, Ledger

_BUDGET = Budget(tokens=4096, calls=4, seconds=600)
_LATEST = 50
_log = structlog.get_logger(__name__)


class Workshop:
    """The tasks of the queue ``learn``, without Celery. ``open_workshop`` makes one."""

    def __init__(
        self,
        settings: Settings,
        parts: PlaybookParts,
        database: Database,
        park: ModelPark,
        learner: Learner,
        shadows: ShadowTrials,
        consolidator: Consolidator,
        quiet: Quiet,
        celery: Celery,
    ) -> None:
        self._settings = settings
        self._options = settings.playbook
        self._parts = parts
        self._database = database
        self._park = park
        self._learner = learner
        self._shadows = shadows
        self._consolidator = consolidator
        self._quiet = quiet
        self._celery = celery

    async def learn(self, run: str, owner: str) -> Learned | None:
        """Add a run's outcome, and queue what follows from it, as often as it takes: all of it is done once. None for a
        run that teaches nothing, or that is so old that nobody knows any more what it taught."""
        taught = await self._database.taught_run(run, owner)
        if taught is not None and time.time() - taught.created > self._parts.records.remembered:
            return None
        told = None if taught is None else await asyncio.to_thread(self._learner.told, taught)
        if told is None:
            return None
        learned = await self._learner.learn(told)
        await self._database.remove_entries(owner, await self._parts.entries.sweep_again(owner))
        await self._follow_up(told, learned)
        return learned

    async def shadow(self, run: str, owner: str) -> int:
        """Look again at what a run used, then try candidates on its question and on those of earlier runs of its topic,
        while nobody else's run is under way; how many outcomes of candidates that gave."""
        taught = await self._database.taught_run(run, owner)
        told = None if taught is None else await asyncio.to_thread(self._learner.told, taught)
        topic = None if told is None else await self._topic_of(told)
        if taught is None or told is None or topic is None:
            return 0
        added = 0
        try:
            if told.lesson.proven or self._is_repeated(told):
                await self._quiet.during(self._recheck(taught, told, topic))
            async for known, of_it in self._to_try_on(taught, told, topic):
                while added < self._options.shadow and await self._quiet.during(self._one_trial(known, of_it, topic)):
                    added += 1
                if added == self._options.shadow:
                    break
        except Interrupted:
            _log.info("a trial gave way to a run", run=run)
        except (EngineError, BudgetSpent) as error:
            _log.info("a trial came to nothing", run=run, error=str(error))
        return added

    async def consolidate(self, owner: str, topic: str) -> list[Entry]:
        """Propose candidates for a topic, while no run is under way."""
        known = await self._parts.topics.get(owner, topic)
        if known is None:
            return []
        added = await self._consolidator.seed(known)
        runs = await self._runs_of(owner, topic)
        ledger = Ledger(_BUDGET)
        model = self._park.for_run(ledger, _nobody)[self._settings.named("large")]
        try:
            added += await self._quiet.during(self._consolidator.consolidate(known, runs, model))
        except Interrupted:
            _log.info("the consolidator gave way to a run", topic=topic)
        except (EngineError, BudgetSpent) as error:
            _log.info("the consolidator got no answer", topic=topic, error=str(error))
        return added

    async def _topic_of(self, told: Told) -> Topic | None:
        found = await self._parts.records.topic_of(told.owner, told.run)
        return None if found is None else await self._parts.topics.get(told.owner, found)

    async def _to_try_on(self, taught: TaughtRun, told: Told, topic: Topic) -> AsyncIterator[tuple[TaughtRun, Told]]:
        """The run, then the others of its topic, the latest first: a candidate that is new has their questions too.
        None of them after a run of which nobody knows whether it was right or wrong."""
        if not told.is_settled and not told.lesson.proven:
            return
        if not told.lesson.proven:
            yield taught, told
        for other in reversed(await self._runs_of(told.owner, topic.id)):
            known = await asyncio.to_thread(self._learner.told, other) if other.id != told.run else None
            if known is not None and known.is_settled and not known.lesson.proven:
                yield other, known

    async def _one_trial(self, taught: TaughtRun, told: Told, topic: Topic) -> bool:
        entry = await self._shadows.candidate(taught, told, topic)
        return entry is not None and await self._shadows.run(taught, told, topic, entry) is not None

    async def _recheck(self, taught: TaughtRun, told: Told, topic: Topic) -> None:
        """The recipe on whose word an answer was taken, else one of the behaviours and examples that are in use."""
        used = await self._parts.entries.some(told.owner, told.lesson.used)
        recipes = [entry for entry in used if entry.kind == "recipe"]
        in_prompts = [entry for entry in used if entry.kind != "recipe" and entry.status == "promoted"]
        looked_at = recipes if told.lesson.proven else in_prompts
        if looked_at:
            chosen = random.Random(f"{told.run} rechecked").choice(looked_at)
            await self._shadows.recheck(taught, told, topic, chosen)

    def _is_repeated(self, told: Told) -> bool:
        """Whether this is one of the runs that are repeated with and without what stood in a prompt; always the same of
        a run."""
        if told.lesson.proven or told.won is None or not told.lesson.used:
            return False
        return random.Random(f"{told.run} recheck").random() < self._options.recheck

    async def _runs_of(self, owner: str, topic: str) -> list[TaughtRun]:
        runs = await self._database.taught_runs(owner, latest=_LATEST * 4)
        mine = [run for run in runs if await self._parts.records.topic_of(owner, run.id) == topic]
        return mine[-_LATEST:]

    async def _follow_up(self, told: Told, learned: Learned) -> None:
        topic = await self._parts.topics.get(told.owner, learned.topic)
        if topic is not None and not topic.candidates.get("recipe"):
            # The settings' recipes cost nothing to propose, and what is tried sooner proves itself sooner.
            await self._consolidator.seed(topic)
        if topic is not None:
            await self._consolidate_again(topic)
        if self._options.shadow and (told.is_settled or told.lesson.proven or self._is_repeated(told)):
            await asyncio.to_thread(send, self._celery, SHADOW, told.run, told.owner)

    async def _consolidate_again(self, topic: Topic) -> None:
        """Once after so many runs of the topic, though it be a run later because the queue was away."""
        times = topic.seen // self._options.consolidate if self._options.consolidate else 0
        name = f"consolidate:{topic.id}:{times}"
        if times and await self._parts.records.topic_of(topic.owner, name) is None:
            await asyncio.to_thread(send, self._celery, CONSOLIDATE, topic.owner, topic.id)
            await self._parts.records.add(topic.owner, name, topic.id, {}, [])


@asynccontextmanager
async def open_workshop(settings: Settings, celery: Celery) -> AsyncIterator[Workshop]:
    """Open stores and clients, and close them in reverse order."""
    async with AsyncExitStack() as stack:
        # With a socket timeout redis-py sends through asyncio.wait_for, which loses cancellations on Python 3.11.
        redis = Redis.from_url(redis_url(settings), socket_timeout=None)
        stack.push_async_callback(redis.aclose)
        own = Redis.from_url(playbook_url(settings), socket_timeout=None)
        stack.push_async_callback(own.aclose)
        database = await stack.enter_async_context(Database.open(database_url(settings.storage)))
        park = ModelPark(settings, DecodeLease(redis))
        stack.push_async_callback(park.aclose)
        strategies, embedder = build_strategies(settings), WordEmbedder()
        parts = build_parts(settings, own, embedder, strategies)
        archive = DatabaseArchive(database)
        parameters = {name: model.parameters for name, model in settings.models.items()}
        learner = Learner(parts, archive, settings.playbook.guard, parameters)
        sandbox = CelerySandbox(celery, redis)
        offers = Offers(settings, tuple(strategies))
        repertoire = Repertoire(settings, strategies, offers)
        yield Workshop(
            settings,
            parts,
            database,
            park,
            learner,
            ShadowTrials(settings, parts, learner, park, offers, strategies, sandbox),
            Consolidator(parts, archive, Traces(redis), embedder, settings.playbook, repertoire),
            Quiet(redis),
            celery,
        )


async def _nobody(event: Event) -> None:
    """What a model says behind the scenes is for no one."""
