"""Behaviours and examples in the prompt: what was learned from earlier answers, before the question."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace

from agents.prompts import render
from workers.engines.protocol import Finish, Token
from workers.models.protocol import ChatModel, ChatRequest, ModelCard

Behaviour = tuple[str, str]
"""Name, which may be empty, and one-sentence instruction."""
Example = tuple[str, str]
"""Problem and solution."""


class Briefed:
    """Wraps a model: whatever it is asked about ``question`` goes through the prompt ``name`` with what is ``given``.
    Requests about anything else pass as they are."""

    def __init__(self, inner: ChatModel, question: str, name: str, given: str) -> None:
        self._inner = inner
        self._question = question.strip()
        self._name = name
        self._given = given

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
        text = render(self._name, question=message.content, **{self._name: self._given})
        messages = (
            *request.messages[: about[-1]],
            message.model_copy(update={"content": text}),
            *request.messages[about[-1] + 1 :],
        )
        return replace(request, messages=messages, prompt=None)


def briefed(
    models: Mapping[str, ChatModel], question: str, behaviours: Mapping[str, Sequence[Behaviour]]
) -> Mapping[str, ChatModel]:
    """The models, those named in ``behaviours`` with theirs (Metacognitive Reuse, behaviour-conditioned inference); the
    same ones where there are none."""
    return _wrapped(models, question, "behaviours", {model: _listed(each) for model, each in behaviours.items()})


def shown_how(
    models: Mapping[str, ChatModel], question: str, examples: Mapping[str, Sequence[Example]]
) -> Mapping[str, ChatModel]:
    """The models, those named in ``examples`` with theirs (AdaptMI); the same ones where there are none."""
    return _wrapped(models, question, "examples", {model: _quoted(each) for model, each in examples.items()})


def _listed(behaviours: Sequence[Behaviour]) -> str:
    return "\n".join(f"- {name}: {text}" if name else f"- {text}" for name, text in behaviours)


def _quoted(examples: Sequence[Example]) -> str:
    return "\n\n".join(f"Problem: {problem}\nSolution:\n{solution}" for problem, solution in examples)


def _wrapped(
    models: Mapping[str, ChatModel], question: str, name: str, given: Mapping[str, str]
) -> Mapping[str, ChatModel]:
    if not any(given.values()):
        return models
    return {
        model: Briefed(inner, question, name, given[model]) if given.get(model) else inner
        for model, inner in models.items()
    }
