"""Topics in Redis: kinds of problems, told apart by similarity, and how the default does on each."""

import time
import uuid
from collections.abc import Collection
from typing import cast

import numpy as np
from redis.asyncio import Redis

from agents.problem import AnswerForm
from orchestrator.playbook.entry import Entry, Kind, Topic
from orchestrator.playbook.entry_hash import filter_of
from orchestrator.playbook.keys import Keys, keys_of
from orchestrator.playbook.scripts import script_of
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
        self._touch = script_of(redis, "touch")

    async def find(self, owner: str, question: str, form: AnswerForm) -> str | None:
        """The id of the question's topic; None where nothing like it was seen."""
        vector = await self._vector(question)
        keys, same = keys_of(owner), filter_of(form=form)
        near, akin = await nearest_in(self._redis, [keys.topics, keys.loose], vector, same, 1)
        if near and max(near.values()) >= self._near:
            return next(iter(near))
        return whole(form) if akin and max(akin.values()) >= self._akin else None

    async def assign(
        self, owner: str, question: str, form: AnswerForm, found: str | None = None, *, run: str | None = None
    ) -> str:
        """The topic that the question counts for from now on, begun if it is not there. ``found`` is what ``find`` said
        when it was asked: it stays with a topic of its own, while one that counted for its form may begin a topic.
        ``run`` asked it: a second time it is the same question and not another one like it."""
        vector, asked = await self._vector(question), run or uuid.uuid4().hex
        keys, same = keys_of(owner), filter_of(form=form)
        topic = await self._own(keys, found) or await self._near_to(keys, vector, same)
        if topic is not None:
            await self._move(keys, topic, vector)
        else:
            topic = await self._begun(keys, form, vector, asked)
        # Also where it was known: its hash may have expired before its place among the topics was given to another.
        await self._ensure(owner, topic, question, form)
        return topic

    async def get(self, owner: str, topic: str) -> Topic | None:
        stored = cast(dict[bytes, bytes], await self._redis.hgetall(keys_of(owner).topic(topic)))
        return topic_from_hash(stored) if stored.get(b"id") else None

    async def all(self, owner: str) -> list[Topic]:
        """The owner's topics, the latest seen first, those of whole forms last."""
        ids = await self._ids(keys_of(owner))
        found = [await self.get(owner, topic) for topic in (*ids, *(whole(form) for form in _FORMS))]
        return [topic for topic in found if topic is not None]

    async def restore(self, entry: Entry) -> None:
        """The topic of an entry that was kept elsewhere, under the id that the entry knows."""
        keys = keys_of(entry.owner)
        vector = await self._vector(entry.problem)
        if entry.topic == whole(entry.form):
            # However many entries are about it, it is one question.
            question = uuid.uuid5(uuid.NAMESPACE_OID, entry.problem).hex
            await self._keep(keys, keys.loose, keys.loose_times, question, vector, entry.form)
        else:
            await self._keep(keys, keys.topics, keys.topic_times, entry.topic, vector, entry.form)
        await self._ensure(entry.owner, entry.topic, entry.problem, entry.form)

    async def keep_rank(self, entry: Entry) -> None:
        """The entry's rank is not given again in its topic."""
        key, field = keys_of(entry.owner).topic(entry.topic), f"candidates:{entry.kind}"
        if int(cast(bytes | None, await self._redis.hget(key, field)) or 0) < entry.rank:
            await self._redis.hset(key, field, str(entry.rank))

    async def begun_with(self, owner: str, problems: Collection[str]) -> list[str]:
        """The topics whose question is one of these, as they are kept."""
        keys = keys_of(owner)
        ids = [*await self._ids(keys), *(whole(form) for form in _FORMS)]
        async with self._redis.pipeline(transaction=False) as pipe:
            for topic in ids:
                pipe.hget(keys.topic(topic), "problem")
            found = cast(list[bytes | None], await pipe.execute())
        return [topic for topic, problem in zip(ids, found, strict=True) if problem and problem.decode() in problems]

    async def reword(self, owner: str, topic: str, problem: str) -> None:
        """Another question for a topic to be known by, or with an empty one the next that it is asked; where it lies
        among the others stays."""
        key = keys_of(owner).topic(topic)
        if not problem:
            await self._redis.hdel(key, "problem")
        elif await self._redis.exists(key):
            await self._redis.hset(key, "problem", problem)

    async def forget_question(self, owner: str, run: str) -> None:
        """The question of that run no longer begins a topic together with others."""
        await self._drop_loose(keys_of(owner), run)

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

    async def _begun(self, keys: Keys, form: AnswerForm, vector: Vectors, asked: str) -> str:
        """A new topic, or that of the whole form where too few earlier questions are like this one."""
        alike = await nearest(self._redis, keys.loose, vector, filter_of(form=form), self._alike + 1)
        alike.pop(asked, None)
        others = list(alike)[: self._alike]
        if len(others) < self._alike or alike[others[-1]] < self._near:
            await self._keep(keys, keys.loose, keys.loose_times, asked, vector, form)
            return whole(form)
        mean = np.asarray(vector)
        for loose in others:
            mean = mean + np.asarray(cast(list[float], await self._redis.vset().vemb(keys.loose, loose) or vector))
        topic = uuid.uuid4().hex
        await self._keep(keys, keys.topics, keys.topic_times, topic, _unit(mean), form)
        for loose in (*others, asked):
            await self._drop_loose(keys, loose)
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

    async def _keep(self, keys: Keys, key: str, times: str, element: str, vector: Vectors, form: AnswerForm) -> None:
        attributes = f'{{"form":"{form}"}}'
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.execute_command("VADD", key, "FP32", as_bytes(vector), element, "NOQUANT", "SETATTR", attributes)
            pipe.zadd(times, {element: time.time()})
            await pipe.execute()
        excess = int(await self._redis.zcard(times)) - self._bound
        if excess > 0:
            lasting = set(cast(list[bytes], await self._redis.hvals(keys.pinned)))
            oldest = cast(list[bytes], await self._redis.zrange(times, 0, excess + len(lasting) - 1))
            for gone in [each for each in oldest if each not in lasting][:excess]:
                await self._redis.vset().vrem(key, gone.decode())
                await self._redis.zrem(times, gone)

    async def _ensure(self, owner: str, topic: str, question: str, form: AnswerForm) -> None:
        keys = keys_of(owner)
        begun = {"owner": owner, "form": form, "created": str(time.time()), "id": topic}
        problem = plain(question, PROBLEM_CHARACTERS)
        async with self._redis.pipeline(transaction=True) as pipe:
            for field, value in {**begun, **({"problem": problem} if problem else {})}.items():
                pipe.hsetnx(keys.topic(topic), field, value)
            await pipe.execute()
        await self._touch(keys=keys.renewed(topic), args=[topic, self._seconds, keys.entry("")])

    async def _ids(self, keys: Keys) -> list[str]:
        """Of the topics that have a mean question, the latest seen first."""
        return [topic.decode() for topic in cast(list[bytes], await self._redis.zrevrange(keys.topic_times, 0, -1))]

    async def _drop_loose(self, keys: Keys, asked: str) -> None:
        await self._redis.vset().vrem(keys.loose, asked)
        await self._redis.zrem(keys.loose_times, asked)

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
