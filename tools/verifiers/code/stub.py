"""Finds the function that a question wants completed, and the examples in its docstring."""

import ast
import doctest
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

_LONGEST = 12_000
_FENCE = re.compile(r"^[ \t]*```[\w.+-]*[ \t]*\n(.*?)(?:^[ \t]*```|\Z)", re.MULTILINE | re.DOTALL)
_START = re.compile(r"^(?:from |import |def |async def |class |@)", re.MULTILINE)
# "f(1) == 2", "f(1) ➞ 2", "f(1) returns 2" and their like, as people write them. A single "=" is left out:
# it as often defines a sequence as it says what a call returns.
_SAYS = re.compile(r"\s*+(?:==>|=>|==|-->|->|➞|→|:|(?:,\s*+)?(?:should\s++)?(?:returns?|outputs?|gives))\s*+")
_MOST_EXAMPLES = 20
# Of the function's calls in a docstring, and of the lines that they stand in: more are not there to be run.
_MOST_CALLS = 60
_LONGEST_LINE = 1_000
# Each costs a parse of the whole, before anything else of a request is done.
_MOST_ATTEMPTS = 6


@dataclass(frozen=True, slots=True)
class Stub:
    """A function without a body: ``source`` is the code around and above it, ``doc`` its docstring."""

    name: str
    source: str
    doc: str


@dataclass(frozen=True, slots=True)
class Example:
    """``call`` should equal ``wanted``; both are Python expressions, ``wanted`` a literal."""

    call: str
    wanted: str


def find_stub(question: str) -> Stub | None:
    """The last function in ``question`` that has a docstring and nothing else; None if there is none."""
    if "def " not in question or len(question) > _LONGEST:
        return None
    fenced = _FENCE.findall(question)
    start = _START.search(question)
    for region in (*reversed(fenced), question[start.start() :] if start else ""):
        source, tree = _parsed(region)
        if tree is None:
            continue
        for node in reversed(tree.body):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _empty(node):
                return Stub(node.name, source, ast.get_docstring(node) or "")
    return None


def examples(stub: Stub) -> tuple[Example, ...]:
    """The examples in the docstring whose wanted result is a literal, at most 20."""
    found = {example.call: example for example in (*_doctests(stub), *_written(stub))}
    return tuple(found.values())[:_MOST_EXAMPLES]


def _parsed(region: str) -> tuple[str, ast.Module | None]:
    """``region`` as Python; prose below it is left off from the line where Python ends."""
    lines = region.rstrip().split("\n")
    for _ in range(_MOST_ATTEMPTS):
        source = "\n".join(lines) + "\n"
        try:
            return source, ast.parse(source)
        except SyntaxError as error:
            end = min(len(lines), error.lineno or len(lines)) - 1
            if end <= 0:
                break
            del lines[end:]
        except (ValueError, RecursionError, MemoryError):
            break
    return "", None


def _empty(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    if ast.get_docstring(node) is None:
        return False
    return all(isinstance(rest, ast.Pass) or _is_ellipsis(rest) for rest in node.body[1:])


def _is_ellipsis(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and node.value.value is ...


def _doctests(stub: Stub) -> Iterator[Example]:
    try:
        found = doctest.DocTestParser().get_examples(stub.doc)
    except ValueError:  # inconsistent indentation: no doctests then
        return
    for example in found:
        # What is wanted reaches to the next blank line, and prose may follow it at once.
        want = example.want.strip()
        for wanted in (want, want.split("\n", 1)[0]):
            if (made := _example(stub, example.source.strip(), wanted)) is not None:
                yield made
                break


def _written(stub: Stub) -> Iterator[Example]:
    calls = re.finditer(rf"(?<![\w.>]){re.escape(stub.name)}\(", stub.doc)
    for match in islice(calls, _MOST_CALLS):
        line = stub.doc[match.start() :].split("\n", 1)[0]
        end = _closing(line, len(stub.name)) if len(line) <= _LONGEST_LINE else 0
        said = _SAYS.match(line, end) if end else None
        if said is None:
            continue
        wanted = re.split(r"\s{2,}|\s#|;", line[said.end() :])[0].strip().rstrip(".,")
        if (made := _example(stub, line[:end], wanted)) is not None:
            yield made


def _closing(text: str, start: int) -> int:
    """Where the parenthesis that opens at ``start`` has been closed; 0 if it has not."""
    depth = 0
    for index in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[index], 0)
        if depth == 0:
            return index + 1
    return 0


def _example(stub: Stub, call: str, wanted: str) -> Example | None:
    try:
        expression = ast.parse(call, mode="eval").body
        value = ast.literal_eval(wanted)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return None
    if wanted.startswith("(") and not isinstance(value, tuple):
        return None  # most likely a tuple of one was meant
    names = {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}
    return Example(ast.unparse(expression), wanted) if stub.name in names else None
