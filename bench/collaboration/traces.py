"""Collaborative answers of a benchmark: written once, kept as soon as they are whole."""

import hashlib
import sqlite3
import time
import uuid
from contextlib import aclosing
from pathlib import Path

import orjson
from pydantic import BaseModel, ConfigDict

from agents.prompts import render
from bench.collaboration.costs import EngineCosts
from bench.collaboration.plan import Setting
from bench.questions import Question
from workers.collaboration.policies import policy_options
from workers.collaboration.protocol import (
    Collaboration,
    CollaborationFinish,
    CollaborationRequest,
    Handover,
    Written,
)
from workers.engines.protocol import FinishReason, Sampling
from workers.messages import Message
from workers.usage import Usage

_SCHEMA = "CREATE TABLE IF NOT EXISTS trace (key TEXT PRIMARY KEY, value BLOB NOT NULL)"


class Trace(BaseModel):
    """One answer: its text, by whom its tokens are (one letter each, s or l), the grades that its steps were given in
    order, what both engines did for it, how long it took, and, where it was timed, what their tokens cost at the
    time."""

    model_config = ConfigDict(frozen=True)

    text: str
    authors: str
    handovers: int
    usage: dict[str, Usage]
    calls: dict[str, int]
    reason: FinishReason
    seconds: float
    costs: dict[str, EngineCosts] = {}
    grades: tuple[float, ...] = ()


class TraceCache:
    """A SQLite file of whole answers. One process writes it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path)
        self._connection.execute(_SCHEMA)

    def read(self, key: str) -> Trace | None:
        row = self._connection.execute("SELECT value FROM trace WHERE key = ?", (key,)).fetchone()
        return None if row is None else Trace.model_validate_json(row[0])

    def write(self, key: str, trace: Trace) -> None:
        with self._connection:
            self._connection.execute("INSERT OR REPLACE INTO trace VALUES (?, ?)", (key, trace.model_dump_json()))

    def close(self) -> None:
        self._connection.close()


class BenchPair(BaseModel):
    """Both models' names, the sha256 of their files, and what else decides an answer to the last bit: the engines'
    build and the head."""

    model_config = ConfigDict(frozen=True)

    small: str
    large: str
    small_sha256: str
    large_sha256: str
    build: str
    head: str


class TraceWriter:
    """Answers questions by a policy, or finds the answers. ``at_once``: how many of them share the engines; answers
    that were written beside more or fewer others are not found, since neither their seconds nor, to the last bit, their
    tokens need be the same."""

    def __init__(
        self,
        collaboration: Collaboration,
        cache: TraceCache,
        pair: BenchPair,
        step_tokens: int,
        at_once: int = 1,
    ) -> None:
        self._collaboration = collaboration
        self._cache = cache
        self._pair = pair
        self._sampling = Sampling(max_tokens=step_tokens, seed=0)
        self._at_once = at_once

    def found(self, question: Question, setting: Setting) -> Trace | None:
        return self._cache.read(self._key(question, setting))

    async def write(self, question: Question, setting: Setting, costs: dict[str, EngineCosts]) -> Trace:
        """``costs`` of the engines' tokens are stored with it."""
        request = CollaborationRequest(
            job=uuid.uuid4().hex,
            policy=setting.policy,
            small=self._pair.small,
            large=self._pair.large,
            messages=_messages(question),
            sampling=self._sampling,
            options=dict(setting.options),
        )
        text, authors, grades, handovers = [], [], [], 0
        finish: CollaborationFinish | None = None
        started = time.perf_counter()
        async with aclosing(self._collaboration.write(request)) as events:
            async for event in events:
                match event:
                    case Written():
                        text.append(event.text)
                        authors.append("l" if event.model == self._pair.large else "s")
                        if event.grade is not None:
                            grades.append(event.grade)
                    case Handover():
                        handovers += 1
                    case CollaborationFinish():
                        finish = event
        if finish is None:
            raise AssertionError("a collaboration ends with a finish")
        trace = Trace(
            text="".join(text),
            authors="".join(authors),
            handovers=handovers,
            usage=dict(finish.usage),
            calls=dict(finish.calls),
            reason=finish.reason,
            seconds=time.perf_counter() - started,
            costs=costs,
            grades=tuple(grades),
        )
        self._cache.write(self._key(question, setting), trace)
        return trace

    def _key(self, question: Question, setting: Setting) -> str:
        identity = {
            "pair": self._pair.model_dump(exclude={"small", "large", "head"}),
            "head": self._pair.head if setting.by_head else "",
            "policy": setting.policy,
            # With the defaults, so that a changed default is another answer.
            "options": policy_options(setting.policy, dict(setting.options)).model_dump(),
            "messages": [message.openai() for message in _messages(question)],
            "at_once": self._at_once,
            "sampling": [self._sampling.max_tokens, self._sampling.temperature, self._sampling.seed],
        }
        return hashlib.sha256(orjson.dumps(identity, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _messages(question: Question) -> tuple[Message, ...]:
    return (Message(role="user", content=render("cot", question=question.question)),)
