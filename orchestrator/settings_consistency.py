"""What no single setting shows to be wrong: names that stand for nothing, and ports that two parts want."""

from collections.abc import Iterable, Iterator
from itertools import combinations

from orchestrator.listeners import listeners
from orchestrator.playbook.proposals import recipe_named
from orchestrator.playbook.repertoire import proposable
from orchestrator.route_names import AUTO, NoSuchRoute, RouteNames
from orchestrator.settings import Settings
from orchestrator.settings_keys import nearest
from orchestrator.strategies import strategy_names

Fault = tuple[tuple[str, ...], str]
"""The path of a setting, and what is wrong with it."""


def faults(settings: Settings) -> Iterator[Fault]:
    """What the gateway, an engine or a request would fail over later."""
    names = RouteNames(settings, strategy_names())
    yield from _routes(settings, names)
    yield from _recipes(settings, names)
    yield from _ports(settings)


def _routes(settings: Settings, names: RouteNames) -> Iterator[Fault]:
    auto = settings.auto
    for setting, by_effort in (("ladders", auto.ladders), ("choosing", auto.choosing)):
        for effort, rungs in by_effort.items():
            yield from _of_routes(("auto", setting, effort), rungs, names)
    yield from _of_routes(("auto", "code"), auto.code, names)
    for strategy in auto.scales:
        if strategy not in names.strategies:
            yield ("auto", "scales", strategy), f"there is no such strategy; {nearest(strategy, names.strategies)}"
    yield from _of_slack(settings, names)


def _of_routes(path: tuple[str, ...], routes: Iterable[str], names: RouteNames) -> Iterator[Fault]:
    for index, name in enumerate(routes):
        try:
            names.configured(name)
        except NoSuchRoute as error:
            yield (*path, str(index)), str(error)


def _of_slack(settings: Settings, names: RouteNames) -> Iterator[Fault]:
    model, path = settings.slack.model, ("slack", "model")
    if model in AUTO:
        return
    try:
        if names.requested(model) is None:
            yield path, f"there is no model {model!r}; {nearest(model, (*AUTO, *names.strategies, *settings.models))}"
    except NoSuchRoute as error:
        yield path, str(error)


def _recipes(settings: Settings, names: RouteNames) -> Iterator[Fault]:
    path, recipes = ("playbook", "recipes"), settings.playbook.recipes
    unknown = list(_of_routes(path, recipes, names))
    yield from unknown
    fit = proposable(names.strategies)
    for index, name in enumerate(recipes):
        place = (*path, str(index))
        if recipe_named(name, fit) is None and place not in dict(unknown):
            strategies = ", ".join(sorted(fit))
            yield place, f"{name!r} cannot be a recipe: that is one of {strategies} on small or large"


def _ports(settings: Settings) -> Iterator[Fault]:
    for one, other in combinations(listeners(settings), 2):
        if other.meets(one):
            yield (*other.section, "port"), f"{other.port} is the port of {one.name} too; give {other.name} another"
