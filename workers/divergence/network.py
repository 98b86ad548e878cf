"""The head's network while it is trained; ``trained_head`` computes the same with numpy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.divergence.training_options import TrainingOptions

_ENDING = 1e-6


class Network:
    """One network with its optimiser. Inputs are standardised by what it was made with."""

    def __init__(self, model: Any, optimiser: Any, mean: Any, deviation: Any, options: TrainingOptions) -> None:
        self.model = model
        self.mean = mean
        self.deviation = deviation
        self._optimiser = optimiser
        self._options = options

    @classmethod
    def new(cls, inputs: NDArray[np.float32], options: TrainingOptions) -> "Network":
        import torch

        torch.manual_seed(options.seed)
        model = _build(inputs.shape[1], options)
        optimiser = torch.optim.AdamW(model.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay)
        mean = torch.from_numpy(inputs.mean(axis=0))
        deviation = torch.from_numpy(inputs.std(axis=0) + _ENDING)
        return cls(model, optimiser, mean, deviation, options)

    @classmethod
    def fit(
        cls, inputs: NDArray[np.float32], divergent: NDArray[np.float32], options: TrainingOptions, epochs: int
    ) -> "Network":
        network = cls.new(inputs, options)
        for _ in range(epochs):
            network.epoch(inputs, divergent)
        return network

    def epoch(self, inputs: NDArray[np.float32], divergent: NDArray[np.float32]) -> None:
        import torch

        self.model.train()
        x, y = self._standard(inputs), torch.from_numpy(divergent)
        for batch in torch.randperm(len(x)).split(self._options.batch):
            self._optimiser.zero_grad()
            self._loss(self._logits(x[batch]), y[batch], y).backward()
            self._optimiser.step()

    def loss(self, inputs: NDArray[np.float32], divergent: NDArray[np.float32]) -> float:
        import torch

        self.model.eval()
        with torch.inference_mode():
            target = torch.from_numpy(divergent)
            return float(self._loss(self._logits(self._standard(inputs)), target, target))

    def probabilities(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        import torch

        self.model.eval()
        with torch.inference_mode():
            out: NDArray[np.float32] = torch.sigmoid(self._logits(self._standard(inputs))).numpy()
        return out

    def state(self) -> Any:
        return {name: tensor.clone() for name, tensor in self.model.state_dict().items()}

    def restore(self, state: Any) -> None:
        self.model.load_state_dict(state)

    def _standard(self, inputs: NDArray[np.float32]) -> Any:
        import torch

        return (torch.from_numpy(inputs) - self.mean) / self.deviation

    def _logits(self, x: Any) -> Any:
        model = self.model
        x = model["enter"](x)
        for block in model["blocks"]:
            x = x + block["shrink"](model["dropout"](block["gelu"](block["grow"](block["norm"](x)))))
        return model["leave"](model["norm"](x))[:, 0]

    def _loss(self, logits: Any, target: Any, whole: Any) -> Any:
        from torch.nn import functional

        # Divergent tokens are rare: each weighs as many of the others as there are for one of it.
        rare = (len(whole) - whole.sum()) / whole.sum().clamp(min=1) * self._options.recall_factor
        return functional.binary_cross_entropy_with_logits(logits, target, pos_weight=rare)


def exported(network: Network) -> dict[str, NDArray[np.float32]]:
    """The arrays that ``TrainedHead`` computes with."""
    arrays = {name: tensor.numpy().copy() for name, tensor in network.model.state_dict().items()}
    return {**arrays, "mean": network.mean.numpy().copy(), "deviation": network.deviation.numpy().copy()}


def _build(features: int, options: TrainingOptions) -> Any:
    from torch import nn

    width = options.width

    def block() -> Any:
        parts = {"norm": nn.LayerNorm(width), "grow": nn.Linear(width, width), "gelu": nn.GELU(approximate="tanh")}
        return nn.ModuleDict({**parts, "shrink": nn.Linear(width, width)})

    return nn.ModuleDict(
        {
            "enter": nn.Linear(features, width),
            "blocks": nn.ModuleList([block() for _ in range(options.blocks)]),
            "dropout": nn.Dropout(options.dropout),
            "norm": nn.LayerNorm(width),
            "leave": nn.Linear(width, 1),
        }
    )
