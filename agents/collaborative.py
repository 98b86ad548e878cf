"""Strategies in which a small and a large model write one answer together; one for every policy of who writes when."""

import uuid
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from agents.events import ContentDelta, HandedOver, Queued, ReasoningDelta, StepFinished, StepStarted
from agents.problem import Answer, Evidence, Problem, Provenance
from agents.prompts import render
from agents.strategy import Shown, SolveContext, with_question
from tools.verifiers.extract import final_answer
from workers.collaboration.batches import batches
from workers.collaboration.policies import policy_names
from workers.collaboration.protocol import CollaborationFinish, CollaborationRequest, Handover, Option, Waiting, Written
from workers.engines.errors import EngineUnavailable
from workers.engines.protocol import FinishReason, Sampling
from workers.messages import Message

# A reader sees no difference, and the trace of a long answer has a tenth of the events.
_DELTA_SECONDS = 0.05
_DELTA_TOKENS = 32


# Policies that let one model write everything: references for tests and benchmarks, and names of models.
_REFERENCES = frozenset({"small", "large"})


def collaborative_names() -> tuple[str, ...]:
    """The policies that are strategies, in alphabetical order."""
    return tuple(name for name in policy_names() if name not in _REFERENCES)


class Collaborative:
    """The strategy named after ``policy``. ``options`` are the settings' and give way to those of the request."""

    def __init__(self, policy: str, options: Mapping[str, Option]) -> None:
        self.name = policy
        self._options = dict(options)

    async def solve(self, problem: Problem, context: SolveContext) -> Answer:
        if not problem.checkable:
            page = await self._write(problem, context, problem.messages, problem.sampling, "content")
            return self._answer(context, page, text=page.text, streamed=True)
        messages = with_question(problem.messages, render("cot", question=problem.question))
        sampling = replace(problem.sampling, max_tokens=context.step_tokens, stop=())
        page = await self._write(problem, context, messages, sampling, "reasoning")
        value = final_answer(page.text, problem.form, problem.choices)
        return self._answer(context, page, text=page.text.strip(), value=value)

    async def _write(
        self,
        problem: Problem,
        context: SolveContext,
        messages: tuple[Message, ...],
        sampling: Sampling,
        shown: Shown,
    ) -> "_Page":
        if context.collaboration is None:
            raise EngineUnavailable(f"strategy {self.name!r} needs two engines to write together, and none are served")
        small, large = context.writers
        request = CollaborationRequest(
            job=uuid.uuid4().hex,
            policy=self.name,
            small=small,
            large=large,
            messages=messages,
            sampling=sampling,
            options={**self._options, **problem.options},
        )
        await context.emit(
            StepStarted(step=request.job, model="+".join(context.writers), purpose=f"write together: {self.name}")
        )
        page = _Page(request.job, shown, context)
        events = context.collaboration.write(request)
        async with aclosing(batches(events, seconds=_DELTA_SECONDS, most=_DELTA_TOKENS)) as handfuls:
            async for handful in handfuls:
                for event in handful:
                    match event:
                        case Written():
                            page.add(event)
                        case Handover():
                            await page.hand_over(event)
                        case Waiting():
                            await page.show()
                            await context.emit(Queued(model=event.waits_for, position=event.place))
                        case CollaborationFinish():
                            page.reason = event.reason
                await page.show()
        await context.emit(StepFinished(step=request.job, text=page.text, mean_logprob=page.mean_logprob))
        return page

    def _answer(
        self, context: SolveContext, page: "_Page", *, text: str, value: str | None = None, streamed: bool = False
    ) -> Answer:
        return Answer(
            text=text,
            value=value,
            strategy=self.name,
            model="+".join(context.writers),
            evidence=Evidence(mean_logprob=page.mean_logprob, provenance=page.provenance(context.writers[1])),
            finish_reason=page.reason,
            streamed=streamed,
        )


@dataclass(slots=True)
class _Page:
    """The answer so far, and what of it the reader has not been shown yet."""

    step: str
    shown: Shown
    context: SolveContext
    tokens: list[Written] = field(default_factory=list)
    reason: FinishReason = "stop"
    handovers: int = 0
    _unseen: list[Written] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(token.text for token in self.tokens)

    @property
    def mean_logprob(self) -> float | None:
        values = [token.logprob for token in self.tokens if token.logprob is not None]
        return sum(values) / len(values) if values else None

    def provenance(self, large: str) -> Provenance:
        by_large = sum(token.model == large for token in self.tokens)
        return Provenance(
            tokens=len(self.tokens),
            large_share=by_large / len(self.tokens) if self.tokens else 0.0,
            handovers=self.handovers,
        )

    def add(self, token: Written) -> None:
        self.tokens.append(token)
        self._unseen.append(token)

    async def hand_over(self, event: Handover) -> None:
        await self.show()
        self.handovers += 1
        await self.context.emit(
            HandedOver(
                step=self.step, position=event.position, origin=event.origin, model=event.model, reason=event.reason
            )
        )

    async def show(self) -> None:
        """Emit what has come since the last time, as one delta."""
        if not self._unseen:
            return
        tokens, self._unseen = tuple(self._unseen), []
        text = "".join(token.text for token in tokens)
        if self.shown == "content":
            await self.context.emit(ContentDelta(text=text, model=tokens[-1].model, tokens=tokens))
        else:
            await self.context.emit(ReasoningDelta(step=self.step, text=text, tokens=tokens))
