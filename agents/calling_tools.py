"""``tools``: the model calls tools until it can answer, for a bounded number of rounds.

What tools say is data: it reaches the model in a fenced block that it cannot end, is bounded in length, and can widen
nobody's rights, because the toolbox holds the caller's allow-list whatever the model asks for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from agents.problem import Answer, Evidence, Problem
from agents.prompts import render
from agents.python_tool import PythonTool
from agents.strategy import CallerTools, SolveContext, write
from agents.tool_call import call_tool
from agents.untrusted import neutralised
from tools.protocol import ToolResult
from tools.sandbox.session import Session
from tools.toolbox import Toolbox
from tools.verifiers.extract import final_answer
from workers.ledger import BudgetSpent
from workers.messages import Message
from workers.models.protocol import Completion

_CALLS_IN_A_ROUND = 8


class CallingTools:
    """``rounds`` is how often the model may call tools before it has to answer."""

    name = "tools"

    def __init__(self, rounds: int = 6) -> None:
        self._rounds = rounds

    async def solve(self, problem: Problem, context: SolveContext) -> Answer:
        session = Session(context.sandbox, context.limits)
        offered = await context.toolbox() if context.toolbox is not None else Toolbox()
        toolbox = offered.with_tools((PythonTool(session, context.keep_file),))
        messages = (Message(role="system", content=render("tools", form=problem.form)), *problem.messages)
        known: dict[tuple[str, str], ToolResult] = {}
        last: Completion | None = None
        for turn in range(self._rounds + 1):
            # The last turn has no tools, so that it has to be an answer.
            shown = toolbox.openai() if turn < self._rounds else ()
            try:
                last = await self._turn(problem, context, messages, shown)
            except BudgetSpent:
                if last is None:
                    raise
                break
            if not last.tool_calls:
                break
            messages = (*messages, *await self._called(last, toolbox, known, context))
        assert last is not None  # a turn that gave nothing has raised
        return self._answer(problem, context, last, bool(known))

    async def _turn(
        self,
        problem: Problem,
        context: SolveContext,
        messages: Sequence[Message],
        offered: tuple[Mapping[str, Any], ...],
    ) -> Completion:
        sampling = replace(problem.sampling, max_tokens=context.step_tokens)
        purpose = "answer or call a tool" if offered else "answer with what the tools said"
        return await write(context, context.writer(), messages, sampling, purpose=purpose, tools=CallerTools(offered))

    async def _called(
        self,
        completion: Completion,
        toolbox: Toolbox,
        known: dict[tuple[str, str], ToolResult],
        context: SolveContext,
    ) -> list[Message]:
        """The assistant's turn with its calls, and a tool's turn for each of them."""
        calls = [dict(call) for call in completion.tool_calls[:_CALLS_IN_A_ROUND]]
        said = [Message(role="assistant", content=completion.text, tool_calls=calls)]
        for call in calls:
            name, arguments = str(call["function"]["name"]), str(call["function"]["arguments"])
            repeated = (name, arguments) in known
            if not repeated:
                known[name, arguments] = await call_tool(context, toolbox, name, arguments)
            result = known[name, arguments]
            content = render("tool_result", tool=name[:64], text=neutralised(result.text), ok=str(result.ok))
            if repeated:
                content = render("tool_repeated", result=content)
            said.append(Message(role="tool", content=content, tool_call_id=str(call.get("id") or "call")))
        return said

    def _answer(self, problem: Problem, context: SolveContext, last: Completion, used: bool) -> Answer:
        answers = problem.checkable and last.text.strip()
        return Answer(
            text=last.text.strip(),
            value=final_answer(last.text, problem.form, problem.choices) if answers else None,
            strategy=self.name,
            model=context.writers[0],
            evidence=Evidence(program_ran=used or None, mean_logprob=last.mean_logprob()),
            finish_reason="stop" if last.tool_calls else last.reason,
        )
