"""When two answers are the same."""

import sys
import threading
from collections.abc import Iterator
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.verifiers.equality import LONGEST, cluster, equal
from tools.verifiers.numbers import number
from tools.verifiers.protocol import Form
from tools.verifiers.symbolic import ProcessComparison

SAME: list[tuple[Form, str, str]] = [
    ("number", "$1,200.00", "1200"),
    ("number", "18 dollars", "18"),
    ("number", "0.5", "1/2"),
    ("number", "50%", "50"),
    ("number", "50%", "0.5"),
    ("number", "50\\%", "50 percent"),
    ("number", r"\frac{1}{2}", "0.50"),
    ("number", r"\dfrac{-3}{4}", "-0.75"),
    ("number", r"\$18", "18."),
    ("number", "**18**", "$18$"),
    ("number", "12\\text{ cm}", "12"),
    ("number", "-$5", "$-5"),
    ("number", "−5", "-5"),
    ("number", "2 1/2", "2.5"),
    ("number", "3e8", r"3 \times 10^{8}"),
    ("number", "17.999999999999996", "18"),
    ("number", "0.333333", "1/3"),
    ("number", "x = 5", "5"),
    ("number", "1{,}000", "1000"),
    ("number", "3 sqrt(2)", r"3\sqrt{2}"),
    ("expression", "x+1", "1+x"),
    ("expression", "(x+1)^2", "x**2 + 2*x + 1"),
    ("expression", "sqrt(8)", r"2\sqrt{2}"),
    ("expression", r"\frac{x}{2}", "x/2"),
    ("expression", "{1, 2}", r"\{2, 1\}"),
    ("expression", "0.25", r"\frac14"),
    ("expression", "pi", r"\pi"),
    ("choice", "(B)", "b"),
    ("choice", "B.", "**B**"),
    ("choice", "B) the dog", "B"),
    ("choice", "Option C", "C: the cat"),
    ("yes-no", "Yes.", "true"),
    ("yes-no", "False", "no, never"),
    ("text", "The  Dog", "the dog"),
]
DIFFERENT: list[tuple[Form, str, str]] = [
    ("number", "3", "-3"),
    ("number", "1000001", "1000000"),
    ("number", "0.00000001", "0.00000002"),
    ("number", "18", ""),
    ("number", "eighteen", "18"),
    ("number", "1/0", "0"),
    ("expression", "2x", "2"),
    ("expression", "x+1", "x-1"),
    ("expression", "(1,2)", "(2,1)"),
    ("expression", "3.14", r"\pi"),
    ("choice", "(A)", "B"),
    ("choice", "the dog", "the cat"),
    ("choice", "A dog", "A cat"),
    ("yes-no", "yes", "no"),
    ("yes-no", "perhaps", "no"),
    ("text", "dog", "cat"),
]

numbers = st.one_of(
    st.integers(-(10**12), 10**12).map(str),
    st.decimals(-(10**9), 10**9, places=3, allow_nan=False).map(str),
    st.tuples(st.integers(-10_000, 10_000), st.integers(1, 10_000)).map(lambda pair: f"{pair[0]}/{pair[1]}"),
)


@pytest.mark.parametrize(("form", "left", "right"), SAME)
def test_same(form: Form, left: str, right: str) -> None:
    assert equal(left, right, form)
    assert equal(right, left, form)


@pytest.mark.parametrize(("form", "left", "right"), DIFFERENT)
def test_different(form: Form, left: str, right: str) -> None:
    assert not equal(left, right, form)
    assert not equal(right, left, form)


@given(numbers)
def test_a_number_equals_itself_in_other_clothes(text: str) -> None:
    for other in (text, f" {text}. ", f"${text}", f"{text} dollars", f"**{text}**", f"\\text{{{text}}}"):
        assert equal(other, text, "number")


@given(numbers, numbers)
def test_equality_of_numbers_is_symmetric(left: str, right: str) -> None:
    assert equal(left, right, "number") == equal(right, left, "number")


@given(st.integers(-(10**15), 10**15), st.integers(-(10**15), 10**15))
def test_whole_numbers_are_equal_only_if_they_are_the_same(left: int, right: int) -> None:
    assert equal(f"{left:,}", str(right), "number") == (left == right)


@given(st.fractions(-(10**6), 10**6, max_denominator=10**4))
def test_a_number_survives_being_written(value: Fraction) -> None:
    read = number(f"{value.numerator}/{value.denominator}")
    assert read is not None
    assert read.value == value
    again = number(str(read))
    assert again is not None
    assert again.value == value


@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(["choice", "yes-no", "text"]))
def test_any_text_may_come(left: str, right: str, form: Form) -> None:
    assert equal(left, left, form)
    assert equal(left, right, form) == equal(right, left, form)


@pytest.fixture(scope="module")
def quick() -> Iterator[ProcessComparison]:
    comparison = ProcessComparison(seconds=2.0)
    yield comparison
    comparison.close()


@pytest.mark.parametrize(
    "hostile",
    [
        "9**9**9",
        "9^{9^{9^9}}",
        "(" * 900 + ")" * 900,
        r"\frac{1}" * 200,
        "factorial(10**9)",
        "10^{99999999}!",
        "x" * LONGEST,
        "__import__('os').abort()",
        "\x00\ud800",
    ],
)
def test_a_hostile_expression_does_not_hold_us_up(hostile: str, quick: ProcessComparison) -> None:
    assert not equal(hostile, "x + 7", "expression", symbolic=quick)
    other = len(hostile)  # a new one each time, for what was compared before is remembered
    assert equal(f"x + {other}", f"{other} + x", "expression", symbolic=quick), "it must go on afterwards"


def test_expressions_never_run_as_code(tmp_path_factory: pytest.TempPathFactory, quick: ProcessComparison) -> None:
    mark = tmp_path_factory.mktemp("code") / "mark"
    equal(f"__import__('pathlib').Path('{mark}').touch()", "1", "expression", symbolic=quick)
    assert not mark.exists()


def test_it_works_off_the_main_thread(quick: ProcessComparison) -> None:
    verdicts: list[bool] = []
    threads = [
        threading.Thread(target=lambda n=n: verdicts.append(equal(f"x+{n}", f"{n}+x", "expression", symbolic=quick)))
        for n in range(1, 6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verdicts == [True] * 5


def test_a_closed_comparison_starts_again() -> None:
    comparison = ProcessComparison()
    assert comparison.equal("x+1", "1+x")
    comparison.close()
    assert comparison.equal("x+2", "2+x")
    comparison.close()


def test_what_was_compared_before_is_known_without_comparing(monkeypatch: pytest.MonkeyPatch) -> None:
    comparison = ProcessComparison()
    assert comparison.equal("x+1", "1+x")
    comparison.close()
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert comparison.equal("x+1", "1+x")
    assert not comparison.equal("x+2", "2+x"), "no process could be started, and that is not remembered"
    monkeypatch.undo()
    assert comparison.equal("x+2", "2+x")
    comparison.close()


@pytest.mark.parametrize(
    ("values", "groups"),
    [
        ([], []),
        ([None, None], []),
        (["1", "2", None, "1.0", "2", "3", "$2"], [[1, 4, 6], [0, 3], [5]]),
        (["5", "7"], [[0], [1]]),
        (["7", "5", "5 apples", "7.0"], [[0, 3], [1, 2]]),
    ],
)
def test_cluster(values: list[str | None], groups: list[list[int]]) -> None:
    assert cluster(values, "number") == groups


@given(st.lists(st.one_of(st.none(), st.integers(0, 3).map(str)), max_size=12))
def test_cluster_puts_each_answer_into_one_group(values: list[str | None]) -> None:
    groups = cluster(values, "number")
    assert sorted(i for group in groups for i in group) == [i for i, value in enumerate(values) if value is not None]
    assert [len(group) for group in groups] == sorted((len(group) for group in groups), reverse=True)
