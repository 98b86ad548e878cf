"""The systems that are compared: constants, mixes, routers, the answer-side policy and both together."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.routing.data import RoutingData
from bench.routing.frontier import Trial, mixed
from bench.routing.replay import Replayed, StartingWith, comparable, replay
from orchestrator.policies import climbing
from orchestrator.settings import Settings
from routers.acceptance.answering import Answering
from routers.acceptance.asked import Asked, folds_of
from routers.acceptance.card import AcceptanceCard
from routers.acceptance.training import FOLDS, Pair, train
from routers.acceptance.weighing import Weighing
from routers.assessment import assess
from routers.coding import Coding
from routers.estimators.choice import best_route
from routers.estimators.protocol import Fit, Predictions
from routers.evaluation import cross_fit
from routers.ladder import Ladder
from routers.policy import Policy
from routers.route import Effort, Route, route_named
from routers.value import Valued, Weighed, has_a_say
from workers.messages import Message

PRICES = (0.01, 0.03, 0.06, 0.1, 0.2, 0.4, 0.8)
_SHARES = (0.25, 0.5, 0.75)
_ROLES = {"small": "small", "large": "large"}
_EFFORTS: tuple[Effort, ...] = ("low", "medium", "high")
_TALKER = route_named("direct(large)")
"""What writes where no answer could be compared, as in the settings."""

Advance = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Cards:
    """For every question the card of a fold that has learned neither from it nor from what shares its split key."""

    by_key: Mapping[str, AcceptanceCard]

    def of(self, one: Asked) -> AcceptanceCard:
        return self.by_key[one.split_key]


def cross_fitted_cards(data: RoutingData, answering: Answering, seed: int, advance: Advance) -> Cards:
    """One card a fold, trained on everything outside it."""
    folds = folds_of([one.split_key for one in data.asked], FOLDS, seed)
    found: dict[str, AcceptanceCard] = {}
    for fold in range(FOLDS):
        outside = [one for one, own in zip(data.asked, folds, strict=True) if own != fold]
        card = train(outside, Pair("", "", data.parameters), answering, seed)
        found |= {one.split_key: card for one, own in zip(data.asked, folds, strict=True) if own == fold}
        advance(f"acceptance, fold {fold + 1} of {FOLDS}")
    return Cards(found)


def constants(data: RoutingData) -> list[Trial]:
    return [data.constant(route) for route in data.routes]


def mixes(data: RoutingData, pairs: Sequence[tuple[str, str]]) -> list[Trial]:
    return [mixed(data.constant(cheap), data.constant(dear), share) for cheap, dear in pairs for share in _SHARES]


def router(data: RoutingData, name: str, fit: Fit, seed: int) -> tuple[list[Trial], list[Predictions]]:
    """A router by the question alone at every price, on predictions that have not seen the question."""
    predictions = data.of_tried(cross_fit(data.learning, fit, seed=seed))
    trials = []
    for price in PRICES:
        chosen = [
            best_route(known, price) if comparable(one) else _TALKER.name
            for one, known in zip(data.tried, predictions, strict=True)
        ]
        trials.append(data.choosing(name, f"λ {price:g}", chosen))
    return trials, predictions


def ladders(data: RoutingData, settings: Settings) -> list[Trial]:
    """`auto` as it serves without anything learned. Its thresholds were chosen on some of these questions."""
    trials = []
    for effort in _EFFORTS:
        ladder = _ladder(settings, effort)
        trials.append(_trial(data, "ladder", effort, [replay(ladder, one, effort) for one in data.tried]))
    return trials


def weighed_ladders(data: RoutingData, cards: Cards, settings: Settings) -> list[Trial]:
    """`auto` where evidence decides on the same rungs, at the prices of the settings."""
    trials = []
    for effort in _EFFORTS:
        ladder, price = _ladder(settings, effort), settings.acceptance.price[effort]
        names = tuple(dict.fromkeys((*settings.auto.ladders[effort], *settings.auto.choosing[effort])))
        made = []
        for one in data.tried:
            start = ladder.first(assess([Message(role="user", content=one.question)]), effort).route.name
            made.append(replay(_weighing(cards.of(one), start, price, names), one, "medium"))
        trials.append(_trial(data, "ladder by evidence", effort, made))
    return trials


def routed_ladders(data: RoutingData, name: str, predictions: Sequence[Predictions], settings: Settings) -> list[Trial]:
    """What would serve with the router: its route first where it has a say, at the prices of the settings, then the
    ladder. Every question counts as familiar."""
    trials = []
    for effort in _EFFORTS:
        ladder, price = _ladder(settings, effort), settings.acceptance.price[effort]
        made = [
            replay(Valued(ladder, _weighed(one, known, price)), one, effort)
            for one, known in zip(data.tried, predictions, strict=True)
        ]
        trials.append(_trial(data, f"{name}, then ladder", effort, made))
    return trials


def _weighed(one: Asked, predictions: Predictions, price: float) -> Weighed:
    assessment = assess([Message(role="user", content=one.question)])
    route = route_named(best_route(predictions, price)) if has_a_say(assessment) else None
    return Weighed(route=route, reason="")


def _ladder(settings: Settings, effort: Effort) -> Policy:
    auto = settings.auto
    rungs, choosing = (
        {effort: tuple(route_named(name) for name in names[effort])} for names in (auto.ladders, auto.choosing)
    )
    return climbing(auto, rungs, choosing, talker=_TALKER, clerk=route_named("direct(small)"))


def serving(settings: Settings, effort: Effort) -> Policy:
    """`auto` without anything learned, for functions too; but for the solver, which asks no model."""
    return Coding(_ladder(settings, effort), tuple(route_named(name) for name in settings.auto.code))


def answer_side(data: RoutingData, cards: Cards, start: str) -> list[Trial]:
    """Evidence decides after each attempt, at every price; the first route is always ``start``."""
    return [
        _trial(
            data,
            f"evidence after {start}",
            f"λ {price:g}",
            [replay(_weighing(cards.of(one), start, price, data.routes), one, "medium") for one in data.tried],
        )
        for price in PRICES
    ]


def together(data: RoutingData, cards: Cards, name: str, predictions: Sequence[Predictions]) -> list[Trial]:
    """The router's route first, then evidence decides, both at the same price."""
    trials = []
    for price in PRICES:
        made = [
            replay(_routed(data, cards.of(one), known, price), one, "medium")
            for one, known in zip(data.tried, predictions, strict=True)
        ]
        trials.append(_trial(data, f"{name}, then evidence", f"λ {price:g}", made))
    return trials


def _routed(data: RoutingData, card: AcceptanceCard, predictions: Predictions, price: float) -> Policy:
    """Starts with the best route among those whose answers can be judged."""
    judged = {route: known for route, known in predictions.items() if route in card.routes}
    return _weighing(card, best_route(judged, price), price, data.routes)


def _weighing(card: AcceptanceCard, start: str, price: float, routes: Sequence[str]) -> Policy:
    options: tuple[Route, ...] = tuple(route_named(route) for route in routes if route in card.routes)
    first = route_named(start)
    never = Ladder(
        {"medium": (first,)},
        talker=_TALKER,
        clerk=first,
        enough={"program": {"medium": -math.inf}},
        agreeing=1,
        scales={},
    )
    weighing = Weighing(never, card, _ROLES, {"medium": options}, {"medium": price})
    return StartingWith(weighing, first)


def _trial(data: RoutingData, system: str, setting: str, made: Sequence[Replayed]) -> Trial:
    return data.trial(
        system,
        setting,
        right=[float(bool(one.right)) for one in made],
        tokens=[one.tokens for one in made],
        seconds=[one.seconds for one in made],
    )
