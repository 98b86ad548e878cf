"""Conditions and units checked by a program: the model writes the check, the sandbox runs it on the answer."""

from dataclasses import replace

from agents.events import Verdict
from agents.execution import run_program
from agents.problem import Answer, Problem
from agents.prompts import render
from agents.strategy import SolveContext, earlier, write
from tools.verifiers.extract import program_output
from tools.verifiers.programs import code_block
from workers.messages import Message


class Constraints:
    """Asks for a program that works forward from the answer to the conditions of the question, which is often easier
    than the way to the answer was."""

    name = "constraints"

    async def score(self, problem: Problem, answer: Answer, context: SolveContext) -> float | None:
        """1 if the answer meets every condition, 0 if it breaks one, None without a check that ran."""
        if answer.value is None or not problem.checkable:
            return None
        prompt = render("constraints", question=problem.question, final=answer.value)
        sampling = replace(problem.sampling, max_tokens=context.step_tokens, stop=())
        messages = (*earlier(problem.messages), Message(role="user", content=prompt))
        completion = await write(context, context.writer(), messages, sampling, purpose="write a check of the answer")
        program = code_block(completion.text)
        said = None
        if program is not None:
            execution = await run_program(context, program)
            said = (program_output(execution.stdout) or "").strip().lower().rstrip(".") if execution.ok else None
        score = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}.get(said or "")
        reason = {1.0: "it meets every condition", 0.0: "it breaks a condition"}.get(
            -1.0 if score is None else score, "the check did not run to a verdict"
        )
        await context.emit(Verdict(verifier=self.name, accepted=None if score is None else score == 1.0, reason=reason))
        return score
