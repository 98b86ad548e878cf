"""Topics in Redis: kinds of problems, told apart by similarity, and how the default does on each."""

import time
import uuid
from typing import cast

import numpy as np
from redis.asyncio import Redis

from agents.problem import AnswerForm
from orchestrator.playbook.entry import Entry, Kind, Topic
from orchestrator.playbook.entry_hash import filter_of
from orchestrator.playbook.keys import OWNERS, Keys, keys_of
from orchestrator.playbook.text import PROBLEM_CHARACTERS, masked, plain
from orchestrator.playbook.topic_hash import topic_from_hash
from orchestrator.playbook.vector_sets import as_bytes, nearest, nearest_in
from routers.embedding import Embedder, Vectors

_WINDOW = 50
"""A topic's vector is the mean of about so many of its latest questions."""


class Topics:
    """A question belongs to the topic whose mean question is at least ``near`` (cosine). One that is like no topic
    begins a new one together with ``alike`` earlier ones at least ``near`` to it; until then it counts for its answer
    form as a whole, as does a question that is at least ``akin`` to those that are like no topic. Any other is new.

    ``bound`` topics and as many loose questions are kept for an owner; the longest unseen go.
    """

    def __init__(
        self,
        redis: Redis,
        embedder: Embedder,
        *,
        near: float = 0.5,
        akin: float = 0.3,
        alike: int = 2,
        bound: int = 1000,
        days: float = 180,
    ) -> None:
        self._redis = redis
        self._embedder = embedder
        self._near = near
        self._akin = akin
        self._alike = alike
        self._bound = bound
        self._seconds = int(days * 86_400)

    async def find(self, owner: str, question: str, form: AnswerForm) -> str | None:
        """The id of the question's topic; None where nothing like it was seen."""
        vector = await self._vector(question)
        keys, same = keys_of(owner), filter_of(form=form)
        near, akin = await nearest_in(self._redis, [keys.topics, keys.loose], vector, same, 1)
        if near and max(near.values()) >= self._near:
            return next(iter(near))
        return whole(form) if akin and max(akin.values()) >= self._akin else None

    async def assign(self, owner: str, question: str, form: AnswerForm, found: str | None = None) -> str:
        """The topic that the question counts for from now on, begun if it is not there. ``found`` is what ``find`` said
        when it was asked: it stays with a topic of its own, while one that counted for its form may begin a topic."""
        vector = await self._vector(question)
        keys, same = keys_of(owner), filter_of(form=form)
        topic = await self._own(keys, found) or await self._near_to(keys, vector, same)
        if topic is not None:
            await self._move(keys, topic, vector)
            return topic
        alike = await nearest(self._redis, keys.loose, vector, same, self._alike)
        if len(alike) == self._alike and min(alike.values()) >= self._near:
            return await self._begin(owner, question, form, vector, list(alike))
        await self._keep(keys.loose, keys.loose_times, uuid.uuid4().hex, vector, form)
        await self._ensure(owner, whole(form), question, form)
        return whole(form)

    async def get(self, owner: str, topic: str) -> Topic | None:
        stored = cast(dict[bytes, bytes], await self._redis.hgetall(keys_of(owner).topic(topic)))
        return topic_from_hash(stored) if stored.get(b"id") else None

    async def all(self, owner: str) -> list[Topic]:
        """The owner's topics, the latest seen first, those of whole forms last."""
        keys = keys_of(owner)
        ids = [topic.decode() for topic in cast(list[bytes], await self._redis.zrevrange(keys.topic_times, 0, -1))]
        found = [await self.get(owner, topic) for topic in (*ids, *(whole(form) for form in _FORMS))]
        return [topic for topic in found if topic is not None]

    async def restore(self, entry: Entry) -> None:
        """The topic of an entry that was kept elsewhere, under the id that the entry knows."""
        keys = keys_of(entry.owner)
        await self._ensure(entry.owner, entry.topic, entry.problem, entry.form)
        ranked = cast(bytes | None, await self._redis.hget(keys.topic(entry.topic), f"candidates:{entry.kind}"))
        if int(ranked or 0) < entry.rank:
            await self._redis.hset(keys.topic(entry.topic), f"candidates:{entry.kind}", str(entry.rank))
        vector = await self._vector(entry.problem)
        if entry.topic == whole(entry.form):
            await self._keep(keys.loose, keys.loose_times, uuid.uuid4().hex, vector, entry.form)
        else:
            await self._keep(keys.topics, keys.topic_times, entry.topic, vector, entry.form)

    async def next_rank(self, owner: str, topic: str, kind: Kind) -> int:
        """The number of the topic's next candidate of that kind, from 1; each is given once."""
        return int(await self._redis.hincrby(keys_of(owner).topic(topic), f"candidates:{kind}", 1))

    async def _own(self, keys: Keys, topic: str | None) -> str | None:
        """``topic``, if it is one that has a mean question."""
        known = topic is not None and await self._redis.vset().vemb(keys.topics, topic) is not None
        return topic if known else None

    async def _near_to(self, keys: Keys, vector: Vectors, same: str) -> str | None:
        near = await nearest(self._redis, keys.topics, vector, same, 1)
        return next(iter(near)) if near and max(near.values()) >= self._near else None

    async def _begin(self, owner: str, question: str, form: AnswerForm, vector: Vectors, alike: list[str]) -> str:
        keys, topic = keys_of(owner), uuid.uuid4().hex
        mean = np.asarray(vector)
        for loose in alike:
            mean = mean + np.asarray(cast(list[float], await self._redis.vset().vemb(keys.loose, loose) or vector))
            await self._redis.vset().vrem(keys.loose, loose)
            await self._redis.zrem(keys.loose_times, loose)
        await self._ensure(owner, topic, question, form)
        await self._keep(keys.topics, keys.topic_times, topic, _unit(mean), form)
        return topic

    async def _move(self, keys: Keys, topic: str, vector: Vectors) -> None:
        """Let the topic's mean question follow this one."""
        seen = min(_WINDOW, int(float(cast(bytes | None, await self._redis.hget(keys.topic(topic), "seen")) or 0)) + 1)
        before = cast(list[float] | None, await self._redis.vset().vemb(keys.topics, topic))
        mean = np.asarray(before if before else vector) * seen + vector
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.execute_command("VADD", keys.topics, "FP32", as_bytes(_unit(mean)), topic, "NOQUANT")
            pipe.zadd(keys.topic_times, {topic: time.time()})
            await pipe.execute()

    async def _keep(self, key: str, times: str, element: str, vector: Vectors, form: AnswerForm) -> None:
        attributes = f'{{"form":"{form}"}}'
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.execute_command("VADD", key, "FP32", as_bytes(vector), element, "NOQUANT", "SETATTR", attributes)
            pipe.zadd(times, {element: time.time()})
            pipe.expire(key, self._seconds)
            pipe.expire(times, self._seconds)
            await pipe.execute()
        excess = int(await self._redis.zcard(times)) - self._bound
        if excess > 0:
            oldest = cast(list[bytes], await self._redis.zrange(times, 0, excess - 1))
            for gone in oldest:
                await self._redis.vset().vrem(key, gone.decode())
            await self._redis.zrem(times, *oldest)

    async def _ensure(self, owner: str, topic: str, question: str, form: AnswerForm) -> None:
        keys = keys_of(owner)
        begun = {"owner": owner, "form": form, "problem": plain(question, PROBLEM_CHARACTERS), "created": time.time()}
        async with self._redis.pipeline(transaction=True) as pipe:
            for field, value in {**begun, "id": topic}.items():
                pipe.hsetnx(keys.topic(topic), field, str(value))
            pipe.expire(keys.topic(topic), self._seconds)
            pipe.sadd(OWNERS, owner)
            await pipe.execute()

    async def _vector(self, question: str) -> Vectors:
        vector: Vectors = (await self._embedder.embed([masked(question)]))[0]
        return vector


_FORMS: tuple[AnswerForm, ...] = ("number", "expression", "choice", "yes-no", "code", "text")


def whole(form: AnswerForm) -> str:
    """The id of the topic of all questions with answers of a form that are like no other topic."""
    return f"any-{form}"


def _unit(vector: Vectors) -> Vectors:
    length = float(np.linalg.norm(vector))
    unit: Vectors = (np.asarray(vector) / (length or 1.0)).astype(np.float32)
    return unit
