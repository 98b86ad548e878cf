"""llama.cpp's native ``/completion``, streaming and not."""

from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from workers.engines.scripted.generation import Step, probabilities
from workers.engines.scripted.play import admit, play
from workers.engines.scripted.state import EngineState
from workers.engines.scripted.tokenizer import VOCABULARY, decode, encode, turn_length
from workers.engines.scripted.wire import Exchange


@dataclass(slots=True)
class _Written:
    ids: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    probabilities: list[dict[str, object]] = field(default_factory=list)
    stop_type: str = "limit"

    def add(self, step: Step, n_probs: int) -> None:
        self.ids.append(step.id)
        self.texts.append(step.text)
        self.stop_type = step.stop or self.stop_type
        if n_probs:
            self.probabilities.append(probabilities(step, n_probs))


async def completion(state: EngineState, exchange: Exchange) -> None:
    body = await exchange.json()
    prompt = body.get("prompt", "")
    ids: list[int] = encode(prompt) if isinstance(prompt, str) else prompt
    reply, text = state.begin(decode(ids) if ids and 0 <= min(ids) <= max(ids) < VOCABULARY else "")
    admit(state, reply, ids)
    stream = bool(body.get("stream"))
    n_probs = int(body.get("n_probs") or 0)
    written = _Written()
    cached = state.cached(ids)
    begun = turn_length(ids) if reply.continues else 0
    playing = play(state, exchange, reply, text, int(body.get("n_predict", -1)), body.get("stop") or [], begun)
    if stream:
        await exchange.open_events()
    async with aclosing(playing):
        async for step in playing:
            written.add(step, n_probs)
            if stream:
                await exchange.event(_partial(step, len(written.ids), len(ids), n_probs))
    final = _final(state, written, ids, cached)
    state.remember(ids + written.ids)
    if stream:
        await exchange.event({**final, "content": "", "tokens": []})
        await exchange.close_events()
    else:
        given = written.ids if body.get("return_tokens") else []
        whole = {**final, "content": "".join(written.texts), "tokens": given}
        await exchange.answer(200, whole | ({"completion_probabilities": written.probabilities} if n_probs else {}))


def _partial(step: Step, predicted: int, evaluated: int, n_probs: int) -> dict[str, Any]:
    event: dict[str, Any] = {
        "index": 0,
        "content": step.text,
        "tokens": [step.id],
        "stop": False,
        "id_slot": -1,
        "tokens_predicted": predicted,
        "tokens_evaluated": evaluated,
    }
    if n_probs:
        event["completion_probabilities"] = [probabilities(step, n_probs)]
    return event


def _final(state: EngineState, written: _Written, ids: list[int], cached: int) -> dict[str, Any]:
    timings = {"cache_n": cached, "prompt_n": len(ids) - cached, "predicted_n": len(written.ids)}
    return {
        "index": 0,
        "id_slot": 0,
        "stop": True,
        "model": state.script.name,
        "tokens_predicted": len(written.ids),
        "tokens_evaluated": len(ids),
        "truncated": False,
        "stop_type": written.stop_type,
        "tokens_cached": len(ids) + len(written.ids),
        "timings": timings,
    }
