"""The docstring's examples as a verifier of functions."""

from agents.events import Verdict
from agents.problem import Answer, Problem
from agents.strategy import SolveContext
from tools.verifiers.code.checks import check_of, passed
from tools.verifiers.code.stub import examples, find_stub
from tools.verifiers.programs import code_block


class DocstringExamples:
    """Runs the function in the sandbox."""

    name = "examples"

    async def score(self, problem: Problem, answer: Answer, context: SolveContext) -> float | None:
        """The share of the examples that the function passes; None for a question without any."""
        stub = find_stub(problem.question)
        checks = tuple(check_of(example) for example in examples(stub)) if stub is not None else ()
        source = code_block(answer.text)
        if not checks or source is None:
            return None
        _, results = await passed(context.sandbox, context.limits, source, checks)
        reason = f"it passes {sum(results)} of {len(results)} examples"
        await context.emit(Verdict(verifier=self.name, accepted=all(results), reason=reason))
        return sum(results) / len(results)
