"""Yes-or-no verdicts of a model, scored by the probability of the word that it writes."""

import math

from agents.strategy import SolveContext, write
from workers.engines.protocol import Sampling
from workers.messages import Message
from workers.models.protocol import ChatModel

_AFFIRMATIVE = frozenset({"yes", "y", "true", "correct"})
_NEGATIVE = frozenset({"no", "n", "false", "incorrect"})
_VERDICT = Sampling(max_tokens=1)


async def probability_of_yes(
    context: SolveContext, model: ChatModel, prompt: str, *, purpose: str, before: tuple[Message, ...] = ()
) -> float | None:
    """How probable "yes" is as the model's first word on ``prompt``, between 0 and 1.

    From the log-probability of the one token that is written; without log-probabilities 1 or 0. None where the model
    writes neither yes nor no. Raises ``BudgetSpent``.
    """
    messages = (*before, Message(role="user", content=prompt))
    completion = await write(context, model, messages, _VERDICT, purpose=purpose)
    word = completion.text.strip().strip(".,!*\"'").lower()
    if word not in _AFFIRMATIVE | _NEGATIVE:
        return None
    logprob = completion.mean_logprob()
    # A verdict has two outcomes: what the written word leaves belongs to the other one.
    written = 1.0 if logprob is None else math.exp(min(logprob, 0.0))
    return written if word in _AFFIRMATIVE else 1.0 - written
