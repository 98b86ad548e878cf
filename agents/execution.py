"""Running a model's program as part of a run: it shows in the trace, and what it printed can be shown to the model."""

import uuid

from agents.events import ToolFinished, ToolStarted
from agents.strategy import SolveContext
from tools.sandbox.protocol import Execution
from tools.sandbox.session import Session

_SHOWN = 2000


async def run_program(context: SolveContext, program: str, session: Session | None = None) -> Execution:
    """Run ``program`` in the sandbox between its two events. Never raises for what the program does.

    In a ``session`` it knows what earlier programs defined, and the files that it writes are kept for the reader.
    """
    call = uuid.uuid4().hex
    await context.emit(ToolStarted(call=call, tool="python", input=program))
    execution = await (context.sandbox.run(program, context.limits) if session is None else session.run(program))
    await context.emit(
        ToolFinished(call=call, tool="python", output=printed(execution), ok=execution.ok, seconds=execution.seconds)
    )
    if context.keep_file is not None:
        for file in execution.files:
            await context.keep_file(file.name, file.content)
    return execution


def no_program() -> Execution:
    """What comes of a text without a program, so that it can be complained about like any failure."""
    return Execution(outcome="exited", exit_code=1, stderr="there is no Python code block")


def printed(execution: Execution) -> str:
    """What the model is shown of a run: the end of its output, where Python puts the error."""
    text = (execution.stdout + "\n" + execution.stderr).strip()
    if execution.outcome != "exited":
        text = f"{text}\n(stopped: {execution.outcome})"
    return text[-_SHOWN:] or "(nothing)"


def failure(execution: Execution) -> str:
    """Why a run gave no answer, for the trace."""
    if execution.outcome != "exited":
        return f"the program was stopped: {execution.outcome}"
    if execution.exit_code != 0:
        return f"the program ended with exit code {execution.exit_code}"
    return "the program printed nothing"
