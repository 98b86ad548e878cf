"""One of the two models at the desk: its engine, and what it has been given to read."""

from collections.abc import Callable, Sequence
from itertools import groupby

from workers.collaboration.policy import Role
from workers.collaboration.protocol import Written
from workers.engines.errors import EngineRefused
from workers.engines.protocol import Engine
from workers.messages import Message

# Stands for the answer while a template is rendered around it.
_ANSWER = "7f2c9d40a81e4b6b"


class Seat:
    """``ids`` is what the model has read: its prompt, and the answer up to where it last caught up. They only ever
    grow, so that its engine's prefix cache serves all but what is new. ``shared``: both models mean the same by an id;
    otherwise the other one's tokens are read as text."""

    def __init__(self, role: Role, model: str, engine: Engine, shared: bool) -> None:
        self.role = role
        self.model = model
        self.engine = engine
        self.ids: list[int] = []
        self._shared = shared
        self._caught_up = 0
        self._questions: dict[str, tuple[int, ...]] = {}

    async def read_prompt(self, messages: Sequence[Message], prefill: str) -> None:
        """Begin with these messages; the answer so far is read again when it is next needed."""
        self.ids = list(await self.tokens_of(messages, prefill))
        self._caught_up = 0

    async def tokens_of(self, messages: Sequence[Message], prefill: str = "") -> tuple[int, ...]:
        text = await self.engine.render([message.openai() for message in messages])
        return await self.engine.tokenize(text + prefill)

    async def catch_up(self, written: Sequence[Written], author: Callable[[Written], Role]) -> None:
        new = written[self._caught_up :]
        for role, tokens in groupby(new, author):
            self.ids += await self.as_read([(token.id, token.text) for token in tokens], role)
        self._caught_up = len(written)

    def reads(self, role: Role) -> bool:
        """Whether the ids of what ``role`` wrote mean the same to this model."""
        return self._shared or role == self.role

    async def as_read(self, tokens: Sequence[tuple[int, str]], role: Role) -> Sequence[int]:
        """(id, text) pairs that ``role`` wrote, as this model's ids."""
        if self.reads(role):
            return [id for id, _ in tokens]
        return await self.engine.tokenize("".join(text for _, text in tokens))

    async def question(self, messages: Sequence[Message], question: str, opening: str) -> tuple[int, ...]:
        """What follows an answer when the user goes on to ask ``question`` and the assistant begins with ``opening``.

        Raises ``EngineRefused`` when the model's chat template does not show an assistant's turn as it is.
        """
        if question not in self._questions:
            turns = [
                *(message.openai() for message in messages),
                {"role": "assistant", "content": _ANSWER},
                {"role": "user", "content": question},
            ]
            _, found, after = (await self.engine.render(turns)).partition(_ANSWER)
            if not found:
                raise EngineRefused(
                    f"the chat template of model {self.model!r} hides the assistant's earlier turns, so it cannot be "
                    "asked about an unfinished answer; use another policy or another model"
                )
            self._questions[question] = await self.engine.tokenize(after + opening)
        return self._questions[question]
