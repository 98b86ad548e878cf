"""A model whose requests with caller tools go another way than its plain ones."""

from collections.abc import AsyncGenerator

from workers.engines.protocol import Finish, Token
from workers.models.protocol import ChatModel, ChatRequest, ModelCard


class WithTools:
    """Plain requests go to ``plain`` (ids and log-probabilities), those with tools or tool turns to ``tooled``."""

    def __init__(self, plain: ChatModel, tooled: ChatModel) -> None:
        self._plain = plain
        self._tooled = tooled

    @property
    def card(self) -> ModelCard:
        return self._plain.card

    def generate(self, request: ChatRequest) -> AsyncGenerator[Token | Finish, None]:
        tool_turns = any(message.role == "tool" or message.tool_calls for message in request.messages)
        chosen = self._tooled if request.tools or tool_turns else self._plain
        return chosen.generate(request)
