"""``leader``: the large model leads the first tokens of a sentence, the small one completes it.

FoReaL-Decoding ("What makes Reasoning Models Different? Follow the Reasoning Leader for Efficient Decoding", arXiv
2506.06998): the two kinds of model differ most in how a sentence begins. A stochastic gate at every sentence says
whether the large model leads it. Where sentences end is Tandem's reading: the paper does not publish its rule.
"""

import random
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from types import MappingProxyType

from pydantic import Field

from workers.collaboration.policy import Call, Desk, Keep, PolicyOptions, Resources, Role
from workers.collaboration.sentences import Sentences

_DOES: Mapping[Role, str] = MappingProxyType({"large": "leads", "small": "completes"})


class LeaderOptions(PolicyOptions):
    """``lead`` tokens at the start of a sentence are the large model's, with probability ``gate``; the gate's draws
    follow from ``seed`` and the request, so that an answer can be repeated."""

    lead: int = Field(default=15, ge=1)
    gate: float = Field(default=1.0, ge=0, le=1)
    seed: int = 0


class Leader:
    name = "leader"
    level = "step"
    Options = LeaderOptions
    reserve = 0

    def __init__(self, options: LeaderOptions, resources: Resources) -> None:
        self._options = options

    async def write(self, desk: Desk) -> AsyncGenerator[Keep, None]:
        course = _Course(self._options, desk.seed, (written.text for written in desk.written))
        while True:
            role = course.writer()
            limit = self._options.lead - course.length if role == "large" else None
            call = Call(limit, self._options.top_logprobs)
            async with aclosing(desk.propose(role, call)) as proposals:
                async for proposal in proposals:
                    if course.writer_of(proposal.text) != role:
                        course.next_sentence()
                        break
                    course.add(proposal.text)
                    yield Keep(role, (proposal,), f"{_DOES[role]} sentence {course.number}")


class _Course:
    """Where the answer is in which sentence, and whose turn that makes it."""

    def __init__(self, options: LeaderOptions, seed: int, texts: Iterable[str]) -> None:
        self._options = options
        self._seed = seed
        self._sentences = Sentences()
        for text in texts:
            self.add(text)

    @property
    def number(self) -> int:
        """Of the sentence, from 1."""
        return self._sentences.index + 1

    @property
    def length(self) -> int:
        """Tokens of the sentence so far."""
        return self._sentences.length

    def add(self, text: str) -> None:
        self._sentences.add(text)

    def next_sentence(self) -> None:
        """The sentence is over, whatever the next token looks like."""
        self._sentences.next()

    def writer(self) -> Role:
        """Who writes on in this sentence."""
        return self._writer(self._sentences.index, self._sentences.length)

    def writer_of(self, text: str) -> Role:
        """Who is to write a token in the place where a model proposes ``text``."""
        if self._sentences.begins(text):
            return self._writer(self._sentences.index + 1, 0)
        return self.writer()

    def _writer(self, index: int, length: int) -> Role:
        if length >= self._options.lead:
            return "small"
        draw = random.Random(f"{self._seed}/{self._options.seed}/{index}").random()
        return "large" if draw < self._options.gate else "small"
