"""The one interface of all strategies, and what a strategy is given to work with."""

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from agents.events import ContentDelta, Event, ReasoningDelta, StepFinished, StepStarted
from agents.problem import Answer, Problem
from tools.sandbox.protocol import Limits, Sandbox
from tools.toolbox import Toolbox
from workers.collaboration.protocol import Collaboration
from workers.engines.protocol import Finish, Sampling, Token
from workers.messages import Message
from workers.models.protocol import ChatModel, ChatRequest, Completion, collect

Emit = Callable[[Event], Awaitable[None]]
GetToolbox = Callable[[], Awaitable[Toolbox]]
KeepFile = Callable[[str, bytes], Awaitable[None]]
Shown = Literal["content", "reasoning"]

# Characters.
_LONGEST_EARLIER = 6_000


@dataclass(frozen=True, slots=True)
class SolveContext:
    """What a strategy works with. ``models`` maps names to models that already draw on the request's ledger;
    ``writers`` are the route's models, the one that writes first first; ``step_tokens`` bounds one internal call.
    ``collaboration`` lets two of the models write together; None where nothing serves that. ``toolbox`` gets the tools
    that the caller may use; ``keep_file`` keeps a file that a program wrote, by name and contents, for the reader."""

    models: Mapping[str, ChatModel]
    writers: tuple[str, ...]
    sandbox: Sandbox
    limits: Limits
    emit: Emit
    step_tokens: int = 1024
    collaboration: Collaboration | None = None
    toolbox: GetToolbox | None = None
    keep_file: KeepFile | None = None

    def writer(self) -> ChatModel:
        return self.models[self.writers[0]]


@dataclass(frozen=True, slots=True)
class CallerTools:
    """Tools of the caller, in OpenAI's shape, passed through to the model."""

    tools: tuple[Mapping[str, Any], ...] = ()
    choice: str | Mapping[str, Any] | None = None


class Strategy(Protocol):
    """Solves a problem on a route and yields an answer with evidence.

    ``solve`` raises ``BudgetSpent`` when the ledger ends before any answer exists; with an answer in hand it returns
    that one. It is cancelled like any coroutine, which aborts its generations.
    """

    name: str

    async def solve(self, problem: Problem, context: SolveContext) -> Answer: ...


async def write(
    context: SolveContext,
    model: ChatModel,
    messages: Sequence[Message],
    sampling: Sampling,
    *,
    purpose: str,
    shown: Shown = "reasoning",
    tools: CallerTools = CallerTools(),
    prefill: str = "",
) -> Completion:
    """One model call as a step of the trace: its tokens stream as content or as reasoning while they are written.

    ``prefill`` is text that the assistant's turn already begins with; the completion goes on after it.
    """
    step = uuid.uuid4().hex
    name = model.card.name
    await context.emit(StepStarted(step=step, model=name, purpose=purpose))
    # Log-probabilities are evidence for internal steps; content that nobody scores is spared their price. Nobody scores
    # calls of tools either, and llama.cpp's server refuses a stream that is asked for both.
    request = ChatRequest(
        tuple(messages),
        sampling,
        call=step,
        prefill=prefill,
        top_logprobs=0 if shown == "content" or tools.tools else 1,
        tools=tools.tools,
        tool_choice=tools.choice,
    )
    tokens: list[Token] = []
    async with aclosing(model.generate(request)) as stream:
        async for event in stream:
            if isinstance(event, Finish):
                completion = collect(tokens, event)
                break
            tokens.append(event)
            if event.text:
                await context.emit(_delta(shown, step, name, event.text))
        else:
            raise RuntimeError(f"model {name!r} ended its stream without a finish")
    await context.emit(StepFinished(step=step, text=completion.text, mean_logprob=completion.mean_logprob()))
    return completion


def _delta(shown: Shown, step: str, model: str, text: str) -> Event:
    if shown == "content":
        return ContentDelta(text=text, model=model)
    return ReasoningDelta(step=step, text=text)


def with_question(messages: Sequence[Message], text: str) -> tuple[Message, ...]:
    """The thread with its last user message replaced by ``text``, or ending in it where no message is a user's;
    everything before it stays as it was."""
    last = _last_question(messages)
    asked = messages[last] if last < len(messages) else Message(role="user")
    return (*messages[:last], asked.model_copy(update={"content": text}), *messages[last + 1 :])


def earlier(messages: Sequence[Message]) -> tuple[Message, ...]:
    """What a question is to be read with: the thread before its last user message. Of a long thread only the latest
    turns, so that a prompt about an answer has room beside them."""
    said = tuple(messages[: _last_question(messages)])
    begin, length = len(said), 0
    for index in reversed(range(len(said))):
        length += len(said[index].content)
        if length > _LONGEST_EARLIER:
            break
        # Chat templates want a thread to begin with what a user says, or as the caller began it.
        if index == 0 or said[index].role == "user":
            begin = index
    return said[begin:]


def _last_question(messages: Sequence[Message]) -> int:
    """The index of the last user message, the length of a thread without one."""
    return next((index for index in reversed(range(len(messages))) if messages[index].role == "user"), len(messages))
