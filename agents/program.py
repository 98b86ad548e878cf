"""``program``: the model writes Python, the sandbox runs it, the output is the answer; an error is fed back once."""

from dataclasses import replace

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
from workers.engines.protocol import Sampling
from workers.ledger import BudgetSpent
from workers.messages import Message
from workers.models.protocol import Completion


class Program:
    """``repairs`` is how often a failed program goes back to the model with what it printed."""

    name = "program"

    def __init__(self, repairs: int = 1) -> None:
        self._repairs = repairs

    async def solve(self, problem: Problem, context: SolveContext) -> Answer:
        form = FORM_TEXT[problem.form]
        messages = with_question(problem.messages, render("program", question=problem.question, form=form))
        sampling = replace(problem.sampling, max_tokens=context.step_tokens, stop=())
        completion, execution = await self._attempt(context, messages, sampling, "write a program")
        for _ in range(self._repairs):
            if not _repairable(execution):
                break
            complaint = render("program_repair", output=neutralised(printed(execution)), form=form)
            messages = (
                *messages,
                Message(role="assistant", content=completion.text),
                Message(role="user", content=complaint),
            )
            try:
                completion, execution = await self._attempt(context, messages, sampling, "repair the program")
            except BudgetSpent:
                break
        return await self._answer(problem, context, completion, execution)

    async def _attempt(
        self, context: SolveContext, messages: tuple[Message, ...], sampling: Sampling, purpose: str
    ) -> tuple[Completion, Execution]:
        completion = await write(context, context.writer(), messages, sampling, purpose=purpose)
        program = code_block(completion.text)
        if program is None:
            return completion, no_program()
        return completion, await run_program(context, program)

    async def _answer(
        self, problem: Problem, context: SolveContext, completion: Completion, execution: Execution
    ) -> Answer:
        value = program_output(execution.stdout, problem.form, problem.choices) if execution.ok else None
        reason = "the program ran and printed an answer" if value is not None else failure(execution)
        await context.emit(Verdict(verifier="program", accepted=value is not None, reason=reason))
        return Answer(
            text=value if value is not None else "",
            value=value,
            strategy=self.name,
            model=context.writers[0],
            evidence=Evidence(
                program_ran=value is not None,
                mean_logprob=completion.mean_logprob(),
                length=completion.usage.completion,
            ),
            finish_reason=completion.reason,
        )


def _repairable(execution: Execution) -> bool:
    """Whether another program may do better: not where one has answered, nor where the sandbox runs none."""
    answered = execution.ok and program_output(execution.stdout) is not None
    return not answered and execution.outcome != "refused"
