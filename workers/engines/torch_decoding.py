"""One generation of a torch model, step by step: every step is a chunk of the prompt or one token."""

from collections.abc import Sequence

from workers.engines.protocol import Finish, FinishReason, Generation, Token
from workers.engines.token_texts import TokenTexts
from workers.engines.torch_model import TorchModel
from workers.engines.torch_prefix import Prefix, PrefixCaches, Seen
from workers.engines.torch_sampling import Sampler, log_probabilities
from workers.usage import Usage

_CHUNK = 256


class TorchDecoding:
    """Used from the decoding thread. It holds a prefix from its first step until it is released, at its end or before:
    others may take steps of theirs in between."""

    def __init__(self, model: TorchModel, caches: PrefixCaches, generation: Generation) -> None:
        self._model = model
        self._caches = caches
        self._generation = generation
        self._sampler = Sampler(generation.sampling, model.model.device)
        self._texts = TokenTexts(model.tokenizer.decode, generation.prompt, generation.sampling.stop)
        self._prefix: Prefix | None = None
        self._cached = 0
        self._seen: Seen | None = None
        self._written = 0

    def step(self) -> Sequence[Token | Finish]:
        """What came of it; empty while the prompt is being read, ending with a ``Finish`` once."""
        if self._prefix is None:
            self._prefix = self._caches.take(self._generation.prompt)
            self._cached = len(self._prefix.ids)
        unread = self._generation.prompt[len(self._prefix.ids) :]
        if unread:
            self._seen = self._caches.read(self._prefix, unread[:_CHUNK])
            self._generation.counted.prompt = len(self._generation.prompt)
            self._generation.counted.cached = self._cached
            return ()
        return self._write(self._prefix)

    def release(self) -> None:
        """No step is taken any more; what was read is left in the cache."""
        if self._prefix is not None:
            self._caches.release(self._prefix)

    def _write(self, prefix: Prefix) -> Sequence[Token | Finish]:
        assert self._seen is not None
        if self._full():
            return self._finish("length")
        logits = self._seen.logits[-1]
        chosen = self._sampler.choose(logits)
        self._written += 1
        ends = chosen in self._model.ends
        text = "" if ends else self._texts.add(chosen)
        token = self._token(chosen, text, logits)
        if ends or self._texts.stopped:
            return (token, *self._finish("stop"))
        if self._full():
            return (token, *self._finish("length"))
        self._seen = self._caches.read(prefix, [chosen])
        return (token,)

    def _full(self) -> bool:
        limit = min(self._generation.sampling.max_tokens, self._model.context - len(self._generation.prompt))
        return self._written >= limit

    def _token(self, chosen: int, text: str, logits: object) -> Token:
        wanted = self._generation.top_logprobs
        if not wanted:
            return Token(id=chosen, text=text)
        logprob, top = log_probabilities(logits, chosen, min(wanted, self._model.vocabulary))
        spellings = tuple(self._model.tokenizer.decode([token]) for token, _ in top)
        return Token(chosen, text, logprob, top, spellings)

    def _finish(self, reason: FinishReason) -> Sequence[Token | Finish]:
        usage = Usage(prompt=len(self._generation.prompt), completion=self._written, cached=self._cached)
        rest = "" if self._texts.stopped else self._texts.rest()
        return (*([Token(id=-1, text=rest)] if rest else []), Finish(reason, usage))
