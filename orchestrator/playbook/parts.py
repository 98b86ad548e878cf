"""The parts of the playbook, built from the settings for the gateway and for the worker that learns."""

from collections.abc import Iterable
from dataclasses import dataclass

from redis.asyncio import Redis

from orchestrator.addresses import redis_url
from orchestrator.playbook.basis import pair_of, version_of
from orchestrator.playbook.entries import Entries
from orchestrator.playbook.recall import Recall
from orchestrator.playbook.records import Records
from orchestrator.playbook.topics import Topics
from orchestrator.settings import Settings
from routers.embedding import Embedder


@dataclass(frozen=True, slots=True)
class PlaybookParts:
    """``pair`` and ``version`` are those of entries made here."""

    entries: Entries
    topics: Topics
    records: Records
    recall: Recall
    pair: str
    version: str


def build_parts(settings: Settings, redis: Redis, embedder: Embedder, strategies: Iterable[str]) -> PlaybookParts:
    """``redis`` is the playbook's; ``strategies`` are the names of those that exist. Reads the prompt files."""
    options = settings.playbook
    entries = Entries(redis, embedder, bound=options.entries, days=options.days)
    topics = Topics(redis, embedder, near=options.near, akin=options.akin, days=options.days)
    pair, version = pair_of(settings), version_of(settings)
    roles = {"small": settings.named("small"), "large": settings.named("large")}
    recall = Recall(
        redis,
        embedder,
        entries,
        topics,
        options,
        models={**{name: name for name in settings.models}, **roles},
        strategies=frozenset(strategies),
        pair=pair,
        version=version,
    )
    return PlaybookParts(entries, topics, Records(redis, days=options.days), recall, pair, version)


def playbook_url(settings: Settings) -> str:
    """Where the playbook's Redis is: that of everything else unless it has one of its own."""
    return settings.playbook.url or redis_url(settings)
