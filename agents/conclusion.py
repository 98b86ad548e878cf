"""From what a model wrote to an answer: the last step of most strategies."""

from collections.abc import Sequence
from dataclasses import replace

from agents.problem import Answer, Evidence, Problem
from agents.strategy import SolveContext, write
from tools.verifiers.extract import final_answer
from workers.messages import Message
from workers.models.protocol import Completion


def ending(problem: Problem) -> str:
    """For prompts: "boxed" where the answer has to be found in the text again, else empty."""
    return "boxed" if problem.checkable else ""


def reasoned(strategy: str, problem: Problem, context: SolveContext, completion: Completion) -> Answer:
    """The answer that a derivation ends in; the text itself where nothing can be compared."""
    return Answer(
        text=completion.text.strip(),
        value=final_answer(completion.text, problem.form, problem.choices) if problem.checkable else None,
        strategy=strategy,
        model=context.writers[0],
        evidence=Evidence(mean_logprob=completion.mean_logprob()),
        finish_reason=completion.reason,
    )


async def conclude(
    strategy: str, problem: Problem, context: SolveContext, messages: Sequence[Message], *, purpose: str
) -> Answer:
    """The call that gives the answer: written straight to the reader where nothing can be compared, else as reasoning
    that ends in the answer. Raises ``BudgetSpent``."""
    if problem.checkable:
        sampling = replace(problem.sampling, max_tokens=context.step_tokens, stop=())
        completion = await write(context, context.writer(), messages, sampling, purpose=purpose)
        return reasoned(strategy, problem, context, completion)
    completion = await write(context, context.writer(), messages, problem.sampling, purpose=purpose, shown="content")
    return Answer(
        text=completion.text,
        strategy=strategy,
        model=context.writers[0],
        finish_reason=completion.reason,
        streamed=True,
    )
