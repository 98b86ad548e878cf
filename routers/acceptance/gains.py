"""What another attempt is worth: how much the chance of a right answer grows with it, by how sure one was before."""

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np

from agents.problem import AnswerForm
from routers.acceptance.answering import Offer
from routers.acceptance.asked import Asked
from routers.acceptance.attempt import Attempt, Camp
from routers.acceptance.card import Gain
from routers.acceptance.features import Scales, surest

Probability = Callable[[Sequence[Attempt], Camp, AnswerForm], float]

_BINS = 5
# Fewer questions than this say nothing; with few, a gain is drawn towards the mean of its kind.
_ENOUGH = 60
_SHRINK = 20.0
_MOST_BEFORE = 2


class Standing:
    """Where a policy stands with some attempts at a question: its best answer's probability and whether it is right."""

    def __init__(self, probability: Probability, scales: Scales) -> None:
        self._probability = probability
        self._scales = scales

    def of(self, one: Asked, chosen: Sequence[int]) -> tuple[float, bool]:
        """(0.0, False) where no attempt has an answer."""
        attempts, groups = one.view(chosen)
        best, right = 0.0, False
        for camp in groups:
            probability = self._probability(attempts, camp, one.form)
            if probability > best:
                best, right = probability, one.right[chosen[surest(attempts, camp, self._scales)]]
        return best, right

    def sure(self, one: Asked, offer: Offer) -> tuple[float, bool]:
        """How probably an answer is right that a policy would give, and whether it is."""
        attempts, groups = one.view(offer.taken)
        right = one.right[offer.taken[offer.position]]
        own = next((camp for camp in groups if offer.position in camp.members), None)
        return (0.0 if own is None else self._probability(attempts, own, one.form)), right


Observed = dict[tuple[tuple[str, ...], str], list[tuple[float, float]]]


def observe(asked: Sequence[Asked], standing: Standing, routes: Sequence[str], into: Observed) -> None:
    """Add (probability before, change in being right) for every next attempt after one or two others, which the model
    behind ``standing`` must not have learned from."""
    for one in asked:
        known = [index for index, attempt in enumerate(one.attempts) if attempt.route in routes]
        for count in range(1, _MOST_BEFORE + 1):
            for chosen in combinations(known, count):
                if not _in_order(one, chosen):
                    continue
                before, was = standing.of(one, chosen)
                after = tuple(sorted(one.attempts[index].route for index in chosen))
                for index in _next(one, chosen, known):
                    _, now = standing.of(one, (*chosen, index))
                    change = (before, float(now) - float(was))
                    route = one.attempts[index].route
                    into.setdefault((after, route), []).append(change)
                    into.setdefault(((), route), []).append(change)


def gains_of(observed: Observed) -> tuple[Gain, ...]:
    """A curve for every kind of next attempt that was seen often enough."""
    return tuple(
        _curve(after, route, changes) for (after, route), changes in sorted(observed.items()) if len(changes) >= _ENOUGH
    )


def _curve(after: tuple[str, ...], route: str, changes: Sequence[tuple[float, float]]) -> Gain:
    values = np.array(sorted(changes))
    mean = float(values[:, 1].mean())
    before: list[float] = []
    gain: list[float] = []
    for part in np.array_split(values, _BINS):
        middle = float(part[:, 0].mean())
        shrunk = float((part[:, 1].sum() + _SHRINK * mean) / (len(part) + _SHRINK))
        if before and middle <= before[-1]:
            # Many attempts without an answer fill more than one bin: one point stands for them.
            gain[-1] = (gain[-1] + shrunk) / 2
            continue
        before.append(middle)
        gain.append(shrunk)
    return Gain(after=after, route=route, n=len(changes), before=tuple(before), gain=tuple(gain))


def _in_order(one: Asked, chosen: Sequence[int]) -> bool:
    """Whether each route's attempts were taken by rising seed, as a policy takes them."""
    return all(_earlier(one, index) <= set(chosen) for index in chosen)


def _next(one: Asked, chosen: Sequence[int], known: Sequence[int]) -> list[int]:
    return [index for index in known if index not in chosen and _earlier(one, index) <= set(chosen)]


def _earlier(one: Asked, index: int) -> set[int]:
    """The attempts of the same route with lower seeds."""
    route = one.attempts[index].route
    return {other for other in range(index) if one.attempts[other].route == route}
