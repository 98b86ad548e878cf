"""Behaviours in the prompt: short instructions, learned from earlier answers, before the question."""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import replace

from agents.prompts import render
from workers.engines.protocol import Finish, Token
from workers.models.protocol import ChatModel, ChatRequest, ModelCard

Behaviour = tuple[str, str]
"""Name and one-sentence instruction."""


class Briefed:
    """Wraps a model: whatever it is asked about ``question`` begins with the behaviours (Metacognitive Reuse,
    behaviour-conditioned inference). Requests about anything else pass as they are."""

    def __init__(self, inner: ChatModel, question: str, behaviours: Sequence[Behaviour]) -> None:
        self._inner = inner
        self._question = question.strip()
        self._listed = "\n".join(f"- {name}: {text}" for name, text in behaviours)

    @property
    def card(self) -> ModelCard:
        return self._inner.card

    def generate(self, request: ChatRequest) -> AsyncGenerator[Token | Finish, None]:
        return self._inner.generate(self._briefed(request))

    def _briefed(self, request: ChatRequest) -> ChatRequest:
        # The last message with the question, not the last one: a repair goes on from the same beginning.
        about = [
            index
            for index, message in enumerate(request.messages)
            if message.role == "user" and self._question and self._question in message.content
        ]
        if not about:
            return request
        message = request.messages[about[-1]]
        text = render("behaviours", behaviours=self._listed, question=message.content)
        messages = (
            *request.messages[: about[-1]],
            message.model_copy(update={"content": text}),
            *request.messages[about[-1] + 1 :],
        )
        return replace(request, messages=messages, prompt=None)


def briefed(
    models: Mapping[str, ChatModel], writers: Collection[str], question: str, behaviours: Sequence[Behaviour]
) -> Mapping[str, ChatModel]:
    """The models, those named ``writers`` with the behaviours; the same ones where there are none."""
    if not behaviours:
        return models
    return {name: Briefed(model, question, behaviours) if name in writers else model for name, model in models.items()}
