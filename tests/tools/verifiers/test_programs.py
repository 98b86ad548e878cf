"""Finding the program in what was written."""

import pytest

from tests.hostile import ENOUGH, cpu_seconds, hostile
from tools.verifiers.programs import code_block, compiles


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Here:\n```python\nprint(1)\n```\nDone.", "print(1)\n"),
        ("```py\nprint(1)\n```", "print(1)\n"),
        ("```Python\nprint(1)\n```", "print(1)\n"),
        ("```\nprint(1)\n```", "print(1)\n"),
        ("```python\nprint(1)", "print(1)"),
        ("```python\r\nprint(1)\r\n```", "print(1)\n"),
        ("```python\nx = 1\n```\nIt prints\n```\n1\n```", "x = 1\n"),
        ("```python\nprint(1)\n```\nbetter:\n```python\nprint(2)\n```", "print(2)\n"),
        ("```python\nprint(1)\n```\nthen call\n```python\nf(\n```", "print(1)\n"),
        ("```python\nprint(1\n```", "print(1\n"),
        ("1. so\n   ```python\n   for i in range(2):\n       print(i)\n   ```", "for i in range(2):\n    print(i)\n"),
        ("```bash\nls\n```\n```python\nprint(1)\n```", "print(1)\n"),
        ("x = 2\nprint(x)", "x = 2\nprint(x)\n"),
        ("x = 2", None),
        ("I can not do that.", None),
        ("```bash\nls\n```", None),
        ("```\nsome output\n```", None),
        ("```python\n```", None),
        ("", None),
    ],
)
def test_code_block(text: str, code: str | None) -> None:
    found = code_block(text)
    assert (found.strip() if found else found) == (code.strip() if code else code)


@pytest.mark.parametrize("source", ["f(", "\x00", "(" * 10_000, "-" * 100_000 + "1", "\ud800"])
def test_what_is_no_python_does_not_upset_it(source: str) -> None:
    assert not compiles(source)


def test_long_text_is_no_trap() -> None:
    assert code_block("```" * 100_000) is None


@pytest.mark.parametrize("piece", ["a", " ", "\n", "```\n", " a", "`"])
def test_long_repetition_is_no_trap(piece: str) -> None:
    assert cpu_seconds(code_block, hostile("```", piece, 99_000)) < ENOUGH
