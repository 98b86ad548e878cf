"""A generation cache for benchmarks: the same (model, prompt, sampling, seed) is generated once."""

import hashlib
import sqlite3
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from workers.engines.protocol import Finish, Token
from workers.models.protocol import ChatModel, ChatRequest, ModelCard
from workers.usage import Usage

_BUSY_SECONDS = 60
_SCHEMA = "CREATE TABLE IF NOT EXISTS generation (key TEXT PRIMARY KEY, value BLOB NOT NULL)"


@dataclass(frozen=True, slots=True)
class Stored:
    """A whole generation. ``seconds`` is how long it took when it was made, from the request to its last token."""

    tokens: tuple[Token, ...]
    finish: Finish
    seconds: float


class GenerationCache:
    """A SQLite file of whole generations. Benchmarks share it, and one waits while another writes; it is never used to
    serve requests."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, timeout=_BUSY_SECONDS)
        self._connection.execute(_SCHEMA)

    def read(self, key: str) -> Stored | None:
        row = self._connection.execute("SELECT value FROM generation WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        value = orjson.loads(row[0])
        tokens = tuple(
            Token(id, text, logprob, tuple((i, p) for i, p in top), tuple(*spellings))
            for id, text, logprob, top, *spellings in value["tokens"]
        )
        return Stored(tokens, Finish(value["reason"], Usage.model_validate(value["usage"])), value["seconds"])

    def write(self, key: str, tokens: list[Token], finish: Finish, seconds: float) -> None:
        value = {
            # Spellings only where there are any: they are most of a long generation's bytes.
            "tokens": [(t.id, t.text, t.logprob, t.top, *([t.spellings] if t.spellings else [])) for t in tokens],
            "reason": finish.reason,
            "usage": finish.usage.model_dump(),
            "seconds": seconds,
        }
        with self._connection:
            self._connection.execute("INSERT OR REPLACE INTO generation VALUES (?, ?)", (key, orjson.dumps(value)))

    def close(self) -> None:
        self._connection.close()


class NotGenerated(Exception):
    """The cache does not have what was asked of it, and nothing is there to write it."""


class StoredOnly:
    """A model that writes nothing: beneath ``Cached`` it leaves only what was generated before."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model

    @property
    def card(self) -> ModelCard:
        return self._model.card

    async def generate(self, request: ChatRequest) -> AsyncGenerator[Token | Finish, None]:
        raise NotGenerated(f"the cache of generations has no answer of {self.card.name!r} to this request")
        yield  # what makes this a generator


class Cached:
    """Wraps a model; ``build`` names what else decides the bits (engine version, slots, threads).

    Requests with tools, and draws without a seed, pass through uncached. The request's meter tells how long its engine
    took, whether that was now or when the generation was made.
    """

    def __init__(self, inner: ChatModel, cache: GenerationCache, build: str) -> None:
        self._inner = inner
        self._cache = cache
        self._build = build

    @property
    def card(self) -> ModelCard:
        return self._inner.card

    async def generate(self, request: ChatRequest) -> AsyncGenerator[Token | Finish, None]:
        # Draws without a seed are meant to differ; to repeat one would make a vote of samples unanimous.
        unseeded = request.sampling.temperature > 0 and request.sampling.seed is None
        key = None if request.tools or unseeded else self._key(request)
        stored = None if key is None else self._cache.read(key)
        events = self._fresh(request, key) if stored is None else _again(request, stored)
        async with aclosing(events):
            async for event in events:
                yield event

    async def _fresh(self, request: ChatRequest, key: str | None) -> AsyncGenerator[Token | Finish, None]:
        """What the model writes, kept under ``key`` once it is whole; with None it is not kept."""
        tokens: list[Token] = []
        started = time.monotonic()
        async with aclosing(self._inner.generate(request)) as stream:
            async for event in stream:
                request.meter.seconds = time.monotonic() - started
                if isinstance(event, Token):
                    # Engines that spell in any case do so for many tokens of which nobody reads it.
                    tokens.append(event if request.spelled else replace(event, spellings=()))
                elif key is not None and event.reason in ("stop", "length"):
                    self._cache.write(key, tokens, event, request.meter.seconds)
                yield event

    def _key(self, request: ChatRequest) -> str:
        sampling = request.sampling
        identity = {
            "model": self.card.digest or self.card.name,
            "build": self._build,
            "messages": [message.openai() for message in request.messages],
            "prefill": request.prefill,
            "top_logprobs": request.top_logprobs,
            # Left out where it says nothing, so that what was generated before is found.
            **({"spelled": True} if request.spelled else {}),
            "sampling": [
                sampling.max_tokens,
                sampling.temperature,
                sampling.top_p,
                sampling.top_k,
                sampling.seed,
                list(sampling.stop),
                sampling.json_schema,
            ],
        }
        return hashlib.sha256(orjson.dumps(identity, option=orjson.OPT_SORT_KEYS)).hexdigest()


async def _again(request: ChatRequest, stored: Stored) -> AsyncGenerator[Token | Finish, None]:
    """A stored generation. Whoever closes it early pays, as with an engine, for the prompt and for what was written by
    then: of the seconds the same share as of the tokens."""
    request.meter.prompt = stored.finish.usage.prompt
    for written, token in enumerate(stored.tokens, 1):
        request.meter.seconds = stored.seconds * written / len(stored.tokens)
        yield token
    request.meter.seconds = stored.seconds
    yield stored.finish
