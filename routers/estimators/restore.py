"""Estimators back from what is stored of them."""

from collections.abc import Callable, Mapping

from routers.estimators.constant import Averages
from routers.estimators.knn import Neighbours
from routers.estimators.length import ByLength
from routers.estimators.protocol import Estimator, State
from routers.estimators.random_mix import RandomMix
from routers.estimators.route_to_reason import RouteToReason
from routers.estimators.win_rate import WinRate

_KINDS: Mapping[str, Callable[[State], Estimator]] = {
    "constant": Averages.restored,
    "random-mix": RandomMix.restored,
    "length": ByLength.restored,
    "win-rate": WinRate.restored,
    "knn": Neighbours.restored,
    "route-to-reason": RouteToReason.restored,
}


def restored(state: State) -> Estimator:
    """Raises ``KeyError`` for a kind or an array that is missing."""
    return _KINDS[state.kind](state)
