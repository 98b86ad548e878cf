"""What estimators learn from outcomes with a known truth, and that they say the same after being stored."""

import random
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from routers.embedding import WordEmbedder
from routers.estimators.choice import best_route
from routers.estimators.constant import fit_averages
from routers.estimators.features import Array, Features
from routers.estimators.knn import fit_neighbours
from routers.estimators.length import fit_length
from routers.estimators.protocol import Estimator, Fit, Prediction
from routers.estimators.random_mix import random_mix
from routers.estimators.restore import restored
from routers.estimators.route_to_reason_training import Options, fit_route_to_reason
from routers.estimators.table import Table, TooFewOutcomes
from routers.estimators.win_rate import fit_win_rate
from routers.evaluation import brier, cross_fit
from tests.routers import outcomes

Fitted = Callable[[str], Estimator]

_QUICK = Options(epochs=40, learning_rate=5e-3)
_ARITHMETIC = "Ann packs 12 boxes with 7 pens each. How many pens does she pack?"
_LOGIC = "If every lorpus is a numpus and Sam is a lorpus, is Sam a numpus? Yes or no?"


@pytest.fixture(scope="module")
def fits(descriptions: dict[str, Array]) -> dict[str, Fit]:
    return {
        "constant": fit_averages,
        "random-mix": random_mix("direct(small)", "cot(large)", 0.3),
        "length": fit_length,
        "win-rate": fit_win_rate("cot(large)", "direct(large)"),
        "knn": fit_neighbours(k=20),
        "route-to-reason": fit_route_to_reason(descriptions, _QUICK),
    }


@pytest.fixture(scope="module")
def fitted(fits: dict[str, Fit], specialists: Table) -> Fitted:
    """The estimator of that name, which learns from the specialists when it is first asked for."""
    return cache(lambda name: fits[name](specialists, 0))


def _features(embedder: WordEmbedder, text: str, topic: str) -> Features:
    return Features(text, outcomes.FORMS[topic], embedder.embed_blocking([text])[0])


@pytest.mark.parametrize("name", ["constant", "random-mix", "length", "win-rate", "knn", "route-to-reason"])
def test_a_stored_estimator_predicts_as_before(
    name: str, fitted: Fitted, specialists: Table, word_embedder: WordEmbedder
) -> None:
    estimator = fitted(name)
    features = _features(word_embedder, _ARITHMETIC, "arithmetic")
    before, after = estimator.predict(features), restored(estimator.state()).predict(features)
    assert set(before) == set(after) == set(estimator.routes) <= set(specialists.routes)
    for route, prediction in before.items():
        assert after[route].success == pytest.approx(prediction.success, abs=1e-4)
        assert after[route].cost == pytest.approx(prediction.cost, rel=1e-3, abs=1e-4)
        assert after[route].proven == prediction.proven


@pytest.mark.parametrize("name", ["knn", "route-to-reason"])
def test_what_tells_topics_apart_finds_the_specialist(name: str, fitted: Fitted, word_embedder: WordEmbedder) -> None:
    estimator = fitted(name)
    arithmetic = estimator.predict(_features(word_embedder, _ARITHMETIC, "arithmetic"))
    logic = estimator.predict(_features(word_embedder, _LOGIC, "logic"))
    assert best_route(arithmetic, 0.1) == "program(large)" and arithmetic["program(large)"].success > 0.7
    assert best_route(logic, 0.1) == "cot(large)" and logic["program(large)"].success < 0.5
    assert logic["cot(large)"].tokens > 1.5 * logic["program(large)"].tokens > 3 * logic["direct(large)"].cost


def test_the_baselines_say_what_they_are(fitted: Fitted, specialists: Table) -> None:
    averages = fitted("constant").predict(specialists.features()[0])
    assert averages["cot(large)"].cost == pytest.approx(1.0)
    column = specialists.routes.index("cot(large)")
    assert averages["cot(large)"].success == pytest.approx(specialists.success[:, column].mean())
    mixed = fitted("random-mix")
    drawn = [best_route(mixed.predict(one), 0.1) for one in specialists.features()]
    assert drawn == [best_route(mixed.predict(one), 0.1) for one in specialists.features()]
    assert 0.2 < drawn.count("cot(large)") / len(drawn) < 0.4


def test_a_route_is_worth_what_it_serves_not_what_its_further_samples_come_to(word_embedder: WordEmbedder) -> None:
    made = outcomes.synthetic(30, topics=("arithmetic",))
    sampled = [
        one.model_copy(update={"seed": seed, "correct": False})
        for seed in (1, 2)
        for one in made
        if "program" in one.route
    ]
    table = outcomes.table([*made, *sampled], word_embedder)
    alone = outcomes.table(made, word_embedder)
    assert np.array_equal(table.success, alone.success) and np.array_equal(table.cost, alone.cost)
    assert fit_averages(table).by_route["program(large)"].success > 0.8


def test_no_average_gains_from_questions_that_only_one_route_was_asked(word_embedder: WordEmbedder) -> None:
    skills = {"program(large)": dict.fromkeys(outcomes.TOPICS, 0.5), "cot(large)": dict.fromkeys(outcomes.TOPICS, 0.7)}
    both = outcomes.synthetic(40, skills=skills, topics=("arithmetic",))
    easy = outcomes.synthetic(80, skills={"program(large)": dict.fromkeys(outcomes.TOPICS, 1.0)}, topics=("logic",))
    averages = fit_averages(outcomes.table([*both, *easy], word_embedder)).by_route
    assert averages["cot(large)"].success > averages["program(large)"].success


def test_the_win_rate_learns_which_of_two_is_better_where(fitted: Fitted, word_embedder: WordEmbedder) -> None:
    estimator = fitted("win-rate")
    logic = estimator.predict(_features(word_embedder, _LOGIC, "logic"))
    place = "Which ocean lies west of the country Portugal? A. Atlantic B. Pacific C. Indian D. Arctic"
    geography = estimator.predict(_features(word_embedder, place, "geography"))
    assert logic["cot(large)"].success > 0.6 > 0.4 > geography["cot(large)"].success
    assert logic["cot(large)"].success + logic["direct(large)"].success == pytest.approx(1)


def test_length_says_how_hard_a_question_is_where_length_matters(word_embedder: WordEmbedder) -> None:
    made = outcomes.synthetic(60, topics=("arithmetic",))
    draw = random.Random(1)
    by_length = []
    for outcome in made:
        extra = 40 if int(outcome.id.rpartition("/")[2]) % 2 else 0
        longer = outcome.question + " They also say that it rains and that nobody minds." * (extra // 10)
        right = draw.random() < (0.1 if extra and outcome.route == "direct(small)" else 0.9)
        by_length.append(outcome.model_copy(update={"question": longer, "correct": right}))
    estimator = fit_length(outcomes.table(by_length, word_embedder))
    short = estimator.predict(_features(word_embedder, made[0].question, "arithmetic"))
    long = estimator.predict(_features(word_embedder, made[0].question + " It rains, they say." * 10, "arithmetic"))
    assert short["direct(small)"].success > 0.6 > long["direct(small)"].success
    assert best_route(short, 0.3) == "direct(small)" != best_route(long, 0.3)


def test_neighbours_leave_the_fallback_only_on_paired_evidence(noise: Table, specialists: Table) -> None:
    def routes_allowed(table: Table, z: float, k: int = 20) -> float:
        estimator = fit_neighbours(k=k, z=z)(table, 0)
        return float(np.mean([sum(p.proven for p in estimator.predict(f).values()) for f in table.features()]))

    assert routes_allowed(noise, 3.0) < 1.3 < routes_allowed(noise, 0.0)
    assert routes_allowed(specialists, 3.0) > 1.3
    # Too few neighbours are no evidence, whatever they say.
    assert routes_allowed(specialists, 0.0, k=5) == 1.0


def test_learned_probabilities_are_better_than_averages_on_unseen_questions(
    fits: dict[str, Fit], specialists: Table
) -> None:
    averages, learned = (brier(specialists, cross_fit(specialists, fits[name])) for name in ("constant", "knn"))
    assert learned < 0.8 * averages


def test_the_choice_keeps_to_the_budget_and_to_what_is_proven() -> None:
    known = {
        "cheap": Prediction(0.5, tokens=100, cost=0.1),
        "dear": Prediction(0.9, tokens=900, cost=1.0),
        "rumour": Prediction(1.0, tokens=50, cost=0.05, proven=False),
    }
    assert best_route(known, 0.1) == "dear"
    assert best_route(known, 1.0) == "cheap"
    assert best_route(known, 0.1, most_tokens=500) == "cheap"
    assert best_route(known, 0.1, most_tokens=10, fallback="dear") == "dear"
    assert best_route(known, 0.1, most_tokens=10) == "rumour"


def test_too_few_outcomes_are_refused_with_what_there_is(word_embedder: WordEmbedder) -> None:
    with pytest.raises(TooFewOutcomes, match="0 of 4 routes"):
        outcomes.table(outcomes.synthetic(5), word_embedder)
    hidden = [one.model_copy(update={"question": ""}) for one in outcomes.synthetic(30)]
    with pytest.raises(TooFewOutcomes, match="collect"):
        outcomes.table(hidden, word_embedder)
