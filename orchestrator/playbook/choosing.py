"""Which of the entries of a topic a run uses, and which one it puts to the test."""

import random
from collections.abc import Callable, Mapping, Sequence

from orchestrator.playbook.entry import Entry, Kind, Topic
from orchestrator.playbook.evidence import saving
from orchestrator.playbook.recollection import Advice, Asked, OnTrial, Recollection, shown
from orchestrator.settings_playbook import PlaybookSettings
from routers.route import Route

_COIN = 0.5
RouteOf = Callable[[Entry], Route | None]


def choose(
    topic: Topic,
    entries: Sequence[Entry],
    asked: Asked,
    settings: PlaybookSettings,
    *,
    writers: Sequence[str],
    pupils: Sequence[str],
    route_of: RouteOf,
) -> Recollection:
    """``writers`` are the models that may be given behaviours, ``pupils`` those that may be given examples;
    ``route_of`` a recipe's route here, None where what it needs is not configured. Chance comes from the run's id, so
    that a run that is resumed chooses the same."""
    chance = random.Random(asked.run)
    with_examples = bool(pupils) and settings.examples > 0
    may_be_used: Mapping[Kind, Callable[[Entry], bool]] = {
        "recipe": lambda entry: route_of(entry) is not None and not entry.quotes(asked.question),
        "behaviour": lambda entry: bool(writers),
        "example": lambda entry: with_examples and not entry.quotes(asked.question),
    }
    usable = [entry for entry in entries if may_be_used[entry.kind](entry)]
    promoted = [entry for entry in usable if entry.status == "promoted"]
    used = in_force(promoted, topic, settings)
    tried, on_trial = None, None
    if asked.run is not None:
        candidates = [entry for entry in usable if entry.status == "candidate"]
        if asked.may_explore and candidates and chance.random() < settings.explore:
            tried = _sampled(candidates, topic, settings, chance)
            on_trial = _test(tried, topic, _COIN, chance)
            used = with_tried(used, tried, settings) if on_trial.used else used
        elif used and settings.control > 0:
            tried = chance.choice(used)
            on_trial = _test(tried, topic, 1 - settings.control, chance)
            used = used if on_trial.used else [entry for entry in used if entry is not tried]
    recipe = next((entry for entry in used if entry.kind == "recipe"), None)
    behaviours = [entry for entry in used if entry.kind == "behaviour"]
    examples = [entry for entry in used if entry.kind == "example"]
    return Recollection(
        topic=topic.id,
        used=tuple(shown(entry) for entry in used),
        advice=None if recipe is None else _advice(recipe, route_of),
        behaviours=tuple((entry.name, entry.text) for entry in behaviours),
        writers=tuple(writers) if behaviours else (),
        examples=tuple((entry.problem, entry.text) for entry in examples),
        pupils=tuple(pupils) if examples else (),
        on_trial=on_trial,
        reason=_reason(topic, used, tried, on_trial),
    )


def merit(entry: Entry, topic: Topic, rate: float, settings: PlaybookSettings) -> float:
    """A win rate with what the entry saves, on the guard's scale."""
    known = entry.trials > 0 and topic.trials > 0
    saved = saving(entry.cost / entry.trials, topic.cost / topic.trials) if known else 0.0
    return rate + settings.guard.thrift * saved


def sampled_rate(entry: Entry, chance: random.Random) -> float:
    """Thompson sampling: a win rate drawn from the Beta posterior."""
    return chance.betavariate(entry.wins + 1, max(0.0, entry.trials - entry.wins) + 1)


def in_force(promoted: Sequence[Entry], topic: Topic, settings: PlaybookSettings) -> list[Entry]:
    """What a run is given of the topic's promoted entries: the best recipe, and the best of the other kinds."""
    ordered = sorted(promoted, key=lambda entry: merit(entry, topic, entry.win_rate, settings), reverse=True)
    recipes = [entry for entry in ordered if entry.kind == "recipe"]
    behaviours = [entry for entry in ordered if entry.kind == "behaviour"]
    examples = [entry for entry in ordered if entry.kind == "example"]
    return [*recipes[:1], *behaviours[: settings.behaviours], *examples[: settings.examples]]


def with_tried(used: Sequence[Entry], tried: Entry, settings: PlaybookSettings) -> list[Entry]:
    """``used`` with an entry on trial. It takes the place of another where there is no room beside it: a run has one
    recipe, and no more examples than a prompt may have."""
    if tried.kind == "behaviour":
        return [*used, tried]
    room = {"recipe": 0, "example": settings.examples - 1}[tried.kind]
    same = [entry for entry in used if entry.kind == tried.kind][:room]
    return [*(entry for entry in used if entry.kind != tried.kind), *same, tried]


def _sampled(candidates: Sequence[Entry], topic: Topic, settings: PlaybookSettings, chance: random.Random) -> Entry:
    return max(candidates, key=lambda entry: merit(entry, topic, sampled_rate(entry, chance), settings))


def _test(entry: Entry, topic: Topic, share: float, chance: random.Random) -> OnTrial:
    return OnTrial(
        entry=entry.id,
        used=chance.random() < share,
        share=share,
        default_rate=(topic.wins + 1) / (topic.trials + 2),
        default_cost=topic.cost / topic.trials if topic.trials > 0 else 0.0,
        compared=not (entry.kind == "recipe" and entry.status == "promoted"),
    )


def _advice(recipe: Entry, route_of: RouteOf) -> Advice | None:
    route = route_of(recipe)
    if route is None or recipe.recipe is None:
        return None
    reason = f"the playbook's recipe {recipe.name} was right in {recipe.wins:g} of {recipe.trials} such problems"
    if recipe.status == "candidate":
        reason = f"the playbook tries {recipe.name} on this kind of problem"
    return Advice(route=route, reason=reason, proven=recipe.status == "promoted", **recipe.recipe.setup)


def _reason(topic: Topic, used: Sequence[Entry], tried: Entry | None, on_trial: OnTrial | None) -> str:
    seen = f"{topic.seen} problems like this were seen"
    names = ", ".join(entry.name for entry in used)
    parts = [f"{seen}; {names} helped with them" if names else seen]
    if tried is not None and on_trial is not None:
        way = "used" if on_trial.used else "left out"
        parts.append(f"{tried.name} is {way} by chance, to see what it is worth")
    return "; ".join(parts)
