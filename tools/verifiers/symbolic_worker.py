"""The process behind `tools.verifiers.symbolic`: answers each JSON line with ``1`` (equal) or ``0``.

Started as ``python -I symbolic_worker.py``. Every comparison runs in a fork of its own with hard limits, so that what
hangs or eats memory is killed and the imported libraries stay warm.
"""

import json
import os
import re
import resource
import select
import signal
import sys

import math_verify

_MEMORY_BYTES = 1024**3
_FUNCTIONS = re.compile(r"(?<![\\a-zA-Z])(sqrt|sin|cos|tan|log|ln|exp|pi|theta|infty)(?![a-zA-Z])")
_ROOT = re.compile(r"\\sqrt\s*\(([^()]*)\)")


def main() -> None:
    # A library that prints must not print into the answers.
    answers = os.dup(1)
    os.dup2(2, 1)
    # One small comparison imports what the libraries load lazily, once, before the forks
    same("x+1", "1+x")
    os.write(answers, b"r")
    for line in sys.stdin.buffer:
        question = json.loads(line)
        os.write(answers, b"1" if guarded(question["left"], question["right"], question["seconds"]) else b"0")


def guarded(left: str, right: str, seconds: float) -> bool:
    """`same` in a fork that is killed after ``seconds``; False when it was, or failed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        verdict = b"0"
        try:
            resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
            resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 1))
            verdict = b"1" if same(left, right) else b"0"
        finally:
            # whatever was raised, this fork must not go on into the loop of its parent
            os.write(writing, verdict)
            os._exit(0)
    os.close(writing)
    try:
        ready, _, _ = select.select([reading], [], [], seconds)
        return bool(ready) and os.read(reading, 1) == b"1"
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reading)


def same(left: str, right: str) -> bool:
    first, second = parsed(left), parsed(right)
    if not first or not second:
        return False
    # the library's verdict depends on which one is the reference; ours must not
    return verified(first, second) or verified(second, first)


def parsed(text: str) -> list[object]:
    # Its own limit works by SIGALRM and in the main thread only; here the fork is the limit.
    return list(math_verify.parse(f"${as_latex(text)}$", parsing_timeout=None))


def verified(reference: list[object], answer: list[object]) -> bool:
    return bool(math_verify.verify(reference, answer, timeout_seconds=None))


def as_latex(text: str) -> str:
    """Plain notation in LaTeX: ``sqrt(2)``, ``x**2``, ``pi``. Never evaluated as Python."""
    text = _FUNCTIONS.sub(r"\\\1", text.replace("**", "^").strip().strip("$"))
    return _ROOT.sub(r"\\sqrt{\1}", text)


if __name__ == "__main__":
    main()
