"""One scripted generation: the reply's tokens, cut by the limit and the stop strings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, cycle, islice, repeat
from typing import Literal

from workers.engines.scripted.script import Reply
from workers.engines.scripted.tokenizer import END_OF_TURN, VOCABULARY, decode, pieces
from workers.engines.stop_strings import first_stop, forming

_LOOK_BACK = 4096

StopType = Literal["eos", "word", "limit"]


@dataclass(frozen=True, slots=True)
class Step:
    """One generated token. ``stop`` says why the generation ends with it; ``text`` is what may be shown by now."""

    id: int
    text: str
    logprob: float
    stop: StopType | None = None


def steps(reply: Reply, text: str, limit: int, stop: Sequence[str], begun: int = 0) -> Iterator[Step]:
    """Tokens of ``text`` from the ``begun``-th on, at most ``limit``; an answer that is not cut ends with the
    end-of-turn token.

    A negative limit means none. The last step always has ``stop`` set; nothing is yielded for a limit of 0.
    """
    logprobs = islice(cycle(reply.logprobs), begun, None)
    if reply.endless:
        again = chain(pieces(text, begun % len(text.encode())), chain.from_iterable(repeat(pieces(text))))
    else:
        again = chain(pieces(text, begun), ())
    written = chain(again, [(END_OF_TURN, "")])
    seen = ""
    shown = 0
    for count, (token, piece) in enumerate(written, start=1):
        if 0 <= limit < count:
            return
        seen += piece
        end = len(seen)
        why: StopType | None = None
        if token == END_OF_TURN:
            why = "eos"
        elif stop and (found := first_stop(seen, stop, shown)) >= 0:
            end, why = found, "word"
        elif count == limit:
            why = "limit"
        else:
            end -= forming(seen, stop)
        yield Step(token, seen[shown:end], next(logprobs), why)
        if why is not None:
            return
        shown = max(shown, end)
        if shown > _LOOK_BACK:
            # An endless answer must not keep all it has said.
            seen, shown = seen[shown:], 0


def probabilities(step: Step, count: int) -> dict[str, object]:
    """llama.cpp's entry of ``completion_probabilities``: the token first, then its neighbours, each less probable."""
    top = [_entry((step.id + rank) % VOCABULARY, step.logprob - 2.0 * rank) for rank in range(count)]
    return {**_entry(step.id, step.logprob), "top_logprobs": top}


def _entry(token: int, logprob: float) -> dict[str, object]:
    text = decode([token])
    return {"id": token, "token": text, "bytes": list(text.encode()), "logprob": logprob}
