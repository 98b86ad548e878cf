"""The configured models: their engines, opened once, and how a run gets them (leased, charged, passed through)."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import replace

import orjson

from agents.events import Queued
from agents.problem import Problem
from agents.strategy import Emit
from orchestrator.addresses import engine_url
from orchestrator.model_files import torch_source
from orchestrator.runs import RunRefused, RunRequest
from orchestrator.settings import ModelSettings, Settings
from orchestrator.worker_only import WorkerOnlyEngine
from routers.assessment import Assessment
from workers.decode_lease import DecodeLease
from workers.engines.address import EngineAddress, open_engine
from workers.engines.errors import EngineError
from workers.engines.json_schema import schema_fault
from workers.engines.protocol import Engine, Sampling
from workers.ledger import Ledger
from workers.models.charged import Charged
from workers.models.engine_chat import EngineChat
from workers.models.leased import Leased
from workers.models.litellm_chat import LiteLLMChat
from workers.models.protocol import ChatModel, ModelCard, PreparingModel
from workers.models.tool_calls_in_text import ToolCallsInText
from workers.models.with_tools import WithTools

_DEFAULT_ANSWER_TOKENS = 2048
# A provider's model has no engine here, and one in torch only in the worker of collaborative answers.
_WITHOUT_SERVER = ("litellm", "torch")


class ModelPark:
    """``lease`` None where no engine shares the machine's processor (or nothing else runs, as in a benchmark)."""

    def __init__(self, settings: Settings, lease: DecodeLease | None) -> None:
        self._settings = settings
        self._lease = lease
        self.engines: dict[str, Engine] = {
            name: build_engine(settings, name)
            for name, model in settings.models.items()
            if model.engine.kind not in _WITHOUT_SERVER
        }
        self._local: dict[str, PreparingModel] = {
            name: self._chat(name, model) for name, model in settings.models.items() if model.engine.kind != "litellm"
        }
        self.models: dict[str, ChatModel] = {
            name: self._local.get(name) or _black_box(name, model) for name, model in settings.models.items()
        }

    def for_run(self, ledger: Ledger, emit: Emit) -> Mapping[str, ChatModel]:
        """Every model as one run sees it: queueing is told to the reader and every call is charged."""
        return {name: self._for_run(name, ledger, emit) for name in self.models}

    def problem(self, request: RunRequest, assessment: Assessment) -> Problem:
        return Problem(
            messages=request.messages,
            form=assessment.form,
            sampling=_sampling(request, assessment),
            tools=request.tools,
            tool_choice=request.tool_choice,
            options=request.options,
        )

    async def refuse_unfit(self, request: RunRequest) -> None:
        """Raise ``RunRefused`` for a request that no engine could serve as it is meant."""
        await self._refuse_schema(request)
        await self._refuse_too_long(request)

    async def _refuse_schema(self, request: RunRequest) -> None:
        # The other kinds of engine refuse by themselves what they cannot follow; llama.cpp ignores it.
        if request.json_schema is None or self._settings.models[self._serving(request)].engine.kind != "llamacpp":
            return
        fault = await asyncio.to_thread(schema_fault, request.json_schema)
        if fault is not None:
            raise RunRefused(
                f"the JSON schema cannot be followed: {fault[:500]}; change that part of it",
                "response_format",
                "invalid_json_schema",
            )

    async def _refuse_too_long(self, request: RunRequest) -> None:
        """Raise ``RunRefused`` for a conversation that no configured engine's context can hold."""
        tools = _spelled_tools(request)
        characters = sum(len(message.content) for message in request.messages) + len(tools)
        longest = max(self._settings.models.values(), key=lambda model: model.engine.context).engine.context
        if characters <= longest:
            return  # a token is at least one character
        name = self._serving(request)
        engine = self.engines.get(name)
        if engine is None:
            return  # how a provider counts is not known here; it refuses by itself
        messages = [message.model_copy(update={"tool_calls": None}).openai() for message in request.messages]
        try:
            prompt = await engine.tokenize(await engine.render(messages) + tools)
        except EngineError:
            return  # an engine that is away, or a template that knows no tool turns, is the run's own fault to report
        context = self._settings.models[name].engine.context
        if len(prompt) >= context:
            conversation = "conversation with its tools" if tools else "conversation"
            raise RunRefused(
                f"the {conversation} is {len(prompt)} tokens long and model {name!r} holds {context} with its answer; "
                "shorten it or configure a model with a longer context",
                "messages",
                "context_length_exceeded",
            )

    async def shortened(self, text: str, limit: int | None) -> str:
        """The first ``limit`` tokens of a text that no engine has bounded. A black-box model's tokens are not known,
        and its text stays whole."""
        engine = self.engines.get(self._settings.named("large"))
        if limit is None or engine is None or len(text) <= limit:
            return text  # a token is at least one character
        ids = await engine.tokenize(text)
        return text if len(ids) <= limit else await engine.detokenize(ids[:limit])

    def _serving(self, request: RunRequest) -> str:
        """The model that the caller names, else the one that serves what is passed through."""
        return request.model if request.model in self.models else self._settings.named("large")

    async def aclose(self) -> None:
        for engine in self.engines.values():
            await engine.aclose()

    def _for_run(self, name: str, ledger: Ledger, emit: Emit) -> ChatModel:
        model, local, settings = self.models[name], self._local.get(name), self._settings.models[name]
        if self._lease is not None and local is not None and settings.engine.exclusive:

            async def waits(position: int) -> None:
                await emit(Queued(model=name, position=position))

            model = Leased(local, self._lease, name, settings.engine.slots, waits)
        return Charged(model, ledger, settings.price)

    def _chat(self, name: str, model: ModelSettings) -> PreparingModel:
        card = _card(name, model)
        if model.engine.kind == "torch":
            return EngineChat(card, WorkerOnlyEngine(name))
        # A local engine's own OpenAI endpoint renders and parses tool calls in the model's format.
        with_tools = LiteLLMChat(
            card, f"openai/{name}", f"{engine_url(self._settings, name)}/v1", _key(model) or "none"
        )
        return WithTools(EngineChat(card, self.engines[name]), ToolCallsInText(with_tools))


def _spelled_tools(request: RunRequest) -> str:
    """The tools and the calls of them in the messages, in as few words as any chat template spells them out."""
    calls = [call["function"] for message in request.messages for call in message.tool_calls or ()]
    return "\n".join(
        [
            *(orjson.dumps(tool["function"]).decode() for tool in request.tools),
            *(f"{call['name']} {call['arguments']}" for call in calls),
        ]
    )


def _black_box(name: str, model: ModelSettings) -> ChatModel:
    return LiteLLMChat(_card(name, model), model.engine.provider_model, model.engine.url or None, _key(model))


def _card(name: str, model: ModelSettings) -> ModelCard:
    return ModelCard(name=name, parameters=model.parameters, context=model.engine.context, digest=model.sha256)


def _key(model: ModelSettings) -> str | None:
    return os.environ.get(model.engine.api_key_variable) if model.engine.api_key_variable else None


def engine_address(settings: Settings, name: str) -> EngineAddress:
    """Where a configured local engine is. Raises ``ModelUnavailable`` for one in torch whose file is missing."""
    engine = settings.models[name].engine
    if engine.kind == "litellm":
        raise ValueError(f"model {name!r} is a provider's, which has no engine here")
    if engine.kind == "torch":
        return EngineAddress(
            name=name,
            kind="torch",
            source=str(torch_source(settings, name)),
            context=engine.context,
            threads=engine.threads,
            # One for each answer that a worker writes at once.
            prefixes=settings.collaboration.concurrency,
            slots=engine.slots,
            exclusive=engine.exclusive,
            sha256=settings.models[name].sha256,
        )
    return EngineAddress(
        name=name,
        kind=engine.kind,
        url=engine_url(settings, name),
        tokenizer=engine.tokenizer,
        models=str(settings.storage.models),
        slots=engine.slots,
        exclusive=engine.exclusive,
        sha256=settings.models[name].sha256,
    )


def build_engine(settings: Settings, name: str) -> Engine:
    """The client of a configured local engine; nothing is connected yet."""
    return open_engine(engine_address(settings, name))


def _sampling(request: RunRequest, assessment: Assessment) -> Sampling:
    # Checked attempts are greedy unless the caller says otherwise; free text gets a usual chat temperature.
    temperature = request.temperature
    if temperature is None:
        temperature = 0.0 if assessment.form != "text" else 0.7
    sampling = Sampling(
        max_tokens=request.max_completion_tokens or _DEFAULT_ANSWER_TOKENS,
        temperature=temperature,
        seed=request.seed,
        stop=request.stop,
        json_schema=request.json_schema,
    )
    return sampling if request.top_p is None else replace(sampling, top_p=request.top_p)
