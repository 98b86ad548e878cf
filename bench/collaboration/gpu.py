"""Wall-clock on a GPU of traces that were made elsewhere: by a model of the GPU, or by what was measured on one."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from bench.collaboration.costs import EngineCosts, decoding_steps
from workers.usage import Usage

# Billions of parameters of the small and the large model, beside the pair's own.
_PAIRS = ((1.7, 32.0), (1.7, 8.0), (8.0, 32.0))

Work = tuple[Mapping[str, Usage], Mapping[str, int]]
"""What both models did for some answers: usage and calls by model."""


class GpuUnreadable(ValueError):
    """The file holds no costs of a GPU; the message says what is wrong with it."""


class Gpu(BaseModel, ABC):
    """Serves both models one request at a time. Models are known by their billions of parameters. ``hop`` is what a
    call costs besides decoding and reading, in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hop: float = 0.005

    @abstractmethod
    def pairs(self, small: float, large: float) -> Sequence[tuple[float, float]]:
        """Sizes of small and large models that can be told of, for a pair of these sizes."""

    @abstractmethod
    def decode(self, billions: float) -> float:
        """Seconds a token."""

    @abstractmethod
    def read(self, billions: float, tokens: int, calls: int) -> float:
        """Seconds for ``tokens`` in ``calls`` chunks."""

    def seconds(self, work: Work, billions: Mapping[str, float]) -> float:
        """Wall-clock of ``work`` by models of these sizes."""
        _, calls = work
        return sum(self._busy(work, model, size) for model, size in billions.items()) + self.hop * sum(calls.values())

    def break_even_ratio(
        self, work: Work, alone: Work, small: tuple[str, float], large: tuple[str, float]
    ) -> float | None:
        """The ratio of the large model's seconds a token to the small one's from which on ``work`` is faster than what
        the large model does ``alone``; None where it never is. Models are (name, size): the small one stays as it is,
        and all that the large one does takes longer by one factor."""
        saved = self._busy(alone, *large) - self._busy(work, *large)
        if saved <= 0:
            return None
        added = self._busy(work, *small) + self.hop * (sum(work[1].values()) - sum(alone[1].values()))
        return max(0.0, added / saved) * self.decode(large[1]) / self.decode(small[1])

    def _busy(self, work: Work, model: str, size: float) -> float:
        """Seconds of decoding and reading. Every call's reading takes at least one pass over all weights, out of which
        its first token comes."""
        usage, calls = work
        if model not in usage:
            return 0.0
        used, times = usage[model], calls[model]
        reading = max(self.read(size, used.prompt - used.cached, times), times * self.decode(size))
        return decoding_steps(used, times) * self.decode(size) + reading


class GpuModel(Gpu):
    """Decoding is bound by memory: every token reads all weights once. Reading is bound by arithmetic: two operations
    for each weight and token.

    The defaults are NVIDIA's data sheet of the A100 80GB SXM (2,039 GB/s; 312 TFLOPS dense in bfloat16), of which half
    is assumed to be reached in either case, and weights of two bytes.
    """

    bandwidth: float = 2039e9
    operations: float = 312e12
    reached: float = 0.5
    weight_bytes: float = 2.0

    def pairs(self, small: float, large: float) -> Sequence[tuple[float, float]]:
        return ((small, large), *_PAIRS)

    def decode(self, billions: float) -> float:
        return billions * 1e9 * self.weight_bytes / (self.bandwidth * self.reached)

    def read(self, billions: float, tokens: int, calls: int) -> float:
        return tokens * billions * 1e9 * 2 / (self.operations * self.reached)


class MeasuredGpu(Gpu):
    """What decoding and reading cost on a GPU for the ``models`` that were measured there, by their billions of
    parameters."""

    models: dict[float, EngineCosts]

    @field_validator("models")
    @classmethod
    def _make_a_pair(cls, models: dict[float, EngineCosts]) -> dict[float, EngineCosts]:
        if len(models) < 2:
            raise ValueError("at least two models are needed, by their billions of parameters")
        for size, costs in models.items():
            if costs.decode <= 0 or not costs.read or min(costs.read) < 1:
                raise ValueError(
                    f"model {size:g} needs seconds above 0 for `decode`, and `read` by the size of a chunk"
                )
        return models

    def pairs(self, small: float, large: float) -> Sequence[tuple[float, float]]:
        """The measured ones, whatever the pair's own sizes are; its own first where both were measured."""
        return sorted(combinations(sorted(self.models), 2), key=lambda pair: pair != (small, large))

    def decode(self, billions: float) -> float:
        return self.models[billions].decode

    def read(self, billions: float, tokens: int, calls: int) -> float:
        return self.models[billions].read_seconds(tokens, calls)


def read_gpu(path: Path) -> MeasuredGpu:
    """Raises ``GpuUnreadable``."""
    try:
        return MeasuredGpu.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise GpuUnreadable(
            f"{path} does not say what a GPU costs ({error}); docs/benchmarks.md shows such a file"
        ) from error


def write_gpu(path: Path, gpu: MeasuredGpu) -> Path:
    """So that ``read_gpu`` reads it."""
    path.write_text(gpu.model_dump_json(indent=2))
    return path
