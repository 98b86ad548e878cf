"""One pool of samples for every strategy that votes, and the vote of as many of them as another strategy costs."""

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from agents.problem import AnswerForm
from bench.questions import Question
from bench.solving import Drawn
from routers.cost import weigh
from tools.verifiers.equality import cluster, equal
from workers.engines.protocol import Finish, Token
from workers.models.protocol import ChatModel, ChatRequest, ModelCard
from workers.usage import Usage

_SHUFFLES = 40


class Pooled:
    """Wraps a cached model. Sampled requests ask for ``top`` alternatives whatever they want, so that all strategies
    share their samples; but requests with tools, which no voter makes, and for which llama.cpp's server gives none.
    Generations side by side come token by token in turn, so that the shorter one ends first and what is cut off is cut
    where an engine would have been."""

    def __init__(self, inner: ChatModel, top: int) -> None:
        self._inner = inner
        self._top = top

    @property
    def card(self) -> ModelCard:
        return self._inner.card

    async def generate(self, request: ChatRequest) -> AsyncGenerator[Token | Finish, None]:
        if request.sampling.temperature > 0 and not request.tools:
            request = replace(request, top_logprobs=self._top)
        async with aclosing(self._inner.generate(request)) as stream:
            async for event in stream:
                # Every generation gets one turn of the event loop for each of its tokens.
                await asyncio.sleep(0)
                yield event


@dataclass(frozen=True, slots=True)
class PoolVote:
    """A sample as a vote: ``party`` numbers its answer among those to this question, None without one."""

    party: int | None
    right: bool
    cost: float


@dataclass(frozen=True, slots=True)
class Pool:
    """The samples of every question, in the order of their seeds. Costs in parameter-weighted tokens; ``usage`` and
    ``seconds`` of all samples together."""

    votes: Sequence[Sequence[PoolVote]]
    usage: Usage
    seconds: float

    @property
    def size(self) -> int:
        return min(len(votes) for votes in self.votes)

    @property
    def cost(self) -> float:
        """The mean cost of one sample."""
        return sum(vote.cost for votes in self.votes for vote in votes) / sum(len(votes) for votes in self.votes)

    def majority(self, samples: float) -> list[float]:
        """For each question how often the majority of so many samples is right, between 0 and 1, over random subsets;
        between two whole numbers of samples their mean. At least 1, at most the size of the pool."""
        samples = min(max(samples, 1.0), self.size)
        below = int(samples)
        share = samples - below
        lower = [_majority(votes, below) for votes in self.votes]
        if not share:
            return lower
        upper = [_majority(votes, below + 1) for votes in self.votes]
        return [low + share * (high - low) for low, high in zip(lower, upper, strict=True)]


def _majority(votes: Sequence[PoolVote], count: int) -> float:
    shuffled = random.Random(0)  # the same subsets in every run
    right = 0
    for _ in range(_SHUFFLES):
        chosen = shuffled.sample(votes, count)
        tally: dict[int, list[PoolVote]] = {}
        for vote in chosen:
            if vote.party is not None:
                tally.setdefault(vote.party, []).append(vote)
        # Of equal numbers the answer that was seen first.
        leading = max(tally.values(), key=len, default=[])
        right += bool(leading) and leading[0].right
    return right / _SHUFFLES


def pool_of(questions: Sequence[Question], drawn: Sequence[Sequence[Drawn]], parameters: float) -> Pool:
    """The samples of each question, from a model of so many billion parameters. Blocks for seconds."""
    every = [one for samples in drawn for one in samples]
    return Pool(
        votes=[votes_of(own, one.answer, one.form, parameters) for one, own in zip(questions, drawn, strict=True)],
        usage=sum((one.usage for one in every), Usage()),
        seconds=sum(one.seconds for one in every),
    )


def votes_of(drawn: Sequence[Drawn], answer: str, form: AnswerForm, parameters: float) -> list[PoolVote]:
    """The samples of one question, compared with each other and with the right answer."""
    values = [one.sample.answer.value for one in drawn]
    party: dict[int, int] = {}
    correct: dict[int, bool] = {}
    for number, members in enumerate(cluster(values, form)):
        correct[number] = equal(values[members[0]] or "", answer, form)
        party |= dict.fromkeys(members, number)
    return [
        PoolVote(
            party=party.get(index),
            right=index in party and correct[party[index]],
            cost=weigh(one.usage, parameters),
        )
        for index, one in enumerate(drawn)
    ]
