"""Which outcomes may be learned from: those that were not picked because of what another attempt had said."""

from collections.abc import Iterable, Sequence

from routers.outcome import Outcome

# A question that one route failed to be asked, for example because it is too long, does not spoil the rest.
_COVERED = 0.95
_MISSED = 1


def unselected(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Benchmark outcomes of every route on the first questions of each family, up to where the route was asked only
    now and then.

    A benchmark asks a route the first questions of a family. What lies beyond in a cache of generations was asked
    because another attempt was doubted, so these are the harder questions; real runs are like that throughout. The
    order of a family's questions is the one in which the route with the most of them was tried, as stores keep it.
    """
    families: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.source == "bench":
            families.setdefault(outcome.family, []).append(outcome)
    kept: list[Outcome] = []
    for name in sorted(families):
        routes: dict[tuple[str, int], list[Outcome]] = {}
        for outcome in families[name]:
            routes.setdefault((outcome.route, outcome.seed), []).append(outcome)
        most = max(sorted(routes), key=lambda key: len(routes[key]))
        order = {id: place for place, id in enumerate(dict.fromkeys(outcome.id for outcome in routes[most]))}
        for key in sorted(routes):
            places = sorted({order[outcome.id] for outcome in routes[key] if outcome.id in order})
            end = _end(places)
            kept += [outcome for outcome in routes[key] if order.get(outcome.id, end) < end]
    return kept


def _end(places: Sequence[int]) -> int:
    """The end of the longest run of first questions that ``places`` (sorted) cover all but completely."""
    end = 0
    for count, place in enumerate(places, start=1):
        if count + _MISSED >= _COVERED * (place + 1):
            end = place + 1
    return end
