"""Versions of the learned router: stored whole, put in service on evidence only, and taken back."""

import math
from pathlib import Path

import pytest

from routers.embedding import WordEmbedder
from routers.estimators.features import Array
from routers.estimators.knn import fit_neighbours
from routers.estimators.route_to_reason_training import Options, fit_route_to_reason
from routers.estimators.table import Table, TooFewOutcomes
from routers.route import Effort
from routers.training import Course, Trained, rejudge, train
from routers.versions import RouterShelf, VersionError
from tests.routers import outcomes

_PRICE: dict[Effort, float] = {"none": float("inf"), "low": 1.0, "medium": 0.1, "high": 0.04}
_COURSE = Course("knn", small="a" * 64, large="b" * 64, price=_PRICE, folds=3)


@pytest.fixture(scope="module")
def good(specialists: Table) -> Trained:
    return train(specialists, fit_neighbours(k=20), _COURSE)


@pytest.fixture(scope="module")
def useless(noise: Table) -> Trained:
    return train(noise, fit_neighbours(k=20), _COURSE)


def _save(shelf: RouterShelf, trained: Trained) -> str:
    shelf.save(trained.card, trained.estimator, trained.familiarity, trained.keys)
    return trained.card.id


def test_a_version_predicts_after_loading_as_before(tmp_path: Path, good: Trained, specialists: Table) -> None:
    shelf = RouterShelf(tmp_path)
    card, estimator, familiarity = shelf.load(_save(shelf, good))
    features = specialists.features()[7]
    assert card == good.card and shelf.keys(card.id) == set(specialists.split_keys)
    expected = good.estimator.predict(features)
    assert estimator.predict(features)["cot(large)"].success == pytest.approx(expected["cot(large)"].success, abs=1e-5)
    assert familiarity.strange(features) == good.familiarity.strange(features)


def test_the_card_says_how_it_was_judged(good: Trained, useless: Trained) -> None:
    card = good.card
    assert [judged.effort for judged in card.judged] == ["medium", "low", "high"]
    assert card.beats and card.verdict().startswith("it beats the best constant: +")
    assert card.families == {"arithmetic": 60, "geography": 60, "logic": 60}
    assert card.brier < card.brier_constant
    assert not useless.card.beats and "no evidence" in useless.card.verdict()
    assert card.data != useless.card.data and len(card.data) == 64


def test_only_evidence_puts_a_version_in_service(tmp_path: Path, good: Trained, useless: Trained) -> None:
    shelf = RouterShelf(tmp_path)
    better, worse = _save(shelf, good), _save(shelf, useless)
    assert shelf.active() is None
    with pytest.raises(VersionError, match=r"not put in service: no evidence.*paired, held out"):
        shelf.activate(worse, "a" * 64, "b" * 64)
    with pytest.raises(VersionError, match="trained for the models"):
        shelf.activate(better, "a" * 64, "c" * 64)
    with pytest.raises(VersionError, match="not for unknown and unknown"):
        shelf.activate(better, "", "")
    assert shelf.active() is None
    shelf.activate(better, "a" * 64, "b" * 64)
    assert RouterShelf(tmp_path).active() == better
    assert [card.id for card in shelf.versions()] == sorted([better, worse])


def test_it_has_a_say_only_at_prices_at_which_it_was_judged_better(good: Trained) -> None:
    low = next(one for one in good.card.judged if one.effort == "low")
    worse = low.model_copy(update={"interval": (-0.01, 0.2)})
    rest = tuple(one for one in good.card.judged if one is not low)
    card = good.card.model_copy(update={"judged": (*rest, worse)})
    assert card.beats
    prices = card.prices({**_PRICE, "high": 123.0})
    assert prices["medium"] == _PRICE["medium"]
    assert prices["low"] == prices["high"] == math.inf, "no evidence at one, another price at the other"


def test_rollback_goes_back_step_by_step(tmp_path: Path, good: Trained, specialists: Table) -> None:
    shelf = RouterShelf(tmp_path)
    with pytest.raises(VersionError, match="nothing to roll back"):
        shelf.rollback()
    first = _save(shelf, good)
    second = _save(shelf, train(specialists, fit_neighbours(k=25), _COURSE))
    for version in (first, second, second):
        shelf.activate(version, "a" * 64, "b" * 64)
    assert shelf.rollback() == first == shelf.active()
    assert shelf.rollback() is None and shelf.active() is None


def test_a_version_that_is_gone_or_broken_is_named(tmp_path: Path, good: Trained) -> None:
    shelf = RouterShelf(tmp_path)
    version = _save(shelf, good)
    for wrong in ("20200101T000000-abcdef", "../routers", ""):
        with pytest.raises(VersionError, match=f"known: {version}"):
            shelf.load(wrong)
    whole = (tmp_path / version / "estimator.npz").read_bytes()
    for broken in (b"broken", whole[: len(whole) // 2], whole[:40], b""):
        (tmp_path / version / "estimator.npz").write_bytes(broken)
        with pytest.raises(VersionError, match=version):
            shelf.load(version)
    with pytest.raises(VersionError, match="already"):
        _save(shelf, good)


def test_the_same_data_and_seed_make_the_same_version(descriptions: dict[str, Array], specialists: Table) -> None:
    fit = fit_route_to_reason(descriptions, Options(epochs=6))
    course = Course("route-to-reason", "a", "b", _PRICE, folds=2)
    once, again = (train(specialists, fit, course) for _ in range(2))
    assert once.card.model_dump(exclude={"id", "created"}) == again.card.model_dump(exclude={"id", "created"})


def test_a_version_is_judged_again_on_new_questions_only(good: Trained, word_embedder: WordEmbedder) -> None:
    later = [
        one.model_copy(update={"id": f"new/{one.id}", "split_key": f"new/{one.id}"})
        for one in outcomes.synthetic(25, seed=5)
    ]
    known = outcomes.synthetic(60)
    questions, judged = rejudge(outcomes.table([*known, *later], word_embedder), good.estimator, good.keys, _PRICE)
    assert questions == 50, "of three topics one is asked in a way that a router has no say about"
    assert judged[0].accuracy > judged[0].constant_accuracy + 0.1
    with pytest.raises(TooFewOutcomes, match="0 questions"):
        rejudge(outcomes.table(known, word_embedder), good.estimator, good.keys, _PRICE)
