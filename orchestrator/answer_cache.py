"""Answers to requests that come again word for word: kept per owner, in Redis, for a bounded time."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, ValidationError
from redis.asyncio import Redis

from agents import prompts
from agents.problem import Answer
from orchestrator.event_log import now
from orchestrator.runs import RunRequest
from orchestrator.settings import AnswerCacheSettings, Settings
from routers.assessment import Assessment
from routers.policy import Accept
from routers.route import Decision

# Longer than the dashboard looks back.
_COUNTS_SECONDS = 400 * 86_400
# What decides nothing about an answer's words.
_IRRELEVANT = {"gateway", "redis", "storage", "slack", "answer_cache"}


class Kept(BaseModel):
    """An answer with what its run came to. ``run`` gave it at ``created`` (Unix seconds) for ``tokens`` completion
    tokens."""

    model_config = ConfigDict(frozen=True)

    run: str
    created: float
    tokens: int
    assessment: Assessment
    decision: Decision
    answer: Answer
    verdict: Accept


class CacheFigures(BaseModel):
    """``tokens_saved`` are the completion tokens that the hits did not have to write again."""

    answers_kept: int
    hits: int
    misses: int
    tokens_saved: int


class AnswerCache:
    """Every method raises ``RedisError`` where Redis is away; an answer from here is never worth a failed request.

    ``basis`` is everything but the request that an answer depends on: with another basis nothing of before is found.
    """

    def __init__(self, redis: Redis, settings: AnswerCacheSettings, basis: str) -> None:
        self._redis = redis
        self._settings = settings
        self._basis = basis

    async def get(self, request: RunRequest) -> Kept | None:
        """What the same request of the same owner was answered with, counted as a hit or a miss."""
        found = cast(bytes | None, await self._redis.get(self._key(request)))
        kept = None if found is None else _read(found)
        counts = _counts_key(request.owner, _today(now()))
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hincrby(counts, "misses" if kept is None else "hits", 1)
            if kept is not None:
                pipe.hincrby(counts, "tokens_saved", kept.tokens)
            pipe.expire(counts, _COUNTS_SECONDS)
            await pipe.execute()
        return kept

    async def put(self, request: RunRequest, kept: Kept) -> None:
        """Keep an answer, unless it is too long; the owner's oldest answers go where there are too many."""
        data = kept.model_dump_json().encode()
        if len(data) > self._settings.entry_bytes:
            return
        key, index, ttl = self._key(request), _index_key(request.owner), self._settings.ttl
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(key, data, ex=ttl)
            pipe.zremrangebyscore(index, "-inf", now() - ttl)
            pipe.zadd(index, {key: now()})
            pipe.expire(index, ttl)
            pipe.zrange(index, 0, -self._settings.entries - 1)
            surplus = cast(list[bytes], (await pipe.execute())[-1])
        if surplus:
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.unlink(*surplus)
                pipe.zrem(index, *surplus)
                await pipe.execute()

    async def forget(self, request: RunRequest, run: str) -> None:
        """Drop the answer to ``request`` if it is the one that ``run`` gave."""
        key = self._key(request)
        found = cast(bytes | None, await self._redis.get(key))
        kept = None if found is None else _read(found)
        if kept is not None and kept.run == run:
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.unlink(key)
                pipe.zrem(_index_key(request.owner), key)
                await pipe.execute()

    def _key(self, request: RunRequest) -> str:
        asked = request.model_dump_json(exclude={"fresh"})
        digest = hashlib.sha256(f"{self._basis}\n{asked}".encode("utf-8", "surrogatepass")).hexdigest()
        return f"tandem:answers:{request.owner}:{digest}"


class AnswerCounts:
    """What the cache did for an owner, for the dashboard."""

    def __init__(self, redis: Redis, settings: AnswerCacheSettings) -> None:
        self._redis = redis
        self._settings = settings

    async def figures(self, owner: str, days: int) -> CacheFigures:
        """Counted over the last ``days`` days (UTC). Raises ``RedisError``."""
        today = now()
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.zcount(_index_key(owner), today - self._settings.ttl, "+inf")
            for back in range(days):
                pipe.hgetall(_counts_key(owner, _today(today, back)))
            kept, *counts = await pipe.execute()
        return CacheFigures(
            answers_kept=kept,
            hits=_sum(counts, b"hits"),
            misses=_sum(counts, b"misses"),
            tokens_saved=_sum(counts, b"tokens_saved"),
        )


def _read(found: bytes) -> Kept | None:
    """None for what an earlier version of Tandem stored in another shape."""
    try:
        return Kept.model_validate_json(found)
    except ValidationError:
        return None


def basis_of(settings: Settings) -> str:
    """A digest of what answers depend on beside the request: models and their files, prompts, and the settings of
    whatever works on a request. Reads the prompts and looks at the files, so call it once, off the event loop."""
    parts = [settings.model_dump_json(exclude=_IRRELEVANT)]
    parts += [_file_state(model.engine.file) for model in settings.models.values()]
    folder = resources.files(prompts)
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".md"))
    parts += [f"{name}\n{folder.joinpath(name).read_text(encoding='utf-8')}" for name in names]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _file_state(file: str) -> str:
    """Tells a model file from another one under its name without reading gigabytes."""
    try:
        state = Path(file).expanduser().stat()
    except OSError:
        return ""
    return f"{state.st_size} {state.st_mtime_ns}"


def _index_key(owner: str) -> str:
    return f"tandem:answers:{owner}"


def _counts_key(owner: str, day: str) -> str:
    return f"tandem:answers:{owner}:counts:{day}"


def _today(moment: float, back: int = 0) -> str:
    return (datetime.fromtimestamp(moment, UTC).date() - timedelta(days=back)).isoformat()


def _sum(counts: Iterable[dict[bytes, Any]], name: bytes) -> int:
    return sum(int(day.get(name, 0)) for day in counts)
