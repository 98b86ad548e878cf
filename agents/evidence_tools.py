"""The tools that ``plan-tools`` can plan with: text in, text out; what fails says so in words."""

from dataclasses import replace
from typing import Protocol

from agents.execution import printed, run_program
from agents.problem import Problem
from agents.prompts import render
from agents.strategy import SolveContext, write
from workers.messages import Message

_ANSWER_TOKENS = 160


class EvidenceTool(Protocol):
    """``description`` tells the planner in one line what the input is and what comes back."""

    name: str
    description: str

    async def find(self, text: str, problem: Problem, context: SolveContext) -> str:
        """What the tool finds for its input, or the text of its error. Raises ``BudgetSpent``."""
        ...


class Calculate:
    """Evaluates an expression, inside the sandbox."""

    name = "calculate"
    description = "calculate[expression]: the value of a Python expression; functions of math are known"

    async def find(self, text: str, problem: Problem, context: SolveContext) -> str:
        expression = text.replace("^", "**").strip()
        program = f"from math import *\nprint(eval({expression!r}))"
        return printed(await run_program(context, program))


class Ask:
    """Asks the model a question of its own."""

    name = "ask"
    description = "ask[question]: a short answer from general knowledge"

    async def find(self, text: str, problem: Problem, context: SolveContext) -> str:
        messages = (Message(role="user", content=render("ask_tool", input=text)),)
        sampling = replace(problem.sampling, max_tokens=_ANSWER_TOKENS, stop=(), json_schema=None)
        completion = await write(context, context.writer(), messages, sampling, purpose="answer a planned question")
        return completion.text.strip()
