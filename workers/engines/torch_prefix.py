"""Prefix caches of a torch model: what one call has read, the next one does not read again."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from workers.engines.torch_model import TorchModel


@dataclass(slots=True, eq=False)
class Prefix:
    """The ids that ``cache`` holds the keys and values of. While it is ``held`` it belongs to whoever took it."""

    cache: Any
    ids: list[int] = field(default_factory=list)
    held: bool = True

    def shared(self, ids: Sequence[int]) -> int:
        """How many ids at the start are the same."""
        for index, (mine, other) in enumerate(zip(self.ids, ids, strict=False)):
            if mine != other:
                return index
        return min(len(self.ids), len(ids))


@dataclass(frozen=True, slots=True)
class Seen:
    """What the model makes of some ids: ``logits`` of the last ``kept`` positions (kept, vocabulary) and, where they
    were asked for, the ``hidden`` states before them (kept, width)."""

    logits: Any
    hidden: Any | None


class PrefixCaches:
    """``kept`` sequences, those that are held among them; more only while more are held. Used from one thread."""

    def __init__(self, model: TorchModel, kept: int) -> None:
        self._model = model
        self._kept = kept
        # In the order of their last use, the oldest first.
        self._prefixes: list[Prefix] = []

    def take(self, ids: Sequence[int], leave: int = 1) -> Prefix:
        """The longest cached beginning of ``ids``, possibly empty, that leaves at least the last ``leave`` of them to
        be read, which gives their logits.

        The caller holds it until it is released. A read that fails costs the cache nothing but this.
        """
        best = max(self._prefixes, key=lambda prefix: prefix.shared(ids), default=None)
        shared = 0 if best is None else min(best.shared(ids), len(ids) - leave)
        # Recurrent and sliding-window layers have forgotten what they would have to go back to.
        if best is None or not shared or (shared < len(best.ids) and not best.cache.is_croppable):
            return self._new()
        if self._is_others(best, shared):
            best = Prefix(copy.deepcopy(best.cache), list(best.ids))
        else:
            self._prefixes.remove(best)
            best.held = True
        surplus = len(best.ids) - shared
        if surplus:
            best.cache.crop(-surplus)
            del best.ids[shared:]
        return best

    def read(self, prefix: Prefix, ids: Sequence[int], kept: int = 1, hidden: bool = False) -> Seen:
        """Read ``ids`` after the prefix, which grows by them."""
        import torch

        self._prefixes = [one for one in self._prefixes if one is not prefix]
        inputs = torch.tensor([list(ids)], device=self._model.model.device)
        with torch.inference_mode():
            out = self._model.model(
                input_ids=inputs,
                past_key_values=prefix.cache,
                use_cache=True,
                logits_to_keep=kept,
                output_hidden_states=hidden,
            )
        prefix.ids.extend(ids)
        self._prefixes.append(prefix)
        self._drop_surplus()
        states = out.hidden_states[-1][0, -kept:].float() if hidden else None
        return Seen(out.logits[0, -kept:].float(), states)

    def release(self, prefix: Prefix) -> None:
        """Leave it to those that begin like it."""
        prefix.held = False
        self._drop_surplus()

    def _is_others(self, prefix: Prefix, shared: int) -> bool:
        """Whether somebody goes on from its end who would miss what lies behind the first ``shared`` ids. Sequences
        that only begin alike, with the same system prompt, would otherwise take it from each other in turn."""
        if prefix.held:
            return True
        if shared == len(prefix.ids):
            return False
        return len(self._prefixes) < self._kept or 2 * shared < len(prefix.ids)

    def _drop_surplus(self) -> None:
        surplus = len(self._prefixes) - self._kept
        oldest = [prefix for prefix in self._prefixes if not prefix.held][: max(0, surplus)]
        self._prefixes = [prefix for prefix in self._prefixes if prefix not in oldest]

    def _new(self) -> Prefix:
        from transformers import DynamicCache

        return Prefix(DynamicCache(config=self._model.model.config))
