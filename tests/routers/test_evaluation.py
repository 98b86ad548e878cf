"""Judging routers: what can be learned shows, what cannot does not, and nothing leaks from one fold to another."""

import numpy as np
import pytest

from routers.embedding import WordEmbedder
from routers.estimators.features import Array, Features
from routers.estimators.knn import fit_neighbours
from routers.estimators.protocol import Prediction
from routers.estimators.route_to_reason_training import Options, fit_route_to_reason, with_route
from routers.estimators.table import Table, TooFewOutcomes
from routers.evaluation import best_constant, constant, cross_fit, difference, judge, oracle
from routers.familiarity import Familiarity, fit_familiarity
from routers.transfer import best_families, drift, leave_one_out

_QUICK = Options(epochs=40, learning_rate=5e-3)


def test_a_router_that_finds_the_specialist_beats_the_best_constant(specialists: Table) -> None:
    verdict = judge(specialists, cross_fit(specialists, fit_neighbours(k=20)), price=0.1)
    assert verdict.beats and verdict.difference.low > 0.05
    assert verdict.accuracy > verdict.constant_accuracy + 0.1
    assert 0.3 < verdict.headroom <= 1


def test_where_nothing_can_be_learned_no_router_beats_the_constant(noise: Table) -> None:
    verdict = judge(noise, cross_fit(noise, fit_neighbours(k=20)), price=0.1)
    assert not verdict.beats


def test_constants_and_the_oracle_frame_every_router(specialists: Table) -> None:
    best = best_constant(specialists, 0.1)
    ideal = oracle(specialists, 0.1).value(0.1).mean()
    values = [constant(specialists, route).value(0.1).mean() for route in specialists.routes]
    assert max(values) == constant(specialists, best).value(0.1).mean() < ideal
    assert oracle(specialists).correct.mean() == pytest.approx((specialists.success.max(axis=1)).mean())


def test_questions_that_share_a_split_key_are_one_observation() -> None:
    values = np.asarray([1.0, 0.0] * 20)
    alone = difference(values, [str(n) for n in range(40)])
    tied = difference(np.repeat(values, 4), [str(n // 4) for n in range(160)])
    assert alone.mean == tied.mean == 0.5
    assert tied.high - tied.low == pytest.approx(alone.high - alone.low, rel=0.02)
    assert difference(values, ["one"] * 40).low == -np.inf


def test_no_question_is_predicted_by_what_has_seen_its_split_key(specialists: Table) -> None:
    seen: list[set[str]] = []

    class Witness:
        routes = specialists.routes

        def __init__(self, keys: set[str]) -> None:
            self.keys = keys

        def predict(self, features: Features) -> dict[str, Prediction]:
            key = specialists.split_keys[specialists.texts.index(features.text)]
            duplicates = {
                k for k, text in zip(specialists.split_keys, specialists.texts, strict=True) if text == features.text
            }
            assert not (key in self.keys and len(duplicates) == 1)
            return {}

        def state(self) -> None: ...

    def fit(table: Table, seed: int) -> Witness:
        seen.append(set(table.split_keys))
        return Witness(seen[-1])

    assert len(cross_fit(specialists, fit)) == len(specialists)  # type: ignore[arg-type]
    assert set.intersection(*seen) == set()


def test_a_strategy_unseen_in_training_is_chosen_where_it_is_best_after_twenty_outcomes(
    specialists: Table, descriptions: dict[str, Array]
) -> None:
    left_out = leave_one_out(specialists, "cot(large)", descriptions, price=0.1, options=_QUICK)
    assert (left_out.outcomes, left_out.best_in, left_out.best_on, left_out.others) == (20, ("logic",), 60, 120)
    assert left_out.chosen > 0.6 > 0.3 > left_out.elsewhere
    assert left_out.gain.low > 0


def test_where_routes_differ_by_luck_alone_none_is_best_anywhere(specialists: Table, noise: Table) -> None:
    assert best_families(specialists, "direct(large)", 0.1) == ("geography",)
    assert best_families(specialists, "direct(small)", 0.1) == ()
    assert [best_families(noise, route, 0.0) for route in noise.routes] == [()] * len(noise.routes)


def test_adding_a_route_leaves_what_is_said_of_the_others(
    specialists: Table, descriptions: dict[str, Array], word_embedder: WordEmbedder
) -> None:
    others = [route for route in specialists.routes if route != "program(large)"]
    router = fit_route_to_reason(descriptions, _QUICK)(specialists.only(others), 0)
    wider = with_route(router, "program(large)", specialists.rows(range(30)), descriptions, _QUICK)
    features = specialists.features()[0]
    before, after = router.predict(features), wider.predict(features)
    for route in others:
        assert after[route].success == pytest.approx(before[route].success, abs=1e-5)
    assert after["program(large)"].tokens < after["cot(large)"].tokens
    with pytest.raises(TooFewOutcomes, match="5 outcomes"):
        with_route(router, "program(large)", specialists.rows(range(5)), descriptions, _QUICK)


def test_questions_of_another_kind_fall_back(specialists: Table, word_embedder: WordEmbedder) -> None:
    texts = [
        "def longest(strings):\n    '''Return the longest of the strings.'''",
        "Write a sonnet about autumn leaves and the smell of rain.",
        "Translate this letter into French, please, and keep it formal.",
        "Explain how a transformer neural network attends to tokens.",
    ]
    strangers = [Features(t, "number", v) for t, v in zip(texts, word_embedder.embed_blocking(texts), strict=True)]
    drifted = drift(specialists, strangers)
    assert drifted.fell_back == 1.0 and drifted.familiar < 0.3


def test_a_longer_question_than_any_falls_back_however_like_the_known_ones_it_is(
    specialists: Table, word_embedder: WordEmbedder
) -> None:
    known, one = fit_familiarity(specialists), specialists.features()[0]
    assert known.strange(one) is None
    long = " ".join([one.text] * 20)
    [vector] = word_embedder.embed_blocking([long])
    why = known.strange(Features(long, one.form, vector))
    assert why is not None and "longer than the training questions" in why
    restored = Familiarity.restored(known.state())
    assert restored.strange(Features(long, one.form, vector)) == why and restored.strange(one) is None


def test_letters_are_not_familiar_because_numbers_are(specialists: Table) -> None:
    one = specialists.features()[0]
    number = specialists.rows([index for index, form in enumerate(specialists.forms) if form == one.form])
    other = next(features for features in specialists.features() if features.form != one.form)
    assert fit_familiarity(number).strange(one) is None
    assert f"not trained on answers of the form {other.form!r}" in (fit_familiarity(number).strange(other) or "")
