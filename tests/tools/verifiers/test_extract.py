"""Finding the answer in what was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile import ENOUGH, cpu_seconds, hostile
from tools.verifiers.extract import final_answer, program_output
from tools.verifiers.protocol import Form

ANSWERS: list[tuple[Form, str, str | None]] = [
    ("number", r"so \boxed{\frac{1}{2}}", "0.5"),
    ("number", r"\boxed{1} no, \boxed{2}", "2"),
    ("number", r"\boxed{12\text{ cm}}", "12"),
    ("number", r"The answer is \boxed{7}, since 9 - 2 = 7 and 3 is odd.", "7"),
    ("number", "thus\n#### 1,234", "1234"),
    ("number", "The answer is $18 per day.", "18"),
    ("number", "The answer to the question is 18 dollars, for 3 people", "18"),
    ("number", "**Answer:** 42", "42"),
    ("number", "**Final answer**: $1,200.50", "1200.5"),
    ("number", "Answer:\n\n42", "42"),
    ("number", "The answer is: 5 + 3 = 8.", "8"),
    ("number", "The answer is 3.5.", "3.5"),
    ("number", "The answer is 10% of it", "10%"),
    ("number", "He has 5 + 3 = 8 apples", "8"),
    ("number", "He sold 10-5 of 3-4 eggs", "4"),
    ("number", "the total is -7.", "-7"),
    ("number", "x - 5", "5"),
    ("number", "- 5 apples", "5"),
    ("number", r"The value is \(12\).", "12"),
    ("number", "It costs 1/3 of that", "1/3"),
    ("number", "no number at all", None),
    ("number", "", None),
    ("choice", "The final answer is: (C) the dog", "C"),
    ("choice", "So the correct answer is B.", "B"),
    ("choice", r"\boxed{\text{D}}", "D"),
    ("choice", "I think (A) at first... but (D)", "D"),
    ("choice", "**B**", "B"),
    ("choice", "B", "B"),
    ("choice", "A cat sat there", None),
    ("yes-no", "Yes, because no one came", "yes"),
    ("yes-no", "Let us see. It is true that it rains. Thus it is false.", "no"),
    ("yes-no", "The answer is no.", "no"),
    ("yes-no", "who knows", None),
    ("expression", "We get $x=2$, then $x^2 + 1$.", "x^2 + 1"),
    ("expression", "The answer is $2x+1$.", "2x+1"),
    ("expression", r"it is \boxed{\{1, \{2\}\}}", r"\{1, \{2\}\}"),
    ("expression", "2x + 1", "2x + 1"),
    ("expression", "a long story\nwithout any formula", None),
    ("text", "  whatever  ", "whatever"),
    ("text", "   ", None),
]


@pytest.mark.parametrize(("form", "text", "answer"), ANSWERS)
def test_final_answer(form: Form, text: str, answer: str | None) -> None:
    assert final_answer(text, form) == answer


@pytest.mark.parametrize(
    ("stdout", "output"),
    [
        ("", None),
        ("\n  \n", None),
        ("working\n42\n\n", "42"),
        ("Answer: 42", "42"),
        ("The final answer is 42\n", "42"),
        ("Answer:", "Answer:"),
        ("3\r\n", "3"),
    ],
)
def test_program_output(stdout: str, output: str | None) -> None:
    assert program_output(stdout) == output


@pytest.mark.parametrize(
    ("stdout", "output"),
    [
        ("Total number of magazines: 1,769\n", "1769"),
        ("Change: $0", "0"),
        ("18 dollars", "18 dollars"),
        ("3/4", "3/4"),
        ("Steve waits for the loser.", "Steve waits for the loser."),
        ("", None),
    ],
)
def test_a_program_that_prints_a_sentence_answers_with_its_number(stdout: str, output: str | None) -> None:
    assert program_output(stdout, "number") == output


@given(st.text(max_size=200), st.sampled_from(["number", "expression", "choice", "yes-no", "text"]))
def test_any_text_may_come(text: str, form: Form) -> None:
    found = final_answer(text, form)
    assert found is None or found.strip()


@given(st.integers(-(10**9), 10**9), st.text("abc .,\n", max_size=40))
def test_a_boxed_number_is_found_wherever_it_stands(value: int, around: str) -> None:
    assert final_answer(f"{around} 12 \\boxed{{{value:,}}} {around} 13", "number") == str(value)


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        *(
            ("", piece)
            for piece in ("1", "1,", "\\boxed{", "$", "\\(", "answer is ", " ", "\\frac{", "(", "**", "1/", "_")
        ),
        ("option", " "),
        ("answer ", "\n"),
        ("1", " "),
        ("#### ", " "),
    ],
)
@pytest.mark.parametrize("form", ["number", "expression", "choice", "yes-no"])
def test_long_repetition_is_no_trap(start: str, piece: str, form: Form) -> None:
    # All of it is searched, from its first character to its last.
    assert cpu_seconds(lambda text: final_answer(text, form), hostile(start, piece, 19_900)) < ENOUGH
    final_answer(piece * 100_000, form)
