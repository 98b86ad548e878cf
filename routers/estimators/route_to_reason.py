"""Route-To-Reason: success and tokens of every (model, strategy) from the vectors of question, model and strategy.

Two networks of one hidden layer (arXiv 2505.19435, section 3): each reads the question's vector, the vectors of the
descriptions of model and strategy, and a learned vector for each of the two. What differs: the learned vectors also
meet the question in a product, so that few outcomes tell what a new strategy is good at; tokens are learned as
logarithms; and the choice is by value, as in ``choice``, which the paper leaves open.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from routers.estimators.descriptions import parts_of
from routers.estimators.features import Array, Features
from routers.estimators.inputs import Inputs
from routers.estimators.protocol import Prediction, Predictions, State

_LONGEST = 12.0  # in the logarithm of tokens
HEADS = ("success", "tokens")


@dataclass(frozen=True, slots=True)
class Head:
    """One network's arrays. With q columns of a question, d of a description and e of a learned vector: ``question``
    (hidden, q), ``described`` (hidden, 2 d), ``learned`` (hidden, 2 e), ``hidden`` (hidden), ``out`` (hidden),
    ``meet`` (2 e, q), ``items`` (parts, e), ``bias`` (routes)."""

    question: Array
    described: Array
    learned: Array
    hidden: Array
    out: Array
    meet: Array
    items: Array
    bias: Array


class RouteToReason:
    """``parts`` are strategies and models, in the order of the rows of ``descriptions`` and ``Head.items``; ``rates``
    is each route's cost per token."""

    def __init__(
        self,
        routes: Sequence[str],
        parts: Sequence[str],
        descriptions: Array,
        inputs: Inputs,
        rates: Array,
        success: Head,
        tokens: Head,
    ) -> None:
        self.routes = tuple(routes)
        self.parts = tuple(parts)
        self.descriptions = descriptions
        self.inputs = inputs
        self.rates = rates
        self.heads = {"success": success, "tokens": tokens}
        # What does not depend on the question is computed once: (routes, hidden) and (routes, q).
        self._prepared = {name: self._prepare(head) for name, head in self.heads.items()}

    def predict(self, features: Features) -> Predictions:
        question = self.inputs.columns(features)
        success = 1 / (1 + np.exp(-np.clip(self._scores("success", question), -30, 30)))
        tokens = np.expm1(np.clip(self._scores("tokens", question), 0, _LONGEST))
        rows = zip(self.routes, success, tokens, tokens * self.rates, strict=True)
        return {name: Prediction(float(s), float(t), float(c)) for name, s, t, c in rows}

    def _scores(self, name: str, question: Array) -> Array:
        head, (fixed, meeting) = self.heads[name], self._prepared[name]
        hidden = np.maximum(fixed + head.question @ question, 0)
        scores: Array = hidden @ head.out + meeting @ question + head.bias
        return scores

    def _prepare(self, head: Head) -> tuple[Array, Array]:
        pairs = part_indices(self.routes, self.parts)
        described = self.descriptions[pairs].reshape(len(pairs), -1)
        learned = head.items[pairs].reshape(len(pairs), -1)
        return described @ head.described.T + learned @ head.learned.T + head.hidden, learned @ head.meet

    def state(self) -> State:
        arrays = {"descriptions": self.descriptions, "rates": self.rates}
        arrays |= {name: getattr(self.inputs, name) for name in Inputs.__dataclass_fields__}
        for name, head in self.heads.items():
            arrays |= {f"{name}.{field}": getattr(head, field) for field in Head.__dataclass_fields__}
        return State("route-to-reason", {"routes": list(self.routes), "parts": list(self.parts)}, arrays)

    @classmethod
    def restored(cls, state: State) -> "RouteToReason":
        arrays = state.arrays
        success, tokens = (Head(*(arrays[f"{name}.{field}"] for field in Head.__dataclass_fields__)) for name in HEADS)
        values = state.values
        inputs = Inputs(*(arrays[name] for name in Inputs.__dataclass_fields__))
        fixed = (arrays["descriptions"], inputs, arrays["rates"])
        return cls(values["routes"], values["parts"], *fixed, success, tokens)


def part_indices(routes: Sequence[str], parts: Sequence[str]) -> list[list[int]]:
    """(routes, 2): the rows of a route's strategy and model."""
    return [[parts.index(part) for part in parts_of(route)] for route in routes]
