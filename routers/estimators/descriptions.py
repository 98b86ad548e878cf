"""What models and strategies are, in a sentence each: where a new one starts before anything is known of it."""

from collections.abc import Sequence

from routers.embedding import Embedder
from routers.estimators.features import Array

_STRATEGIES = {
    "direct": "The answer at once, in a few words, without any reasoning before it.",
    "cot": "Step by step reasoning in prose that ends with the answer.",
    "program": "A Python program that computes the answer, run in a sandbox.",
    "consensus": "Several programs and chains of thought vote, and a judge decides where they disagree.",
    "self-consistency": "Many sampled chains of thought vote for the most frequent answer.",
    "confidence": "Sampled chains of thought vote, weighed by how confident each one is.",
    "short-m": "Sampled chains of thought, of which the shortest to finish vote.",
    "parallel": "Several answers in parallel, from which a verifier chooses.",
    "refine": "A draft that is criticised and improved in rounds.",
    "plan": "A plan of steps first, then the steps one by one.",
    "critique": "An answer, a critique of it, and a corrected answer.",
    "plan-tools": "A plan whose steps call tools, then an answer from what they found.",
    "tool-loop": "Reasoning and tool calls in turn until the answer is known.",
    "toolmaker": "A tool is written as code for this kind of problem and then used.",
    "tools": "A Python session, unit conversion and search as tools in turn.",
    "code": "A function is written until it passes the examples in its docstring.",
    "logic": "Premises are translated into first-order logic and a solver decides whether the statement follows.",
}
_ROLES = {
    "small": "A small, fast and cheap language model that makes more mistakes.",
    "large": "A larger, slower and dearer language model that makes fewer mistakes.",
}


def parts_of(route: str) -> tuple[str, str]:
    """The strategy and the models of a route's name: ``program(large)`` is ``("program", "large")``."""
    strategy, _, models = route.partition("(")
    return strategy, models.rstrip(")")


def parts(routes: Sequence[str]) -> tuple[str, ...]:
    """The strategies and models that these routes are made of, sorted."""
    return tuple(sorted({part for route in routes for part in parts_of(route)}))


def describe(part: str) -> str:
    """A strategy or model without a description of its own is described by its name."""
    if part in _STRATEGIES:
        return _STRATEGIES[part]
    return " ".join(_ROLES.get(model, f"{model.replace('-', ' ')}.") for model in part.split("+"))


async def embed_parts(embedder: Embedder, routes: Sequence[str]) -> dict[str, Array]:
    """The vector of the description of every part."""
    names = parts(routes)
    return dict(zip(names, await embedder.embed([describe(name) for name in names]), strict=True))
