"""Recall: what the playbook knows for a question, in a few milliseconds or not at all."""

import asyncio
from collections.abc import Mapping
from typing import Protocol, cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from orchestrator.playbook.choosing import choose
from orchestrator.playbook.entries import Entries
from orchestrator.playbook.entry import KINDS, Entry, Topic, in_order
from orchestrator.playbook.entry_hash import filter_of
from orchestrator.playbook.keys import keys_of
from orchestrator.playbook.recollection import NOTHING, Asked, Recollection
from orchestrator.playbook.repertoire import fits
from orchestrator.playbook.text import masked
from orchestrator.playbook.topics import Topics
from orchestrator.playbook.vector_sets import nearest_in
from orchestrator.settings_playbook import PlaybookSettings
from routers.embedding import Embedder
from routers.route import Route

_COUNT = 100
"""Entries of a topic and kind that are known at once, demoted ones included."""
_log = structlog.get_logger(__name__)


class Recaller(Protocol):
    async def recall(self, asked: Asked) -> Recollection:
        """What the playbook gives this run. Never raises, and never waits long."""
        ...


class NoPlaybook:
    """Where the playbook is off."""

    async def recall(self, asked: Asked) -> Recollection:
        return NOTHING


class Recall:
    """``models`` maps the roles ``small`` and ``large`` to configured models, ``strategies`` are those that exist;
    ``pair`` and ``version`` as in ``Entry``."""

    def __init__(
        self,
        redis: Redis,
        embedder: Embedder,
        entries: Entries,
        topics: Topics,
        settings: PlaybookSettings,
        *,
        models: Mapping[str, str],
        strategies: frozenset[str],
        pair: str,
        version: str,
    ) -> None:
        self._redis = redis
        self._embedder = embedder
        self._entries = entries
        self._topics = topics
        self._settings = settings
        self._models = models
        self._strategies = strategies
        self._pair = pair
        self._version = version

    async def recall(self, asked: Asked) -> Recollection:
        try:
            async with asyncio.timeout(self._settings.recall_milliseconds / 1000):
                found = await self.look_up(asked)
                return found.model_copy(update={"asked": True})
        except TimeoutError:
            problem = f"it did not answer within {self._settings.recall_milliseconds:g} ms"
        except (RedisError, OSError) as error:
            problem = f"its Redis does not answer: {error}"
        # Whatever is wrong with what was learned, a question is answered without it.
        except Exception as error:  # noqa: BLE001
            _log.error("the playbook cannot be read", run=asked.run, error=type(error).__name__, exc_info=True)
            problem = f"what it knows cannot be read ({type(error).__name__}); the log of the gateway says more"
        _log.info("a run goes on without the playbook", run=asked.run, problem=problem)
        return Recollection(asked=True, problem=problem)

    async def look_up(self, asked: Asked) -> Recollection:
        """``recall`` without a limit of time. Raises ``redis.exceptions.RedisError``."""
        keys = keys_of(asked.owner)
        if not await self._redis.exists(keys.topics, keys.loose):
            return NOTHING
        found = await self._topics.find(asked.owner, asked.question, asked.form)
        topic = await self._topics.get(asked.owner, found) if found is not None else None
        if topic is None:
            return NOTHING
        entries = await self.of_topic(topic)
        if not entries:
            return NOTHING
        return choose(
            topic,
            entries,
            asked,
            self._settings,
            writers=self.writers(topic),
            pupils=self.pupils(topic),
            route_of=self.route_of,
        )

    async def of_topic(self, topic: Topic, *, every: bool = False) -> list[Entry]:
        """The topic's entries that may be used, promoted ones and candidates; or every one, whatever its status. Both
        ``in_order``."""
        if not every:
            active = await self._entries.active(topic.owner, topic.id)
            return [entry for entry in active if (entry.pair, entry.version) == (self._pair, self._version)]
        vector = (await self._embedder.embed([masked(topic.problem)]))[0]
        wanted = filter_of(topic=topic.id, pair=self._pair, version=self._version)
        keys = keys_of(topic.owner)
        found = await nearest_in(
            self._redis, [keys.vectors(kind) for kind in KINDS], vector, wanted, _COUNT, effort=_COUNT * 10
        )
        return in_order(await self._entries.some(topic.owner, [entry for of_kind in found for entry in of_kind]))

    def route_of(self, entry: Entry) -> Route | None:
        """A recipe's route on the models configured here; None where it cannot be served."""
        if entry.recipe is None or not fits(entry.recipe, self._strategies):
            return None
        names = tuple(self._models.get(model) for model in entry.recipe.models)
        if None in names:
            return None
        return Route(strategy=entry.recipe.strategy, models=cast(tuple[str, ...], names))

    def writers(self, topic: Topic) -> tuple[str, ...]:
        """Who is given behaviours: the large model, and the small one where it does badly (AdaptMI)."""
        small, large = self._models["small"], self._models["large"]
        return (small, large) if self._does_badly(topic) else (large,)

    def pupils(self, topic: Topic) -> tuple[str, ...]:
        """Who is given examples: the small model where it does badly (AdaptMI), nobody elsewhere."""
        small, large = self._models["small"], self._models["large"]
        return (small,) if self._does_badly(topic) and small != large else ()

    def _does_badly(self, topic: Topic) -> bool:
        return topic.does_badly(self._models["small"], self._settings.badly, self._settings.attempts)
