"""The scripted engine as an ASGI application: the endpoints of llama.cpp's server that clients of Tandem use."""

from collections.abc import Awaitable, Callable
from typing import Any

from workers.engines.scripted.chat import chat_completion
from workers.engines.scripted.completion import completion
from workers.engines.scripted.script import Script
from workers.engines.scripted.state import EngineState
from workers.engines.scripted.tokenizer import CHATML, VOCABULARY, chatml, decode, encode
from workers.engines.scripted.wire import BrokenOff, ClientGone, Exchange, Receive, Refusal, Scope, Send

Handler = Callable[[EngineState, Exchange], Awaitable[None]]


class ScriptedApp:
    """Serves one script. Built inside the event loop that serves it."""

    def __init__(self, script: Script) -> None:
        self.state = EngineState(script)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        exchange = Exchange(receive, send)
        handler = _ROUTES.get((scope["method"], scope["path"]), _not_found)
        try:
            await handler(self.state, exchange)
        except Refusal as refusal:
            self.state.stats.failed += 1
            await exchange.answer(refusal.status, refusal.body)
        except ClientGone:
            self.state.stats.aborted += 1
        except BrokenOff:
            # Returning in the middle of an answer makes the server close the connection.
            self.state.stats.failed += 1
        finally:
            exchange.finish()


async def _health(state: EngineState, exchange: Exchange) -> None:
    await exchange.answer(200, {"status": "ok"})


async def _models(state: EngineState, exchange: Exchange) -> None:
    meta = {"n_vocab": VOCABULARY, "n_ctx": state.script.context, "n_ctx_train": state.script.context}
    model = {"id": state.script.name, "object": "model", "owned_by": "scripted", "created": 0, "meta": meta}
    await exchange.answer(200, {"object": "list", "data": [model]})


async def _props(state: EngineState, exchange: Exchange) -> None:
    script = state.script
    settings = {"n_ctx": script.context}
    answer = {
        "default_generation_settings": settings,
        "total_slots": script.slots,
        "model_alias": script.name,
        "chat_template": CHATML,
    }
    await exchange.answer(200, answer)


async def _tokenize(state: EngineState, exchange: Exchange) -> None:
    body = await exchange.json()
    await exchange.answer(200, {"tokens": encode(str(body["content"]), bool(body.get("parse_special", True)))})


async def _detokenize(state: EngineState, exchange: Exchange) -> None:
    body = await exchange.json()
    await exchange.answer(200, {"content": decode(_known(body["tokens"]))})


async def _apply_template(state: EngineState, exchange: Exchange) -> None:
    body = await exchange.json()
    await exchange.answer(200, {"prompt": chatml(body["messages"])})


async def _stats(state: EngineState, exchange: Exchange) -> None:
    await exchange.answer(200, state.stats.as_json())


async def _not_found(state: EngineState, exchange: Exchange) -> None:
    raise Refusal(404, "not_found_error", "File Not Found")


def _known(ids: Any) -> list[int]:
    if not all(0 <= token < VOCABULARY for token in ids):
        raise Refusal(400, "invalid_request_error", "Prompt contains invalid tokens")
    return list(ids)


_ROUTES: dict[tuple[str, str], Handler] = {
    ("GET", "/health"): _health,
    ("GET", "/v1/models"): _models,
    ("GET", "/props"): _props,
    ("POST", "/tokenize"): _tokenize,
    ("POST", "/detokenize"): _detokenize,
    ("POST", "/apply-template"): _apply_template,
    ("POST", "/completion"): completion,
    ("POST", "/v1/chat/completions"): chat_completion,
    ("GET", "/scripted/stats"): _stats,
}
