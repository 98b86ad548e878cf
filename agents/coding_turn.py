"""An assistant's turn with programs in it: which one was written last, and what follows it."""

import re

from agents.execution import printed
from agents.untrusted import neutralised
from tools.sandbox.protocol import Execution

STOPS = ("\n```\n", "```output")
"""The end of a code block, and the output that a model would make up for it."""

_OPENED = re.compile(r"^[ \t]*```[ \t]*(?:python3?|py)[ \t]*\n", re.MULTILINE | re.IGNORECASE)
_CLOSED = re.compile(r"^[ \t]*```", re.MULTILINE)
_SHOWN = 1000


def last_program(text: str) -> str | None:
    """The Python block that ``text`` ends with, closed or cut at its closing fence; None where it ends in prose."""
    opened = list(_OPENED.finditer(text))
    if not opened:
        return None
    code, _, after = _partition(text[opened[-1].end() :])
    return code if code.strip() and not after.strip() else None


def with_output(text: str, execution: Execution) -> str:
    """The turn with its last block closed and what the program printed below it."""
    opened = list(_OPENED.finditer(text))
    code, _, _ = _partition(text[opened[-1].end() :])
    shown = neutralised(printed(execution)[-_SHOWN:])
    return f"{text[: opened[-1].end()]}{code.rstrip()}\n```\n```output\n{shown}\n```\n"


def with_hint(text: str, hint: str) -> str:
    """The turn going on with a hint and an open code block."""
    return f"{text.rstrip()}\n\n{hint}\n```python\n"


def _partition(code: str) -> tuple[str, str, str]:
    """What follows an opening fence, cut at the closing one."""
    closed = _CLOSED.search(code)
    return (code, "", "") if closed is None else (code[: closed.start()], closed[0], code[closed.end() :])
