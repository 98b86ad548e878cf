"""``tool-loop``: reasoning that stops for its own programs and goes on with what they print.

After ReTool (Feng et al. 2025), section 3: generation stops where a code block ends, the block is run, its output goes
into the same turn and the turn goes on. From START (Li et al. 2025), section 3.1: a turn that ends without having run
anything gets a hint and an open code block. A turn with neither program nor answer is void and ends the loop.
"""

from dataclasses import dataclass, field, replace

from pydantic import BaseModel, ConfigDict, Field

from agents.coding_turn import STOPS, last_program, with_hint, with_output
from agents.direct import Direct
from agents.events import Verdict
from agents.execution import run_program
from agents.problem import Answer, Evidence, Problem
from agents.prompts import render
from agents.strategy import SolveContext, with_question, write
from tools.sandbox.session import Session
from tools.verifiers.extract import final_answer, program_output
from workers.engines.protocol import FinishReason, Token
from workers.ledger import BudgetSpent


class ToolLoopOptions(BaseModel):
    """At most ``programs`` are run, ``hints`` of them after a hint; ``tokens`` bounds the whole turn (0: the bound of
    one internal call)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    programs: int = Field(default=4, ge=1, le=32)
    hints: int = Field(default=1, ge=0, le=8)
    tokens: int = Field(default=0, ge=0)


@dataclass(slots=True)
class _Turn:
    """The turn as it stands, and what its programs did: ``programs`` were run, ``ran`` of them without error, and
    ``printed`` is what the last of these that printed anything did."""

    session: Session
    text: str = ""
    tail: str = ""
    tokens: list[Token] = field(default_factory=list)
    ran: int = 0
    programs: int = 0
    hints: int = 0
    printed: str = ""
    reason: FinishReason = "stop"


class ToolLoop:
    name = "tool-loop"

    def __init__(self, options: ToolLoopOptions = ToolLoopOptions()) -> None:
        self._options = options

    async def solve(self, problem: Problem, context: SolveContext) -> Answer:
        if not problem.checkable:
            return await Direct().solve(problem, context)
        turn = _Turn(Session(context.sandbox, context.limits))
        try:
            while await self._go_on(problem, context, turn):
                pass
        except BudgetSpent:
            if not turn.tokens:
                raise
        return await self._answer(problem, context, turn)

    async def _go_on(self, problem: Problem, context: SolveContext, turn: _Turn) -> bool:
        """Write until a program or the end of the turn; whether there is anything to go on for."""
        left = (self._options.tokens or context.step_tokens) - len(turn.tokens)
        if left <= 0:
            turn.reason = "length"
            return False
        messages = with_question(problem.messages, render("tool_loop", question=problem.question))
        sampling = replace(problem.sampling, max_tokens=left, stop=STOPS)
        purpose = "go on after the program" if turn.programs else "reason with programs"
        completion = await write(context, context.writer(), messages, sampling, purpose=purpose, prefill=turn.text)
        turn.tokens += completion.tokens
        # A hint has opened a code block already: the program begins before what was written now.
        written = turn.text + completion.text
        turn.tail = completion.text
        turn.reason = completion.reason
        program = last_program(written)
        if program is not None and completion.reason == "stop" and turn.programs < self._options.programs:
            await self._run(context, turn, written, program)
            return True
        turn.text = written
        if program is not None:
            turn.tail = ""  # what a program reads like is no answer
            return False
        return completion.reason == "stop" and self._hinted(turn)

    async def _run(self, context: SolveContext, turn: _Turn, written: str, program: str) -> None:
        execution = await run_program(context, program, turn.session)
        turn.programs += 1
        turn.text = with_output(written, execution)
        turn.tail = ""
        if execution.ok:
            turn.ran += 1
            turn.printed = execution.stdout if execution.stdout.strip() else turn.printed

    def _hinted(self, turn: _Turn) -> bool:
        """Whether the turn, which has ended, goes on with a hint."""
        if turn.programs or turn.hints >= self._options.hints:
            return False
        turn.hints += 1
        turn.text = with_hint(turn.text, render("tool_hint"))
        return True

    async def _answer(self, problem: Problem, context: SolveContext, turn: _Turn) -> Answer:
        # What follows the last program counts; where nothing does, what that program printed.
        said = final_answer(turn.tail, problem.form, problem.choices)
        value = said or program_output(turn.printed, problem.form, problem.choices)
        ran = bool(turn.ran) if turn.programs else None
        reason = f"{turn.ran} of {turn.programs} programs ran"
        await context.emit(Verdict(verifier="program", accepted=ran, reason=reason))
        values = [token.logprob for token in turn.tokens if token.logprob is not None]
        return Answer(
            text=turn.text.strip(),
            value=value,
            strategy=self.name,
            model=context.writers[0],
            evidence=Evidence(program_ran=ran, mean_logprob=sum(values) / len(values) if values else None),
            finish_reason=turn.reason,
        )
