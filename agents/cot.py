"""``cot``: chain of thought, step by step, with the final answer in a box."""

from dataclasses import replace

from agents.problem import Answer, Evidence, Problem
from agents.prompts import render
from agents.strategy import SolveContext, with_question, write
from tools.verifiers.extract import final_answer


class ChainOfThought:
    name = "cot"

    async def solve(self, problem: Problem, context: SolveContext) -> Answer:
        if not problem.checkable:
            return await self._explain(problem, context)
        messages = with_question(problem.messages, render("cot", question=problem.question))
        sampling = replace(problem.sampling, max_tokens=context.step_tokens, stop=())
        completion = await write(context, context.writer(), messages, sampling, purpose="reason step by step")
        return Answer(
            text=completion.text.strip(),
            value=final_answer(completion.text, problem.form, problem.choices),
            strategy=self.name,
            model=context.writers[0],
            evidence=Evidence(mean_logprob=completion.mean_logprob(), length=completion.usage.completion),
            finish_reason=completion.reason,
        )

    async def _explain(self, problem: Problem, context: SolveContext) -> Answer:
        messages = with_question(problem.messages, render("cot_open", question=problem.question))
        completion = await write(
            context, context.writer(), messages, problem.sampling, purpose="reason step by step", shown="content"
        )
        return Answer(
            text=completion.text,
            strategy=self.name,
            model=context.writers[0],
            finish_reason=completion.reason,
            streamed=True,
        )
