"""Asking: is the question under-specified, and what has to be asked before it can be answered?

Before any attempt its words are read: for what is unclear beyond doubt (``WordingAsker``), and for signs that together
make it probable enough that something is missing (``SuspicionAsker``). After the attempts the model judges,
training-free, in one token, whose probability is weighed against the evidence at hand (``VerdictAsker``).
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from agents.cot import ChainOfThought
from agents.problem import Answer, AnswerForm, Problem
from agents.prompts import render
from agents.signs import weighable
from agents.strategy import SolveContext, Strategy, earlier, with_question, write
from agents.verdicts import probability_of_yes
from agents.wording import Kind, unclear
from tools.verifiers.equality import cluster
from workers.engines.protocol import Sampling
from workers.ledger import BudgetSpent
from workers.messages import Message

# A quick reply for readers who would rather have any answer.
ANSWER_ANYWAY = "Answer with what is given."
_ABOUT: Mapping[Kind, str] = {
    "vague": "The question says “{phrase}”. How many or how much is that exactly?",
    "bound": "The question says “{phrase}”. Which number is it exactly?",
    "impossible": "The question says “{phrase}”, which cannot be. Which number is meant?",
    "alone": "The question gives too few numbers to work out an answer. What else is known?",
}
_QUESTION_TOKENS = 80
_LONGEST_QUESTION = 400


class Question(BaseModel):
    """What the reader is asked; ``choices`` are quick replies."""

    model_config = ConfigDict(frozen=True)

    text: str
    choices: tuple[str, ...] = ()


class EarlyAsker(Protocol):
    """Decides before any attempt whether a problem needs an answer from its author first."""

    async def question(self, problem: Problem, context: SolveContext) -> Question | None:
        """The one question to ask, or None where there is no reason to. A spent budget means None."""
        ...


class Suspicion(Protocol):
    """How probable it is from its words that a question lacks something, between 0 and 1."""

    def probability(self, question: str) -> float: ...


class Asker(Protocol):
    """Decides whether a problem needs an answer from its author first."""

    async def question(
        self, problem: Problem, attempts: Sequence[Answer], supported: bool, context: SolveContext
    ) -> Question | None:
        """The one question to ask, or None to let the answer stand. ``supported`` says whether evidence speaks for
        the leading attempt. A spent budget means None."""
        ...


class WordingAsker:
    """Asks about the first thing that ``unclear`` finds, in the words of the problem."""

    async def question(self, problem: Problem, context: SolveContext) -> Question | None:
        found = unclear(problem.question, problem.form)
        if found is None:
            return None
        return Question(text=_ABOUT[found.kind].format(phrase=found.phrase), choices=(ANSWER_ANYWAY,))


class SuspicionAsker:
    """Asks about a question for an amount from the ``bound`` of suspicion on; the model writes what it asks. In a
    thread that has begun the words of its last question alone say nothing: what they lack may have been told before."""

    def __init__(self, suspicion: Suspicion, bound: float) -> None:
        self._suspicion = suspicion
        self._bound = bound

    async def question(self, problem: Problem, context: SolveContext) -> Question | None:
        begun = any(message.role != "system" for message in earlier(problem.messages))
        if begun or not weighable(problem.question, problem.form):
            return None
        if self._suspicion.probability(problem.question) < self._bound:
            return None
        try:
            return await _written(problem, context)
        except BudgetSpent:
            return None


class VerdictAsker:
    """Asks when the model's verdict "something is missing" is at least as probable as the bound for the evidence:
    ``weak`` where no answer is supported or attempts differ, ``strong`` elsewhere (above 1: never). Where
    evidence supports an answer, a second opinion has to differ from it as well: of a problem that lacks something, two
    ways of solving seldom make the same."""

    def __init__(self, weak: float, strong: float) -> None:
        self._weak = weak
        self._strong = strong
        self._second: Strategy = ChainOfThought()

    async def question(
        self, problem: Problem, attempts: Sequence[Answer], supported: bool, context: SolveContext
    ) -> Question | None:
        settled = supported and not await asyncio.to_thread(disagree, attempts, problem.form)
        bound = self._strong if settled else self._weak
        if bound > 1:
            return None
        try:
            if not await _doubted(problem, bound, context):
                return None
            if settled and await self._confirmed(problem, attempts[-1], context):
                return None
            return await _written(problem, context)
        except BudgetSpent:
            return None

    async def _confirmed(self, problem: Problem, answer: Answer, context: SolveContext) -> bool:
        """Whether step-by-step reasoning comes to the same answer."""
        second = await self._second.solve(problem, context)
        groups = await asyncio.to_thread(cluster, [answer.value, second.value], problem.form)
        return len(groups) == 1 and len(groups[0]) == 2


def disagree(attempts: Sequence[Answer], form: AnswerForm) -> bool:
    """Whether attempts gave different answers or one gave none. Blocks like ``cluster``."""
    groups = cluster([attempt.value for attempt in attempts], form)
    return len(groups) != 1 or len(groups[0]) != len(attempts)


def clarified(messages: Sequence[Message], question: Question, reply: str) -> tuple[Message, ...]:
    """The thread that was asked about, its last question completed by what its author replied."""
    asked = next(message.content for message in reversed(messages) if message.role == "user")
    return with_question(messages, render("clarified", question=asked, asked=question.text, reply=reply))


async def _doubted(problem: Problem, bound: float, context: SolveContext) -> bool:
    prompt = render("answerable", question=problem.question)
    purpose = "check that nothing is missing from the question"
    before = earlier(problem.messages)
    answerable = await probability_of_yes(context, context.writer(), prompt, purpose=purpose, before=before)
    return answerable is not None and 1 - answerable >= bound


async def _written(problem: Problem, context: SolveContext) -> Question | None:
    """None where the model writes no question."""
    prompt = Message(role="user", content=render("clarify", question=problem.question))
    messages = (*earlier(problem.messages), prompt)
    sampling = Sampling(max_tokens=_QUESTION_TOKENS, stop=("\n\n",))
    completion = await write(context, context.writer(), messages, sampling, purpose="ask for what is missing")
    text = _one_question(completion.text)
    return Question(text=text, choices=(ANSWER_ANYWAY,)) if text else None


def _one_question(text: str) -> str:
    """The first question of ``text`` in one line, without quotes around it; empty where there is none."""
    line = " ".join(text.split()).strip("\"'` *")
    end = line.find("?")
    return line[: end + 1].removeprefix("Question:").strip() if 0 <= end < _LONGEST_QUESTION else ""
