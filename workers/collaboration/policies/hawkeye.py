"""``hawkeye``: the large model writes a terse plan, the small one writes the answer out from it.

Hawkeye (She et al., "Hawkeye: Efficient Reasoning with Model Collaboration", arXiv 2504.00424), in the variant that
needs no training: the plan is asked for with a prompt instead of a model tuned to be concise. The plan is no part of
the answer; its tokens are counted as the large model's.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from pydantic import Field

from workers.collaboration.policy import Call, Desk, Keep, PolicyOptions, Resources
from workers.collaboration.prompts import render
from workers.messages import Message

_TOKENS_PER_WORD = 2
_EXPAND_TOKENS = 80


class HawkeyeOptions(PolicyOptions):
    """The plan has at most ``plan_tokens`` tokens (the default is Tandem's; the paper trains for brevity instead)."""

    plan_tokens: int = Field(default=100, ge=1)


class Hawkeye:
    name = "hawkeye"
    level = "step"
    Options = HawkeyeOptions

    def __init__(self, options: HawkeyeOptions, resources: Resources) -> None:
        self._options = options

    @property
    def reserve(self) -> int:
        return self._options.plan_tokens + _EXPAND_TOKENS

    async def write(self, desk: Desk) -> AsyncGenerator[Keep, None]:
        limit = self._options.plan_tokens
        question = _question(desk.messages)
        wanted = render("hawkeye_plan", question=question, words=str(max(1, limit // _TOKENS_PER_WORD)))
        plan = await desk.note("large", _asking(desk.messages, wanted), limit)
        expand = render("hawkeye_expand", question=question, plan=plan.strip())
        await desk.brief("small", _asking(desk.messages, expand))
        async with aclosing(desk.propose("small", Call(top_logprobs=self._options.top_logprobs))) as proposals:
            async for proposal in proposals:
                yield Keep("small", (proposal,), "it follows the large model's plan")


def _last_user(messages: Sequence[Message]) -> int:
    return max((place for place, message in enumerate(messages) if message.role == "user"), default=len(messages) - 1)


def _question(messages: Sequence[Message]) -> str:
    return messages[_last_user(messages)].content


def _asking(messages: Sequence[Message], text: str) -> Sequence[Message]:
    """The conversation with another last question."""
    last = _last_user(messages)
    return (*messages[:last], messages[last].model_copy(update={"content": text}), *messages[last + 1 :])
