"""The composition root: builds everything from the settings and hands it to the gateway and the command line."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import aiosqlite
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from redis.asyncio import Redis

from agents.asking import EarlyAsker, SuspicionAsker, VerdictAsker, WordingAsker
from orchestrator.addresses import redis_url
from orchestrator.answer_cache import AnswerCache, basis_of
from orchestrator.collaborations import Collaborations
from orchestrator.conducting import Around, Conductor, as_it_is
from orchestrator.controller import Controller
from orchestrator.equipment import Equipment
from orchestrator.lease import RunLeases
from orchestrator.model_park import ModelPark
from orchestrator.nodes import Nodes
from orchestrator.offers import Offers
from orchestrator.outcomes.recorder import Heard, NoRecorder, OutcomeRecorder, Recorder, recording
from orchestrator.outcomes.store import OutcomeStore
from orchestrator.playbook.archived import Archived
from orchestrator.playbook.forgetting import Forgetting
from orchestrator.playbook.jobs import CeleryTeacher, NoTeacher, Teacher
from orchestrator.playbook.parts import PlaybookParts, build_parts
from orchestrator.playbook.protocol import Playbook
from orchestrator.playbook.recall import NoPlaybook, Recaller
from orchestrator.readiness import Readiness
from orchestrator.recalled_answers import RecalledAnswers
from orchestrator.router_in_service import NoRouter, RouterInService, ShelvedRouter
from orchestrator.run_execution import RunExecution
from orchestrator.run_service import RunService
from orchestrator.settings import Settings
from orchestrator.state import CHECKPOINTED
from orchestrator.storage.artifacts import ArtifactStore
from orchestrator.storage.database import Database
from orchestrator.storage.urls import database_url
from orchestrator.strategies import build_strategies
from orchestrator.threads import NoThreads, StoredThreads, Threads
from orchestrator.tracing.conductor import TracedNodes, traced
from orchestrator.tracing.exporting import Tracing
from routers.asking.card import find_asking_card
from routers.embedding import WordEmbedder
from tools.sandbox.protocol import Sandbox
from tools.sandbox.remote import CelerySandbox
from workers.celery_app import create_app
from workers.decode_lease import DecodeLease


@dataclass(frozen=True, slots=True)
class Tandem:
    """What the doors get. ``playbook``, ``forgetting`` and ``answers`` are None where this server keeps none;
    ``teacher`` is told what owners say."""

    settings: Settings
    runs: RunService
    database: Database
    redis: Redis
    equipment: Equipment
    playbook: Playbook | None = None
    answers: AnswerCache | None = None
    teacher: Teacher = field(default_factory=NoTeacher)
    forgetting: Forgetting | None = None


@asynccontextmanager
async def open_tandem(settings: Settings, tracing: Tracing | None = None) -> AsyncIterator[Tandem]:
    """Open stores and clients, take over orphaned runs, and close everything in reverse order, ``tracing`` too."""
    async with AsyncExitStack() as stack:
        if tracing is not None:
            stack.push_async_callback(tracing.aclose)
        settings.storage.directory.mkdir(parents=True, exist_ok=True)
        url = redis_url(settings)
        # With a socket timeout redis-py sends through asyncio.wait_for, which loses cancellations on Python 3.11.
        redis = Redis.from_url(url, max_connections=4096, socket_timeout=None)
        stack.push_async_callback(redis.aclose)
        database = await stack.enter_async_context(Database.open(database_url(settings.storage)))
        park = ModelPark(settings, DecodeLease(redis))
        stack.push_async_callback(park.aclose)
        celery = create_app(url)
        collaborations = Collaborations(settings, celery, redis, park.engines)
        stack.push_async_callback(collaborations.aclose)
        sandbox = CelerySandbox(celery, redis)
        strategies = tuple(build_strategies(settings))
        offers = Offers(settings, strategies)
        saver = await stack.enter_async_context(_checkpointer(settings))
        threads = StoredThreads(database)
        parts = await _playbook(settings, redis, strategies, stack) if settings.playbook.enabled else None
        recaller = NoPlaybook() if parts is None else parts.recall
        teacher: Teacher = NoTeacher() if parts is None else CeleryTeacher(celery)
        stack.push_async_callback(teacher.aclose)
        recorder = await stack.enter_async_context(_recorder(settings, database))
        router = ShelvedRouter(settings, WordEmbedder()) if settings.router.serve else NoRouter()
        controller = build_controller(settings, offers, sandbox, threads, saver, recaller, router, _around(tracing))
        answers = await _answers(settings, redis)
        conductor: Conductor = controller if answers is None else RecalledAnswers(controller, answers, threads)
        equipment = await stack.enter_async_context(Equipment(settings, database))
        if tracing is not None:
            conductor = traced(conductor, settings, tracing.tracer())
        leases = RunLeases(redis)
        execution = RunExecution(
            settings=settings,
            redis=redis,
            database=database,
            leases=leases,
            controller=conductor,
            park=park,
            offers=offers,
            equipment=equipment,
            artifacts=ArtifactStore(settings.storage.directory / "artifacts"),
            collaborations=collaborations,
            teacher=teacher,
            recorder=recorder,
        )
        runs = RunService(
            settings=settings,
            redis=redis,
            database=database,
            leases=leases,
            execution=execution,
            controller=conductor,
            park=park,
            offers=offers,
            collaborations=collaborations,
            checks=Readiness(redis, database, park, sandbox).check,
        )
        await runs.open()
        stack.push_async_callback(runs.close)
        yield Tandem(
            settings=settings,
            runs=runs,
            database=database,
            redis=redis,
            equipment=equipment,
            playbook=None if parts is None else Archived(parts.entries, database),
            answers=answers,
            teacher=Heard(teacher, recorder),
            forgetting=None if parts is None else Forgetting(parts, database),
        )


def build_controller(
    settings: Settings,
    offers: Offers,
    sandbox: Sandbox,
    threads: Threads = NoThreads(),
    checkpointer: BaseCheckpointSaver[str] | None = None,
    playbook: Recaller = NoPlaybook(),
    router: RouterInService = NoRouter(),
    around: Around = as_it_is,
) -> Controller:
    """A controller over the built-in strategies; without a checkpointer nothing survives the process."""
    nodes = Nodes(
        offers=offers,
        strategies=build_strategies(settings),
        sandbox=sandbox,
        limits=settings.sandbox,
        threads=threads,
        step_tokens=settings.auto.step_tokens,
        vote_temperature=settings.auto.temperature,
        early_askers=_early_askers(settings) if settings.auto.ask else (),
        asker=VerdictAsker(settings.auto.ask_weak, settings.auto.ask_strong) if settings.auto.ask else None,
        playbook=playbook,
        router=router,
    )
    return Controller(nodes, offers, threads, checkpointer, around)


def _early_askers(settings: Settings) -> tuple[EarlyAsker, ...]:
    """In the order in which they are heard. Raises ``CardUnreadable``."""
    card = find_asking_card(settings.auto.asking_card)
    return WordingAsker(), SuspicionAsker(card, settings.auto.ask_words)


def _around(tracing: Tracing | None) -> Around:
    return as_it_is if tracing is None else TracedNodes(tracing.tracer())


async def _playbook(
    settings: Settings, redis: Redis, strategies: Sequence[str], stack: AsyncExitStack
) -> PlaybookParts:
    """On ``redis``, or on a Redis of its own, which is then closed with the others."""
    if settings.playbook.url:
        redis = Redis.from_url(settings.playbook.url, max_connections=1024, socket_timeout=None)
        stack.push_async_callback(redis.aclose)
    return await asyncio.to_thread(build_parts, settings, redis, WordEmbedder(), strategies)


async def _answers(settings: Settings, redis: Redis) -> AnswerCache | None:
    if not settings.answer_cache.enabled:
        return None
    return AnswerCache(redis, settings.answer_cache, await asyncio.to_thread(basis_of, settings))


@asynccontextmanager
async def _recorder(settings: Settings, database: Database) -> AsyncIterator[Recorder]:
    keep = settings.outcomes.keep
    if keep == "none":
        yield NoRecorder()
        return
    store = OutcomeStore(settings.storage.directory / "outcomes")
    async with recording(OutcomeRecorder(database, store, keep)) as recorder:
        yield recorder


@asynccontextmanager
async def _checkpointer(settings: Settings) -> AsyncIterator[AsyncSqliteSaver]:
    allowed = [(kind.__module__, kind.__name__) for kind in CHECKPOINTED]
    async with aiosqlite.connect(settings.storage.directory / "checkpoints.sqlite") as connection:
        # Checkpoints are written after every node: without WAL each would wait for the disk.
        await connection.execute("PRAGMA journal_mode = WAL")
        await connection.execute("PRAGMA synchronous = NORMAL")
        saver = AsyncSqliteSaver(connection, serde=JsonPlusSerializer(allowed_msgpack_modules=allowed))
        await saver.setup()
        yield saver
