"""Finds the program in what a model wrote."""

import re
from dataclasses import dataclass

_LONGEST = 100_000
# up to the closing fence, or to the end where the model stopped before it
_FENCE = re.compile(
    r"^[ \t]*```[ \t]*+(?P<tag>[\w+.-]*+)[^\n]*+\n(?P<code>.*?)(?:^[ \t]*```[ \t]*$|\Z)", re.MULTILINE | re.DOTALL
)
_PYTHON = {"python", "py", "python3", "python3.11"}


@dataclass(frozen=True)
class _Block:
    tag: str
    code: str


def code_block(text: str) -> str | None:
    """The Python program in ``text``: the last fenced block that compiles and prints, else the last Python block.

    Without a fence the whole text counts if it compiles and prints. None if there is no program.
    """
    text = text[:_LONGEST].replace("\r\n", "\n")
    blocks = [_Block(match["tag"].lower(), _dedented(match["code"])) for match in _FENCE.finditer(text)]
    blocks = [block for block in blocks if block.code.strip()]
    tagged = [block for block in blocks if block.tag in _PYTHON]
    candidates = tagged or [block for block in blocks if not block.tag]
    printing = [block for block in candidates if _prints(block.code)]
    # An untagged block may be the program's output: it counts only if it is a program.
    chosen = (printing or tagged or [block for block in candidates if compiles(block.code)])[-1:]
    if chosen:
        return chosen[0].code
    return text.strip() + "\n" if not blocks and _prints(text) else None


def compiles(code: str) -> bool:
    """Whether ``code`` is valid Python."""
    try:
        compile(code, "program", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # the last three: null bytes, and nesting too deep for the parser
        return False
    return True


def _prints(code: str) -> bool:
    return "print" in code and compiles(code)


def _dedented(code: str) -> str:
    """Without the indentation of a fence inside a list."""
    lines = code.split("\n")
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[margin:] for line in lines)
