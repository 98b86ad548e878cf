"""Whether an answer is right: by comparison, by the tests of a coding task, or by declining what has no answer."""

import asyncio
import re

from agents.events import RunFinished
from bench.questions import Question
from tools.sandbox.protocol import Sandbox
from tools.verifiers.equality import equal
from tools.verifiers.programs import code_block

_FENCE = re.compile(r"```[\w+.-]*\n(.*?)(?:```|\Z)", re.DOTALL)


async def right(question: Question, last: RunFinished, value: str | None, sandbox: Sandbox) -> bool:
    """``last`` is how the run ended, ``value`` the final answer that was read from it."""
    if question.answer_type == "label":
        return last.status in ("needs_input", "abstained")
    if question.answer_type == "code":
        return await passes(question, last.text, sandbox)
    return value is not None and await asyncio.to_thread(equal, value, question.answer, question.form)


async def passes(question: Question, text: str, sandbox: Sandbox) -> bool:
    """Whether the code in ``text`` passes the task's tests, in the sandbox."""
    program = f"{_imports(question.prompt)}\n{_code(text)}\n\n{question.test}\n\ncheck({question.entry_point})\n"
    return (await sandbox.run(program)).ok


def _code(text: str) -> str:
    """The code of an answer: its Python block, else its last fenced block, else all of it."""
    fenced = _FENCE.findall(text)
    return code_block(text) or (fenced[-1] if fenced else text)


def _imports(prompt: str) -> str:
    """The lines of a task before its function, which an answer need not repeat."""
    return prompt.split("\ndef ", 1)[0] if not prompt.startswith("def ") else ""
