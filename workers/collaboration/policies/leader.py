"""``leader``: the large model leads the first tokens of a sentence, the small one completes it.

FoReaL-Decoding ("What makes Reasoning Models Different? Follow the Reasoning Leader for Efficient Decoding", arXiv
2506.06998): the two kinds of model differ most in how a sentence begins. A stochastic gate at every sentence says
whether the large model leads it. It goes on past its lead where that has come to the final answer, to the end of the
sentence. Where sentences end is Tandem's reading: the paper does not publish its rule.
"""

import random
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from types import MappingProxyType

from pydantic import Field

from workers.collaboration.policy import Call, Desk, Keep, PolicyOptions, Resources, Role
from workers.collaboration.sentences import Sentences

_RESULT = "\\boxed"
_DOES: Mapping[Role, str] = MappingProxyType({"large": "leads", "small": "completes"})


class LeaderOptions(PolicyOptions):
    """``lead`` tokens at the start of a sentence are the large model's, with probability ``gate``, and the rest of it
    where the boxed result begins within them; the gate's draws follow from ``seed`` and the request, so that an answer
    can be repeated."""

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
        course = _Course(self._options, desk.seed)
        for written in desk.written:
            course.follow(desk.author(written), written.text)
        while True:
            role = course.writer()
            call = Call(course.left, self._options.top_logprobs)
            async with aclosing(desk.propose(role, call)) as proposals:
                async for proposal in proposals:
                    if course.writer_of(proposal.text) != role:
                        course.next_sentence()
                        break
                    course.add(proposal.text)
                    yield Keep(role, (proposal,), f"{_DOES[role]} sentence {course.number}")


class _Course:
    """Where the answer is in which sentence, and whose turn that makes it."""

    def __init__(self, options: LeaderOptions, seed: int) -> None:
        self._options = options
        self._seed = seed
        self._sentences = Sentences()
        self._concludes = False

    @property
    def number(self) -> int:
        """Of the sentence, from 1."""
        return self._sentences.index + 1

    @property
    def left(self) -> int | None:
        """How many tokens of the sentence the one whose turn it is writes at most; None: as many as it has."""
        leads = self.writer() == "large" and not self._concludes
        return self._options.lead - self._sentences.length if leads else None

    def follow(self, role: Role, text: str) -> None:
        """A token that an earlier worker showed. Where it was not its author's turn by the text, a sentence had ended
        because of what the other model would have written there, which the answer does not tell."""
        if self.writer_of(text) != role:
            self.next_sentence()
        self.add(text)

    def add(self, text: str) -> None:
        if self._sentences.begins(text):
            self.next_sentence()
        leads = self.writer() == "large"
        self._sentences.add(text)
        self._concludes = leads and _RESULT in self._sentences.text

    def next_sentence(self) -> None:
        """The sentence is over, whatever the next token looks like."""
        self._sentences.next()
        self._concludes = False

    def writer(self) -> Role:
        """Who writes on in this sentence."""
        if self._concludes:
            return "large"
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
