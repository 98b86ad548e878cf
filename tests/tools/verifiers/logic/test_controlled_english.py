"""Plain sentences are read into the one formula that they mean; whatever may mean something else is left unread."""

import pytest

from tests.hostile import ENOUGH, cpu_seconds
from tools.verifiers.logic.controlled_english import read
from tools.verifiers.logic.formula import parse


@pytest.mark.parametrize(
    ("sentence", "formula"),
    [
        ("Tom is a cat.", "cat(tom)"),
        ("Tom is not kind.", "not kind(tom)"),
        ("The bald eagle likes the dog.", "likes(bald_eagle, dog)"),
        ("The lion does not see Anne.", "not see(lion, anne)"),
        ("Every cat is an animal.", "all x. (cat(x) -> animal(x))"),
        ("Each cat is not shy.", "all x. (cat(x) -> not shy(x))"),
        ("Cats are animals.", "all x. (cats(x) -> animals(x))"),
        ("Kind people are round", "all x. (kind(x) -> round(x))"),
        ("Rough, green things are not kind.", "all x. ((rough(x) and green(x)) -> not kind(x))"),
        ("All cats that are big are loud.", "all x. ((cats(x) and big(x)) -> loud(x))"),
        ("Everyone who is kind likes the dog.", "all x. (kind(x) -> likes(x, dog))"),
        ("Everything is round.", "all x. round(x)"),
        ("No cat is a dog.", "all x. (cat(x) -> not dog(x))"),
        ("Some cats are loud.", "exists x. (cats(x) and loud(x))"),
        ("Someone is loud.", "exists x. loud(x)"),
        ("If someone is big and green then they are kind.", "all x. ((big(x) and green(x)) -> kind(x))"),
        ("If something is big and not green then it sees Tom.", "all x. ((big(x) and not green(x)) -> sees(x, tom))"),
        (
            "If someone visits the cat and the cat is big then the cat likes the dog.",
            "all x. ((visits(x, cat) and big(cat)) -> likes(cat, dog))",
        ),
        ("If the lion is round then it eats the dog.", "round(lion) -> eats(lion, dog)"),
        ("When Tom is kind, Anne is kind and Bob is not loud.", "kind(tom) -> (kind(anne) and not loud(bob))"),
    ],
)
def test_what_a_plain_sentence_means(sentence: str, formula: str) -> None:
    assert read(sentence) == parse(formula)


@pytest.mark.parametrize(
    "sentence",
    [
        "",
        "Why?",
        "Most cats are loud.",
        "Tom is either kind or loud.",
        "Tom is in Paris.",
        "Tom is older than Anne.",
        "Only cats are loud.",
        "Tom may be kind.",
        # A toy lion is no lion, and who is called what is not said.
        "Toy lions are loud.",
        # What is loud, the cat or whoever sees it?
        "If someone sees the cat and it is loud then they are kind.",
        "If someone is kind then someone is loud.",
        "If Tom is kind then Anne is kind then Bob is kind.",
        "Tom is kind, and that is all.",
        "It is loud.",
        "Not all cats are loud.",
        "All cats are not loud or they sleep.",
        "2 cats are loud.",
        "Tom sleeps in the garden.",
    ],
)
def test_what_is_not_plain_is_left_unread(sentence: str) -> None:
    assert read(sentence) is None


@pytest.mark.parametrize("piece", ["the the ", "and ", "if someone is a and b ", "kind, ", "who is x "])
def test_a_hostile_sentence_is_read_in_little_time(piece: str) -> None:
    assert cpu_seconds(lambda text: read(text), piece * 20_000) < ENOUGH
    for length in (5, 10, 20, 39):
        words = " ".join((piece * length).split()[:length])
        assert cpu_seconds(lambda text: read(text), words) < ENOUGH
