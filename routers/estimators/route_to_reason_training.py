"""Training Route-To-Reason in torch, and adding a route to it from a handful of outcomes."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from routers.acceptance.asked import folds_of
from routers.estimators.descriptions import parts as parts_in
from routers.estimators.descriptions import parts_of
from routers.estimators.features import Array
from routers.estimators.inputs import Inputs
from routers.estimators.route_to_reason import HEADS, Head, RouteToReason, part_indices
from routers.estimators.route_to_reason_network import Net, Pairs
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
    adding_decay: float = 0.001


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
        pairs = Pairs.of(table, questions)
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
    pairs = Pairs.of(sample, questions)
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


def _rates(table: Table) -> Array:
    rates: Array = (np.nansum(table.cost, axis=0) / np.maximum(np.nansum(table.tokens, axis=0), 1)).astype(np.float32)
    return rates


def _fit_head(
    name: str,
    pairs: Pairs,
    watched: NDArray[np.bool_],
    described: Array,
    parts: Sequence[str],
    routes: Sequence[str],
    seed: int,
    options: Options,
) -> Head:
    import torch

    torch.manual_seed(seed)
    net = Net.new(name, pairs, described, parts, routes, hidden=options.hidden, learned=options.learned)
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
    pairs: Pairs,
    described: Array,
    parts: Sequence[str],
    route: str,
    fresh: int,
    options: Options,
) -> Head:
    import torch

    net = Net(name, start, pairs, described, part_indices([route], parts))
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
