"""Reading what a model proposes: text that nobody vouches for, of which only the expected shape gets through."""

import json
import re
from collections.abc import Collection

from orchestrator.playbook.entry import Recipe
from orchestrator.playbook.text import NAME_CHARACTERS, TEXT_CHARACTERS, plain, slug

_LINE = re.compile(
    r"^\s*+(?:[-*•]|\d++[.)])?\s*+[`*\"]*+"
    r"(?P<name>[A-Za-z][\w \-]{2,80}?)[`*\"]*\s*:\s*(?P<text>\S.*)$"
)
_WORDS = (3, 60)
_NAMING = 6


def behaviours_in(text: str, most: int) -> list[tuple[str, str]]:
    """(name, instruction) of every line of the form ``name: instruction``, each name once."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        name, instruction = slug(match["name"])[:NAME_CHARACTERS], plain(match["text"], TEXT_CHARACTERS).strip('"*` ')
        if "_" in name and _is_sentence(instruction):
            found.setdefault(name, instruction)
    return list(found.items())[:most]


def recipes_in(text: str, strategies: Collection[str]) -> list[Recipe]:
    """Recipes from a JSON array of {"strategy", "model"}, with an "instruction" or without, or of names like
    ``cot(small)``, that stand for something."""
    try:
        values = json.loads(text[text.find("[") : text.rfind("]") + 1])
    except ValueError:
        return []
    recipes: dict[str, Recipe] = {}
    for value in values:
        recipe = recipe_named(_name(value), strategies)
        if recipe is not None:
            recipe = recipe.model_copy(update={"instruction": _instruction(value)})
            recipes.setdefault(recipe.name, recipe)
    return list(recipes.values())


def example_name(question: str) -> str:
    """What an example is called by: the first words of its own question, which goes with it. Numbers say nothing."""
    words = [word for word in slug(question).split("_") if not word.isdigit()]
    return "_".join(["example", *words[:_NAMING]])


def recipe_named(name: str, strategies: Collection[str]) -> Recipe | None:
    """The recipe of a route's name such as ``program(small)``; None for a strategy or role that does not exist."""
    match = re.fullmatch(r"(?P<strategy>[a-z_-]+)\((?P<model>small|large)\)", name)
    if match is None or match["strategy"] not in strategies:
        return None
    return Recipe(strategy=match["strategy"], models=(match["model"],))


def _name(value: object) -> str:
    if isinstance(value, dict):
        return f"{value.get('strategy')}({value.get('model')})"
    return str(value)


def _instruction(value: object) -> str:
    """As it may stand in a prompt; empty where there is none that says something."""
    said = value.get("instruction") if isinstance(value, dict) else None
    instruction = plain(said, TEXT_CHARACTERS).strip('"*` ') if isinstance(said, str) else ""
    return instruction if _is_sentence(instruction) else ""


def _is_sentence(instruction: str) -> bool:
    return _WORDS[0] <= len(instruction.split()) <= _WORDS[1]
