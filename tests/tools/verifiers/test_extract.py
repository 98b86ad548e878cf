"""Finding the answer in what was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile import ENOUGH, cpu_seconds, hostile
from tools.verifiers.choice_texts import choices_in
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


TRUTHS = "Is the following statement true or false? Alex is dull.\nA. True\nB. False"
YES_OR_NO = "Did Ann cause it?\nOptions:\n(A) Yes\n(B) No"
NUMBERS = "How many are left?\nA. 10\nB. 11 km\nC. 12\nD. 1,200"
PARTS = "What is in it?\nI. DNA\nII. RNA\nA. I only\nB. II only\nC. I and II\nD. A, B and C"
EFFECTS = "What does it do?\nA) give off heat\nB) give off heat and light\nC) rust, slowly\nD) play"

CHOSEN: list[tuple[str, str, str | None]] = [
    # A marked answer in words.
    (TRUTHS, r"\boxed{True}", "A"),
    (TRUTHS, r"\boxed{\text{False}}", "B"),
    (TRUTHS, "#### false", "B"),
    (TRUTHS, "The answer is **False**.", "B"),
    (TRUTHS, "The answer is False. It is not true that he is.", "B"),
    (TRUTHS, "The answer is that the statement is False, for Alex is not.", "B"),
    (TRUTHS, r"\boxed{\text{The statement is False.}}", "B"),
    (EFFECTS, r"\boxed{\text{rust slowly}}", "C"),
    (NUMBERS, r"\boxed{12}", "C"),
    (NUMBERS, r"\boxed{12.0}", "C"),
    (NUMBERS, r"\boxed{12\text{ km}}", "C"),
    (NUMBERS, r"\boxed{11}", "B"),
    (NUMBERS, r"\boxed{11\text{ miles}}", None),
    (NUMBERS, r"\boxed{1200}", "D"),
    (NUMBERS, r"\boxed{13}", None),
    (PARTS, r"\boxed{\text{I only}}", "A"),
    # A letter goes first, if it is one of theirs.
    (TRUTHS, r"\boxed{B}, so it is not true", "B"),
    (TRUTHS, "The answer is B) False.", "B"),
    (TRUTHS, "The answer is (A), not false.", "A"),
    (TRUTHS, "**B**", "B"),
    (TRUTHS, "I, as a model, say that it is false.", "B"),
    (TRUTHS, r"\boxed{E}", None),
    (PARTS, r"\boxed{I}", None),
    (PARTS, r"\boxed{\text{A, B and C}}", "D"),
    (PARTS, r"\boxed{A}", "A"),
    # The last sentence that has one of them.
    (TRUTHS, "Therefore, the statement is False.", "B"),
    (TRUTHS, "Is it true or false? Alex is not dull, so it is **False**.\nI hope this helps.", "B"),
    (TRUTHS, "A. True\nB. False\n\nThus the statement is true.", "A"),
    (TRUTHS, "A. True\nB. False", None),
    (YES_OR_NO, "No, she did not.", "B"),
    (YES_OR_NO, "There is no reason to think that.", None),
    (YES_OR_NO, "(A) Yes", "A"),
    (YES_OR_NO, "So the answer is Yes", "A"),
    (EFFECTS, "It will give off heat and light.", "B"),
    (EFFECTS, "Some rust, slowly. Children play.", "D"),
    (EFFECTS, "It displays this.", None),
    (NUMBERS, "So 12 are left.", "C"),
    # Nothing is guessed.
    (TRUTHS, "The statement is not true.", None),
    (TRUTHS, "It isn't false.", None),
    (TRUTHS, "Let us see whether it is true.", None),
    (TRUTHS, "Could it be true?", None),
    (TRUTHS, "It is true or it is false.", None),
    (NUMBERS, "5 + 12 = 17", None),
    ("Which?\nA. salt\nB. salt", r"\boxed{salt}", None),
    ("Which?\nA. 50%\nB. 0.5", r"\boxed{1/2}", None),
]


@pytest.mark.parametrize(("question", "text", "letter"), CHOSEN)
def test_a_choice_that_is_named_in_words_is_its_letter(question: str, text: str, letter: str | None) -> None:
    assert final_answer(text, "choice", choices_in(question)) == letter


@pytest.mark.parametrize(
    ("question", "stdout", "letter"),
    [
        (TRUTHS, "False\n", "B"),
        (TRUTHS, "Answer: True", "A"),
        (TRUTHS, "The statement is False", "B"),
        (NUMBERS, "working\n12.0\n", "C"),
        (NUMBERS, "(C)", "C"),
        (NUMBERS, "13", "13"),
        (NUMBERS, "\n", None),
    ],
)
def test_a_program_that_prints_what_a_choice_says_answers_with_its_letter(
    question: str, stdout: str, letter: str | None
) -> None:
    assert program_output(stdout, "choice", choices_in(question)) == letter


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


@given(st.text(max_size=200), st.text(max_size=40), st.text(max_size=40))
def test_any_choices_may_be_asked_about(text: str, first: str, second: str) -> None:
    choices = choices_in(f"Which?\nA. {first}\nB. {second}")
    assert final_answer(text, "choice", choices) in {None, *(choices or "ABCDEFGHIJ")}


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
        ("", "A. True\n"),
        ("", "true "),
        ("", "true. "),
        ("", "(A) "),
        ("", ", "),
    ],
)
@pytest.mark.parametrize("form", ["number", "expression", "choice", "yes-no"])
def test_long_repetition_is_no_trap(start: str, piece: str, form: Form) -> None:
    # All of it is searched, from its first character to its last.
    choices = choices_in(TRUTHS)
    assert cpu_seconds(lambda text: final_answer(text, form, choices), hostile(start, piece, 19_900)) < ENOUGH
    final_answer(piece * 100_000, form, choices)
