"""A model whose requests with caller tools go another way than its plain ones."""

from collections.abc import AsyncGenerator

from workers.engines.protocol import Finish, Token
from workers.models.protocol import ChatModel, ChatRequest, ModelCard, PreparingModel


class WithTools:
    """Plain requests go to ``plain`` (ids and log-probabilities), those with tools or tool turns to ``tooled``."""

    def __init__(self, plain: PreparingModel, tooled: ChatModel) -> None:
        self._plain = plain
        self._tooled = tooled

    @property
    def card(self) -> ModelCard:
        return self._plain.card

    def generate(self, request: ChatRequest) -> AsyncGenerator[Token | Finish, None]:
        chosen = self._tooled if _brings_tools(request) else self._plain
        return chosen.generate(request)

    async def prepared(self, request: ChatRequest) -> ChatRequest:
        return request if _brings_tools(request) else await self._plain.prepared(request)


def _brings_tools(request: ChatRequest) -> bool:
    return bool(request.tools) or any(message.role == "tool" or message.tool_calls for message in request.messages)
