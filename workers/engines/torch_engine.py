"""An engine in this process: transformers on the processor or a GPU, with a prefix cache, full logits and hidden
states."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from workers.engines.chat_template import ChatTemplate
from workers.engines.errors import EngineRefused, UnfitRequest, check_ids
from workers.engines.protocol import EngineDescription, Finish, Generation, Token
from workers.engines.torch_decoding import TorchDecoding
from workers.engines.torch_model import TorchModel, load_torch_model
from workers.engines.torch_prefix import PrefixCaches, Seen

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reading:
    """What the model would have written at n places of a text: the ``ids`` (n, top) of its most probable tokens with
    their natural-log probabilities ``logprobs``, most probable first, and its last hidden state ``hidden`` (n, width)
    before each of them."""

    ids: NDArray[np.int32]
    logprobs: NDArray[np.float32]
    hidden: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Outlook:
    """The whole next-token distribution: ``logits`` (vocabulary) as they come and the last ``hidden`` state (width)."""

    logits: NDArray[np.float32]
    hidden: NDArray[np.float32]


class TorchEngine:
    """One model at ``source`` (a GGUF file or a Hugging Face folder), loaded when it is first needed.

    Generations take turns step by step, in a thread of the engine's own: a step is one token, or a chunk of a prompt,
    whenever the reader asks for more. ``prefixes`` sequences are kept for those that begin like them: as many as are
    written at once, so that each finds its own again.
    """

    def __init__(self, name: str, source: str | Path, *, context: int = 0, threads: int = 0, prefixes: int = 4) -> None:
        self.name = name
        self._source = Path(source)
        self._context = context
        self._threads = threads
        self._kept = prefixes
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"torch-{name}")
        self._loading = asyncio.Lock()
        self._model: TorchModel | None = None
        self._caches: PrefixCaches | None = None
        self._template: ChatTemplate | None = None

    async def alive(self) -> None:
        """There is no server: it lives with this process."""

    async def describe(self) -> EngineDescription:
        model, _ = await self._ready()
        device = str(model.model.device)
        return EngineDescription(
            model=self._source.name,
            vocabulary=model.vocabulary,
            context=model.context,
            extra={"device": device, "dtype": str(model.model.dtype).removeprefix("torch.")},
        )

    async def generate(self, generation: Generation) -> AsyncIterator[Token | Finish]:
        model, caches = await self._ready()
        self._check(model, generation)
        decoding = TorchDecoding(model, caches, generation)
        try:
            while True:
                for event in await self._run(decoding.step):
                    yield event
                    if isinstance(event, Finish):
                        return
        finally:
            with suppress(RuntimeError):  # the engine is closed, and its caches are gone
                # In the thread: a step may be under way there still.
                self._thread.submit(decoding.release)

    async def read(self, ids: Sequence[int], start: int, top: int) -> Reading:
        """What the model would have written in place of every id from ``start`` (at least 1) on, in one pass over the
        text. Raises as ``generate``."""
        if not 0 < start < len(ids):
            raise EngineRefused(f"engine {self.name!r} cannot read {len(ids)} ids from position {start} on")
        model, caches = await self._ready()
        check_ids(self.name, tuple(ids), model.vocabulary)
        return await self._run(lambda: _read(caches, list(ids), start, top))

    async def look(self, ids: Sequence[int]) -> Outlook:
        """The whole distribution of what follows ``ids``. Raises as ``generate``."""
        model, caches = await self._ready()
        check_ids(self.name, tuple(ids), model.vocabulary)
        return await self._run(lambda: _look(caches, list(ids)))

    async def embeddings(self) -> NDArray[np.float32]:
        """The model's input embeddings (vocabulary, width)."""
        model, _ = await self._ready()
        weight = model.model.get_input_embeddings().weight
        out: NDArray[np.float32] = await self._run(lambda: weight.detach().float().cpu().numpy())
        return out

    async def tokenize(self, text: str) -> tuple[int, ...]:
        model, _ = await self._ready()
        return tuple(await asyncio.to_thread(model.tokenizer.encode, text, add_special_tokens=False))

    async def detokenize(self, ids: Sequence[int]) -> str:
        model, _ = await self._ready()
        check_ids(self.name, tuple(ids), model.vocabulary)
        return str(model.tokenizer.decode(list(ids)))

    async def render(self, messages: Sequence[Mapping[str, Any]]) -> str:
        model, _ = await self._ready()
        if self._template is None:
            if not model.template:
                raise EngineRefused(f"model {self.name!r} in {self._source} has no chat template: it cannot chat")
            self._template = ChatTemplate(model.template, model.tokenizer.special_tokens_map)
        return self._template.render(messages)

    async def aclose(self) -> None:
        self._model = self._caches = None
        await asyncio.to_thread(self._thread.shutdown)

    def _check(self, model: TorchModel, generation: Generation) -> None:
        check_ids(self.name, generation.prompt, model.vocabulary)
        if not generation.prompt:
            raise EngineRefused(f"engine {self.name!r} was given an empty prompt")
        if len(generation.prompt) >= model.context:
            raise UnfitRequest(
                f"the prompt of {len(generation.prompt)} tokens does not fit engine {self.name!r}, which holds "
                f"{model.context} with the answer; shorten it or raise `context`",
                "context_length_exceeded",
            )
        if generation.sampling.json_schema is not None:
            raise UnfitRequest(
                f"engine {self.name!r} runs in torch and cannot follow a JSON schema; leave response_format out or "
                "serve the model with llama.cpp or SGLang"
            )

    async def _ready(self) -> tuple[TorchModel, PrefixCaches]:
        async with self._loading:
            if self._model is None or self._caches is None:
                self._model = await self._run(
                    lambda: load_torch_model(self.name, self._source, context=self._context, threads=self._threads)
                )
                self._caches = PrefixCaches(self._model, self._kept)
            return self._model, self._caches

    async def _run(self, work: Callable[[], T]) -> T:
        """Do ``work`` in the engine's thread. Cancelled, it takes it back, or waits for it where it is under way: what
        it reads has no other reader."""
        job = self._thread.submit(work)
        future = asyncio.wrap_future(job)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            if not job.cancel():
                await asyncio.wait([future])
            raise


def _read(caches: PrefixCaches, ids: list[int], start: int, top: int) -> Reading:
    import torch

    # The last id is not read: nothing of the text comes after it.
    seen = _seen(caches, ids[:-1], kept=len(ids) - start)
    assert seen.hidden is not None
    values, found = torch.topk(torch.log_softmax(seen.logits, dim=-1), top)
    return Reading(
        ids=found.cpu().numpy().astype(np.int32),
        logprobs=values.cpu().numpy().astype(np.float32),
        hidden=seen.hidden.cpu().numpy().astype(np.float32),
    )


def _look(caches: PrefixCaches, ids: list[int]) -> Outlook:
    seen = _seen(caches, ids, kept=1)
    assert seen.hidden is not None
    return Outlook(seen.logits[-1].cpu().numpy(), seen.hidden[-1].cpu().numpy())


def _seen(caches: PrefixCaches, ids: list[int], kept: int) -> Seen:
    """What the model makes of the last ``kept`` of ``ids``, hidden states included."""
    prefix = caches.take(ids, leave=kept)
    try:
        return caches.read(prefix, ids[len(prefix.ids) :], kept=kept, hidden=True)
    finally:
        caches.release(prefix)
