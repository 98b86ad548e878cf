"""``direct``: the model answers at once; an uncheckable answer is the reader's text and streams as content."""

from dataclasses import replace

from agents.events import ToolCalls
from agents.forms import FORM_TEXT
from agents.problem import Answer, Evidence, Problem
from agents.prompts import render
from agents.strategy import CallerTools, SolveContext, with_question, write
from tools.verifiers.extract import final_answer


class Direct:
    name = "direct"

    async def solve(self, problem: Problem, context: SolveContext) -> Answer:
        if not problem.checkable:
            return await self._converse(problem, context)
        prompt = render("direct", question=problem.question, form=FORM_TEXT[problem.form])
        sampling = replace(problem.sampling, max_tokens=context.step_tokens, stop=())
        messages = with_question(problem.messages, prompt)
        completion = await write(context, context.writer(), messages, sampling, purpose="answer directly")
        value = final_answer(completion.text, problem.form, problem.choices)
        return Answer(
            text=completion.text.strip(),
            value=value,
            strategy=self.name,
            model=context.writers[0],
            evidence=Evidence(mean_logprob=completion.mean_logprob(), length=completion.usage.completion),
            finish_reason=completion.reason,
        )

    async def _converse(self, problem: Problem, context: SolveContext) -> Answer:
        completion = await write(
            context,
            context.writer(),
            problem.messages,
            problem.sampling,
            purpose="answer",
            shown="content",
            tools=CallerTools(problem.tools, problem.tool_choice),
        )
        calls = tuple(dict(call) for call in completion.tool_calls)
        if calls:
            await context.emit(ToolCalls(calls=calls))
        return Answer(
            text=completion.text,
            strategy=self.name,
            model=context.writers[0],
            finish_reason=completion.reason,
            streamed=True,
            tool_calls=calls,
        )
