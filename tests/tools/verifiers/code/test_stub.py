"""Functions to be completed, and the examples in their docstrings."""

import pytest

from tests.hostile import ENOUGH, cpu_seconds, hostile
from tools.verifiers.code.stub import Example, Stub, examples, find_stub

STUB = '''from typing import List


def double(xs: List[int]) -> List[int]:
    """ Double every number.
    >>> double([1, 2])
    [2, 4]
    double([]) == []
    double([3]) ➞ [6]
    double([4]) returns [8].
    >>> double([5])[0]
    10
    >>> print(double([1]))
    something
    >>> double(unknown)
    Traceback (most recent call last):
    """
'''


@pytest.mark.parametrize(
    "question",
    [
        f"Complete this Python function. Return the whole function.\n\n{STUB}",
        f"Complete it:\n```python\n{STUB}```\nThank you!",
        f"Please write this.\n\n{STUB}    pass\n",
        f"{STUB}    ...\n\nUse no library.",
    ],
)
def test_a_stub_is_found_in_what_surrounds_it(question: str) -> None:
    stub = find_stub(question)
    assert stub is not None
    assert stub.name == "double"
    assert stub.source.startswith("from typing import List")
    assert set(examples(stub)) == {
        Example("double([1, 2])", "[2, 4]"),
        Example("double([])", "[]"),
        Example("double([3])", "[6]"),
        Example("double([4])", "[8]"),
        Example("double([5])[0]", "10"),
    }


@pytest.mark.parametrize(
    "question",
    [
        "What does `def` mean in Python?",
        "Why does this fail?\n\ndef f(x):\n    return x + 1\n",
        'def f(x):\n    """Add one."""\n    return x + 1\n',
        "def broken(:\n",
        "x" * 100_000 + "def f",
    ],
)
def test_other_questions_hold_none(question: str) -> None:
    assert find_stub(question) is None


@pytest.mark.parametrize(("start", "piece"), [("", "f("), ("f()", " "), ("f() ==", " "), ("", "f() == 1 "), ("", "\n")])
def test_long_repetition_is_no_trap(start: str, piece: str) -> None:
    assert cpu_seconds(lambda doc: examples(Stub("f", "", doc)), hostile(start, piece, 12_000)) < ENOUGH
