"""Beyond the training: a strategy added with a few outcomes."""

from collections.abc import Mapping

from bench.routing.data import RoutingData
from bench.routing.report import LeftOutRow
from routers.estimators.features import Array
from routers.transfer import leave_one_out

_PRICE = 0.1
_OUTCOMES = 20


def left_out(data: RoutingData, described: Mapping[str, Array], seed: int) -> list[LeftOutRow]:
    """Every route once as the first of its strategy that the router gets to know."""
    rows = []
    for route in data.routes:
        found = leave_one_out(data.wide, route, described, price=_PRICE, outcomes=_OUTCOMES, seed=seed)
        rows.append(
            LeftOutRow(
                route=route,
                outcomes=found.outcomes,
                best_in=found.best_in,
                best_on=found.best_on,
                chosen=found.chosen,
                others=found.others,
                elsewhere=found.elsewhere,
                gain=found.gain.mean,
                gain_ci95=(found.gain.low, found.gain.high),
            )
        )
    return rows
