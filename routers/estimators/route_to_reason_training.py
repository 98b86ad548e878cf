"""Training Route-To-Reason in torch, and adding a route to it from a handful of outcomes."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routers.acceptance.asked import folds_of
from routers.estimators.descriptions import parts as parts_in
from routers.estimators.descriptions import parts_of
from routers.estimators.features import Array
from routers.estimators.inputs import Inputs
from routers.estimators.route_to_reason import HEADS, Head, RouteToReason, part_indices
from routers.estimators.table import Table, TooFewOutcomes

_FEWEST = 20
_VALIDATED = 6  # one of so many questions watches over the training


@dataclass(frozen=True, slots=True)
class Options:
    """Of the paper's code: Adam at 1e-3, at most 100 epochs, validation every third, patience five. Widths and batch
    are for hundreds of questions instead of thousands."""

    hidden: int = 48
    learned: int = 8
    batch: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    dropout: float = 0.2
    epochs: int = 100
    every: int = 3
    patience: int = 5
    adding_steps: int = 300
    adding_decay: float = 0.02


def fit_route_to_reason(
    descriptions: Mapping[str, Array], options: Options = Options()
) -> Callable[[Table, int], RouteToReason]:
    """``descriptions``: the vector of every strategy and model, as ``embed_parts`` gives them. The questions that
    decide when to stop are taken from the table itself, never from those it is judged by."""

    def fit(table: Table, seed: int) -> RouteToReason:
        parts = parts_in(table.routes)
        described = np.stack([descriptions[part] for part in parts]) * math.sqrt(table.vectors.shape[1])
        inputs = Inputs.fitted(table)
        questions = np.stack([inputs.columns(features) for features in table.features()])
        pairs = _Pairs.of(table, questions)
        watched = np.asarray(folds_of(table.split_keys, _VALIDATED, seed))[pairs.question] == 0
        heads = {name: _fit_head(name, pairs, watched, described, parts, table.routes, seed, options) for name in HEADS}
        rates = _rates(table)
        return RouteToReason(table.routes, parts, described.astype(np.float32), inputs, rates, **heads)

    return fit


def with_route(
    router: RouteToReason,
    route: str,
    table: Table,
    descriptions: Mapping[str, Array],
    options: Options = Options(),
) -> RouteToReason:
    """``router`` with one more route, learned from its outcomes in ``table`` while everything else stays as it is: only
    the learned vectors of a strategy or model that is new, and the route's own bias. Raises ``TooFewOutcomes``."""
    column = table.routes.index(route)
    tried = np.flatnonzero(~np.isnan(table.success[:, column]))
    if len(tried) < _FEWEST:
        raise TooFewOutcomes(f"{len(tried)} outcomes of {route} are known, and {_FEWEST} are needed to add it")
    sample = table.rows(tried).only([route])
    fresh = tuple(part for part in dict.fromkeys(parts_of(route)) if part not in router.parts)
    parts = (*router.parts, *fresh)
    scale = math.sqrt(router.descriptions.shape[1])
    described = np.stack([*router.descriptions, *(descriptions[part] * scale for part in fresh)]).astype(np.float32)
    questions = np.stack([router.inputs.columns(features) for features in sample.features()])
    pairs = _Pairs.of(sample, questions)
    heads = {}
    for name, head in router.heads.items():
        start = replace(
            head,
            items=np.vstack([head.items, np.zeros((len(fresh), head.items.shape[1]), dtype=np.float32)]),
            bias=np.append(head.bias, head.bias.mean()).astype(np.float32),
        )
        heads[name] = _fit_new(name, start, pairs, described, parts, route, len(fresh), options)
    rates = np.append(router.rates, _rates(sample)).astype(np.float32)
    return RouteToReason((*router.routes, route), parts, described, router.inputs, rates, **heads)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Every attempt of the table: the row of its question, the column of its route, and what came of it."""

    questions: Array
    question: NDArray[np.int64]
    route: NDArray[np.int64]
    targets: dict[str, Array]

    @classmethod
    def of(cls, table: Table, questions: Array) -> "_Pairs":
        question, route = np.nonzero(~np.isnan(table.success))
        success, tokens = table.success[question, route], np.log1p(table.tokens[question, route])
        targets = {"success": success.astype(np.float32), "tokens": tokens.astype(np.float32)}
        return cls(questions, question, route, targets)


def _rates(table: Table) -> Array:
    rates: Array = (np.nansum(table.cost, axis=0) / np.maximum(np.nansum(table.tokens, axis=0), 1)).astype(np.float32)
    return rates


def _fit_head(
    name: str,
    pairs: _Pairs,
    watched: NDArray[np.bool_],
    described: Array,
    parts: Sequence[str],
    routes: Sequence[str],
    seed: int,
    options: Options,
) -> Head:
    import torch

    torch.manual_seed(seed)
    net = _Net.new(name, pairs, described, parts, routes, options)
    optimiser = torch.optim.AdamW(net.parameters, lr=options.learning_rate, weight_decay=options.weight_decay)
    train, watch = (torch.from_numpy(np.flatnonzero(mask)) for mask in (~watched, watched))
    best, lowest, kept = 0, math.inf, net.arrays()
    for epoch in range(1, options.epochs + 1):
        for batch in train[torch.randperm(len(train))].split(options.batch):
            optimiser.zero_grad()
            net.loss(batch, options.dropout).backward()
            optimiser.step()
        if epoch % options.every:
            continue
        with torch.inference_mode():
            loss = float(net.loss(watch if len(watch) else train))
        if loss < lowest:
            best, lowest, kept = epoch, loss, net.arrays()
        elif epoch - best >= options.patience * options.every:
            break
    return kept


def _fit_new(
    name: str,
    start: Head,
    pairs: _Pairs,
    described: Array,
    parts: Sequence[str],
    route: str,
    fresh: int,
    options: Options,
) -> Head:
    import torch

    net = _Net(name, start, pairs, described, part_indices([route], parts))
    items, bias = (torch.from_numpy(array.copy()) for array in (start.items, start.bias[-1:]))
    item = torch.zeros(fresh, start.items.shape[1], requires_grad=True)
    own = bias.clone().requires_grad_()
    optimiser = torch.optim.Adam([item, own], lr=0.05)
    everything = torch.arange(len(pairs.question))
    for _ in range(options.adding_steps):
        optimiser.zero_grad()
        net.tensors["items"] = torch.cat([items[: len(items) - fresh], item])
        net.tensors["bias"] = own
        (net.loss(everything) + options.adding_decay * (item**2).sum()).backward()
        optimiser.step()
    net.tensors["bias"] = torch.cat([torch.from_numpy(start.bias[:-1].copy()), own])
    return net.arrays()


class _Net:
    """The same computation as ``RouteToReason``'s, on tensors, with its loss over numbered attempts."""

    def __init__(
        self, name: str, head: Head, pairs: _Pairs, described: Array, indices: Sequence[Sequence[int]]
    ) -> None:
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
        cls, name: str, pairs: _Pairs, described: Array, parts: Sequence[str], routes: Sequence[str], options: Options
    ) -> "_Net":
        import torch

        q, d, e, h = pairs.questions.shape[1], described.shape[1], options.learned, options.hidden
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
