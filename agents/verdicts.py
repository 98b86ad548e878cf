"""Yes-or-no verdicts of a model, scored by how probable it finds either word."""

import math
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from agents.strategy import SolveContext, write
from workers.engines.protocol import Finish, Sampling, Token
from workers.messages import Message
from workers.models.protocol import ChatModel, ChatRequest, ModelCard

_AFFIRMATIVE = frozenset({"yes", "y", "true", "correct"})
_NEGATIVE = frozenset({"no", "n", "false", "incorrect"})
_VERDICT = Sampling(max_tokens=1)
_ALTERNATIVES = 10


async def probability_of_yes(
    context: SolveContext, model: ChatModel, prompt: str, *, purpose: str, before: tuple[Message, ...] = ()
) -> float | None:
    """How probable "yes" is as the model's first word on ``prompt``, between 0 and 1.

    Every spelling of yes and of no among the ten likeliest first tokens counts for its word, and yes has its share of
    what both have. A model that sends no alternatives is taken at the one token that it writes, whose rest is the other
    word's; without log-probabilities at 1 or 0. None where it writes neither yes nor no. Raises ``BudgetSpent``.
    """
    messages = (*before, Message(role="user", content=prompt))
    completion = await write(context, _WithAlternatives(model), messages, _VERDICT, purpose=purpose)
    says_yes = _means_yes(completion.text)
    if says_yes is None:
        return None
    share = _share_of_yes(completion.tokens[0])
    if share is not None:
        return share
    logprob = completion.mean_logprob()
    written = 1.0 if logprob is None else math.exp(min(logprob, 0.0))
    return written if says_yes else 1.0 - written


def _share_of_yes(token: Token) -> float | None:
    """None where no spelling of either word is among the alternatives."""
    yes = no = 0.0
    for (_, logprob), spelling in zip(token.top, token.spellings, strict=False):
        means_yes, probable = _means_yes(spelling), math.exp(min(logprob, 0.0))
        yes += probable if means_yes is True else 0.0
        no += probable if means_yes is False else 0.0
    return yes / (yes + no) if yes + no > 0 else None


def _means_yes(text: str) -> bool | None:
    word = text.strip().strip(".,!*\"'").lower()
    return True if word in _AFFIRMATIVE else False if word in _NEGATIVE else None


class _WithAlternatives:
    """Wraps a model: its tokens come with their likeliest alternatives, spelled."""

    def __init__(self, inner: ChatModel) -> None:
        self._inner = inner

    @property
    def card(self) -> ModelCard:
        return self._inner.card

    async def generate(self, request: ChatRequest) -> AsyncGenerator[Token | Finish, None]:
        asked = replace(request, top_logprobs=_ALTERNATIVES, spelled=True)
        async with aclosing(self._inner.generate(asked)) as stream:
            async for event in stream:
                yield event
