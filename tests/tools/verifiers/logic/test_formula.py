"""Formulas as models write them: read as data, or refused in words."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.verifiers.logic.formula import Atom, Binary, NotAFormula, parse, shown


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("∀x (Cat(x) → Mammal(x))", "all x. (cat(x) -> mammal(x))"),
        ("forall x. Cat(x) => Mammal(x).", "all x. (cat(x) -> mammal(x))"),
        ("∃x ¬Dog(x) ∧ Q", "(exists x. not dog(x)) and Q"),
        # A quantifier without a dot still means what comes after it by its own variable.
        ("forall x Cat(x) -> Mammal(x)", "all x. (cat(x) -> mammal(x))"),
        ("all x (Cat(x)) -> Mammal(x)", "all x. (cat(x) -> mammal(x))"),
        ("(exists x Cat(x)) and Mammal(x)", "all x. ((exists x. cat(x)) and mammal(x))"),
        ("P or Q and R", "P or (Q and R)"),
        ("P -> Q -> R", "P -> (Q -> R)"),
        ("not P(a) xor Q(a)", "(not P(a)) xor Q(a)"),
        ("all x y. R(x, y)", "all x. all y. R(x, y)"),
        ("Cat(x) -> Mammal(x)", "all x. (Cat(x) -> Mammal(x))"),
        ("a != b", "not (a = b)"),
    ],
)
def test_the_usual_ways_of_writing_mean_the_same(written: str, plain: str) -> None:
    assert parse(written) == parse(plain)


@pytest.mark.parametrize(
    "written", ["all x. (Cat(x) and not (Dog(x) or Big(x)) -> exists y. Likes(x, y))", "a = b", "P xor (Q <-> R)"]
)
def test_what_is_shown_of_a_formula_is_that_formula(written: str) -> None:
    assert parse(shown(parse(written))) == parse(written)


def test_a_name_is_a_thing_and_a_bound_letter_is_not() -> None:
    assert parse("Likes(tom, Dog)") == Atom("likes", ("tom", "dog"))
    assert isinstance(parse("P and Q"), Binary)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P(",
        "P) ",
        "all x",
        "P(a) Q(b)",
        "__import__('os')",
        "(assert false)",
        "P(f(a))",
        "(" * 1000,
        "P and" * 1000,
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(NotAFormula):
        parse(text)


@given(st.text(alphabet="PQxyab()->&|~.∀∃ not and", max_size=200))
def test_no_text_breaks_the_parser(text: str) -> None:
    with contextlib.suppress(NotAFormula):
        parse(text)
