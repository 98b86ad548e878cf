"""Training: everything of a card, judged and calibrated where it was not fitted."""

import datetime
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from agents.problem import AnswerForm
from routers.acceptance.answering import Answering
from routers.acceptance.asked import Asked, data_hash, folds_of
from routers.acceptance.calibration import calibration_floor, expected_calibration_error
from routers.acceptance.card import AcceptanceCard, Measured
from routers.acceptance.cases import cases_of
from routers.acceptance.features import names
from routers.acceptance.fitting import Fitted, fit, log_loss
from routers.acceptance.gains import Observed, Standing, gains_of, observe
from routers.acceptance.risk import risk_points
from routers.cost import weigh_all

FOLDS = 5
YARDSTICK = "cot(large)"
_NEEDED = ("program(large)", YARDSTICK)
_ENOUGH_OF_A_ROUTE = 30

_Kind = TypeVar("_Kind", bound=str)


class TooFewOutcomes(Exception):
    """There is not enough to learn from; the message says what is there and what is needed."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The sha256 of the two models' files, and billions of parameters by the name of the model in the outcomes."""

    small: str
    large: str
    parameters: Mapping[str, float]


@dataclass
class _Unseen:
    """What the folds' models say of questions that they have not learned from."""

    probabilities: list[float] = field(default_factory=list)
    right: list[float] = field(default_factory=list)
    observed: Observed = field(default_factory=dict)
    steps: dict[AnswerForm, list[list[tuple[float, bool]]]] = field(default_factory=dict)
    loss: list[float] = field(default_factory=list)


def routes_of(asked: Sequence[Asked]) -> tuple[str, ...]:
    """The routes with enough answers to learn from, sorted. Only those of one model: an answer that several have
    written does not say which."""
    count: dict[str, int] = {}
    for one in asked:
        for attempt in one.attempts:
            if "(" not in attempt.route or "+" in attempt.route:
                continue
            count[attempt.route] = count.get(attempt.route, 0) + (attempt.value is not None)
    return tuple(sorted(route for route, n in count.items() if n >= _ENOUGH_OF_A_ROUTE))


def train(asked: Sequence[Asked], pair: Pair, answering: Answering, seed: int) -> AcceptanceCard:
    """Five folds by split key give what is known of calibration, gains and risks; the card's own model then learns from
    everything. ``answering``: whose answers the risks are about, so that each form's thresholds are learned from the
    attempts that serve its questions.

    Raises ``TooFewOutcomes`` and ``TrainingMissing``.
    """
    routes = routes_of(asked)
    _refuse_too_little(asked, routes)
    unseen = across_folds(asked, routes, answering, seed)
    fitted = fit(asked, routes, seed)
    return AcceptanceCard(
        small=pair.small,
        large=pair.large,
        created=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        data=data_hash(asked),
        seed=seed,
        questions=_counted([one.form for one in asked]),
        families=_counted([one.family for one in asked]),
        routes=routes,
        scales=fitted.scales,
        weights=tuple(float(weight) for weight in fitted.weights),
        bias=fitted.bias,
        calibration=fitted.calibration,
        measured=measure(asked, routes, pair.parameters),
        gains=gains_of(unseen.observed),
        ladder=tuple(route.name for route in answering.options),
        risks=tuple(point for form in sorted(unseen.steps) for point in risk_points(unseen.steps[form], form)),
        metrics=_metrics(unseen),
    )


def fitted_folds(asked: Sequence[Asked], routes: Sequence[str], seed: int) -> list[tuple[Fitted, list[Asked]]]:
    """For each fold the model of the other folds and the questions that it has not seen."""
    folds = folds_of([one.split_key for one in asked], FOLDS, seed)
    found = []
    for fold in range(FOLDS):
        train = [one for one, own in zip(asked, folds, strict=True) if own != fold]
        test = [one for one, own in zip(asked, folds, strict=True) if own == fold]
        if test:
            found.append((fit(train, routes, seed), test))
    return found


def across_folds(asked: Sequence[Asked], routes: Sequence[str], answering: Answering, seed: int) -> _Unseen:
    unseen = _Unseen()
    for fitted, test in fitted_folds(asked, routes, seed):
        cases = cases_of(test, routes, fitted.scales, seed)
        probabilities = fitted.probabilities(cases)
        single = cases.size == 1
        unseen.probabilities += probabilities[single].tolist()
        unseen.right += cases.right[single].tolist()
        unseen.loss.append(log_loss(probabilities, cases.right, cases.weights) * len(test) / len(asked))
        standing = Standing(fitted.probability, fitted.scales)
        observe(test, standing, routes, unseen.observed)
        for one in test:
            offers = answering.offers(one, routes)
            if offers is not None:
                unseen.steps.setdefault(one.form, []).append([standing.sure(one, offer) for offer in offers])
    return unseen


def measure(asked: Sequence[Asked], routes: Sequence[str], parameters: Mapping[str, float]) -> tuple[Measured, ...]:
    """Every route's success, tokens and cost on the questions of each form that it was asked, greedily."""
    found = []
    for form, route in itertools.product(sorted({one.form for one in asked}), routes):
        own = [(one, index) for one in asked if one.form == form and (index := one.index(route)) is not None]
        beside = [(one, index, beside_it) for one, index in own if (beside_it := one.index(YARDSTICK)) is not None]
        spent = sum(weigh_all(one.tokens[index], parameters) for one, index, _ in beside)
        base = sum(weigh_all(one.tokens[other], parameters) for one, _, other in beside)
        if not own or not base:
            continue
        found.append(
            Measured(
                route=route,
                form=form,
                n=len(own),
                right=sum(one.right[index] for one, index in own),
                tokens=float(np.mean([sum(u.completion for u in one.tokens[i].values()) for one, i in own])),
                cost=spent / base,
            )
        )
    return tuple(found)


def _metrics(unseen: _Unseen) -> dict[str, float]:
    return {
        "attempts": float(len(unseen.right)),
        "ece": expected_calibration_error(unseen.probabilities, unseen.right),
        "ece_by_chance": calibration_floor(unseen.probabilities),
        "log_loss": float(sum(unseen.loss)),
    }


def _counted(kinds: Sequence[_Kind]) -> dict[_Kind, int]:
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}


def _refuse_too_little(asked: Sequence[Asked], routes: Sequence[str]) -> None:
    missing = [route for route in _NEEDED if route not in routes]
    if missing:
        raise TooFewOutcomes(
            f"{len(asked)} questions hold fewer than {_ENOUGH_OF_A_ROUTE} answers of {', '.join(missing)}; collect "
            "more with `tandem bench collect`"
        )


def columns(card: AcceptanceCard) -> dict[str, float]:
    """The weight of each feature by what it means, for a reader of the card."""
    return dict(zip(names(card.routes), card.weights, strict=True))
