"""``toolmaker``: the model writes a general tool first, then the code that uses it here.

After CREATOR (Qian et al. 2023), section 3: create a function with documentation, decide how to call it for this
problem, run both, and rectify them with what was printed where that failed.
"""

from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field

from agents.direct import Direct
from agents.events import Verdict
from agents.execution import failure, no_program, printed, run_program
from agents.forms import FORM_TEXT
from agents.problem import Answer, Evidence, Problem
from agents.prompts import render
from agents.strategy import SolveContext, with_question, write
from agents.untrusted import neutralised
from tools.sandbox.protocol import Execution
from tools.verifiers.extract import program_output
from tools.verifiers.programs import code_block
from workers.ledger import BudgetSpent
from workers.messages import Message
from workers.models.protocol import Completion

_Thread = tuple[Message, ...]


class ToolmakerOptions(BaseModel):
    """How often what failed is written again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    repairs: int = Field(default=2, ge=0, le=10)


class Toolmaker:
    name = "toolmaker"

    def __init__(self, options: ToolmakerOptions = ToolmakerOptions()) -> None:
        self._options = options

    async def solve(self, problem: Problem, context: SolveContext) -> Answer:
        if not problem.checkable:
            return await Direct().solve(problem, context)
        form = FORM_TEXT[problem.form]
        thread = with_question(problem.messages, render("tool_create", question=problem.question))
        tool = await self._write(problem, context, thread, "create a tool")
        thread = _continued(thread, tool, render("tool_decide", form=form))
        completion = await self._write(problem, context, thread, "decide how to use the tool")
        execution = await self._run(context, code_block(tool.text), code_block(completion.text))
        for _ in range(self._options.repairs):
            if _answered(execution) or execution.outcome == "refused":
                break
            complaint = render("tool_rectify", output=neutralised(printed(execution)), form=form)
            thread = _continued(thread, completion, complaint)
            try:
                completion = await self._write(problem, context, thread, "rectify the tool")
            except BudgetSpent:
                break
            execution = await self._run(context, None, code_block(completion.text))
        return await self._answer(problem, context, completion, execution)

    async def _write(self, problem: Problem, context: SolveContext, thread: _Thread, purpose: str) -> Completion:
        sampling = replace(problem.sampling, max_tokens=context.step_tokens, stop=())
        return await write(context, context.writer(), thread, sampling, purpose=purpose)

    async def _run(self, context: SolveContext, tool: str | None, call: str | None) -> Execution:
        if call is None:
            return no_program()
        return await run_program(context, call if tool is None else f"{tool}\n\n{call}")

    async def _answer(
        self, problem: Problem, context: SolveContext, completion: Completion, execution: Execution
    ) -> Answer:
        value = program_output(execution.stdout, problem.form, problem.choices) if execution.ok else None
        reason = "the tool ran and printed an answer" if value is not None else failure(execution)
        await context.emit(Verdict(verifier="program", accepted=value is not None, reason=reason))
        return Answer(
            text=value or "",
            value=value,
            strategy=self.name,
            model=context.writers[0],
            evidence=Evidence(program_ran=value is not None, mean_logprob=completion.mean_logprob()),
            finish_reason=completion.reason,
        )


def _answered(execution: Execution) -> bool:
    return execution.ok and program_output(execution.stdout) is not None


def _continued(thread: _Thread, completion: Completion, prompt: str) -> _Thread:
    return (*thread, Message(role="assistant", content=completion.text), Message(role="user", content=prompt))
