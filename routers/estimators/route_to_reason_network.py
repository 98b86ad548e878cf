"""Route-To-Reason's networks while they are trained; ``route_to_reason`` computes the same with numpy."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routers.estimators.features import Array
from routers.estimators.route_to_reason import Head, part_indices
from routers.estimators.table import Table


@dataclass(frozen=True, slots=True)
class Pairs:
    """Every attempt of the table: the row of its question, the column of its route, and what came of it."""

    questions: Array
    question: NDArray[np.int64]
    route: NDArray[np.int64]
    targets: dict[str, Array]

    @classmethod
    def of(cls, table: Table, questions: Array) -> "Pairs":
        question, route = np.nonzero(~np.isnan(table.success))
        success, tokens = table.success[question, route], np.log1p(table.tokens[question, route])
        targets = {"success": success.astype(np.float32), "tokens": tokens.astype(np.float32)}
        return cls(questions, question, route, targets)


class Net:
    """The same computation as ``RouteToReason``'s, on tensors, with its loss over numbered attempts."""

    def __init__(self, name: str, head: Head, pairs: Pairs, described: Array, indices: Sequence[Sequence[int]]) -> None:
        import torch

        self._name = name
        self.tensors: dict[str, Any] = {
            field: torch.from_numpy(getattr(head, field).copy()) for field in Head.__dataclass_fields__
        }
        self._indices = torch.tensor(indices)
        self._described = torch.from_numpy(described.astype(np.float32))[self._indices].flatten(1)
        self._questions = torch.from_numpy(pairs.questions[pairs.question])
        self._routes = torch.from_numpy(pairs.route)
        self._targets = torch.from_numpy(pairs.targets[name])

    @classmethod
    def new(
        cls,
        name: str,
        pairs: Pairs,
        described: Array,
        parts: Sequence[str],
        routes: Sequence[str],
        *,
        hidden: int,
        learned: int,
    ) -> "Net":
        import torch

        q, d, e, h = pairs.questions.shape[1], described.shape[1], learned, hidden
        spread = 1 / math.sqrt(q + 2 * d + 2 * e)
        target = pairs.targets[name]
        # From the average on, so that few epochs suffice.
        mean = float(np.clip(target.mean(), 0.01, 0.99)) if name == "success" else float(target.mean())
        bias = math.log(mean / (1 - mean)) if name == "success" else mean
        head = Head(
            question=(torch.randn(h, q) * spread).numpy(),
            described=(torch.randn(h, 2 * d) * spread).numpy(),
            learned=(torch.randn(h, 2 * e) * spread).numpy(),
            hidden=np.zeros(h, dtype=np.float32),
            out=(torch.randn(h) / math.sqrt(h)).numpy(),
            meet=(torch.randn(2 * e, q) * spread).numpy(),
            items=(torch.randn(len(parts), e) * 0.3).numpy(),
            bias=np.full(len(routes), bias, dtype=np.float32),
        )
        net = cls(name, head, pairs, described, part_indices(routes, parts))
        for tensor in net.tensors.values():
            tensor.requires_grad_()
        return net

    @property
    def parameters(self) -> list[Any]:
        return list(self.tensors.values())

    def loss(self, chosen: Any, dropout: float = 0.0) -> Any:
        from torch.nn import functional

        t, question, route = self.tensors, self._questions[chosen], self._routes[chosen]
        learned = t["items"][self._indices].flatten(1)
        fixed = self._described @ t["described"].T + learned @ t["learned"].T + t["hidden"]
        hidden = functional.dropout((question @ t["question"].T + fixed[route]).relu(), dropout, training=dropout > 0)
        scores = hidden @ t["out"] + ((learned @ t["meet"])[route] * question).sum(1) + t["bias"][route]
        if self._name == "success":
            return functional.binary_cross_entropy_with_logits(scores, self._targets[chosen])
        return functional.huber_loss(scores, self._targets[chosen])

    def arrays(self) -> Head:
        return Head(**{name: tensor.detach().numpy().copy() for name, tensor in self.tensors.items()})
