"""The pool that voting strategies share: what it adds to requests."""

from collections.abc import AsyncGenerator

from bench.pooled import Pooled
from workers.engines.protocol import Finish, Sampling, Token
from workers.messages import Message
from workers.models.protocol import ChatRequest, ModelCard
from workers.usage import Usage

_TOOL = {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}}


class _Asked:
    """A model that keeps what it was asked."""

    card = ModelCard(name="small", parameters=0.5, context=4096)

    def __init__(self) -> None:
        self.requests: list[ChatRequest] = []

    async def generate(self, request: ChatRequest) -> AsyncGenerator[Token | Finish, None]:
        self.requests.append(request)
        yield Finish(reason="stop", usage=Usage())


def _request(temperature: float, tools: bool = False) -> ChatRequest:
    return ChatRequest(
        messages=(Message(role="user", content="What time is it?"),),
        sampling=Sampling(temperature=temperature),
        call="0" * 32,
        tools=(_TOOL,) if tools else (),
    )


async def test_samples_come_with_alternatives_unless_the_request_has_tools() -> None:
    asked = _Asked()
    for request in (_request(0.0), _request(0.7), _request(0.7, tools=True)):
        _ = [event async for event in Pooled(asked, top=5).generate(request)]
    # llama.cpp's server refuses a stream with both.
    assert [request.top_logprobs for request in asked.requests] == [0, 5, 0]
