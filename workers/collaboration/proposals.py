"""An engine's events as a policy sees them: whole characters, entropies, and the end of the turn."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from workers.collaboration.entropy import entropy_from_below
from workers.collaboration.policy import Proposal
from workers.engines.errors import EngineUnavailable
from workers.engines.protocol import Engine, Finish, Token

_LONGEST_CHARACTER = 4
_UNKNOWN = "\N{REPLACEMENT CHARACTER}"


async def proposals(
    engine: Engine, events: AsyncIterator[Token | Finish], unfinished: Sequence[int]
) -> AsyncGenerator[Proposal, None]:
    """``unfinished`` are the ids at the end of the answer that make no whole character yet.

    A token without text waits for the next event: it may be the one that ends the turn. Raises ``EngineUnavailable``
    when the engine breaks off.
    """
    speller = _Speller(engine, unfinished)
    waiting: Token | None = None
    async for event in events:
        if isinstance(event, Finish):
            if event.reason == "abort":
                raise EngineUnavailable(f"engine {engine.name!r} broke off in the middle of an answer; try again")
            ends = event.reason == "stop" or (waiting is not None and await _is_control(engine, waiting))
            if ends or waiting is not None:
                yield _proposal(waiting or Token(id=-1, text=""), "", ends)
            return
        if waiting is not None:
            yield _proposal(waiting, await speller.spell(waiting))
        waiting = None if event.text else event
        if waiting is None:
            yield _proposal(event, await speller.spell(event))


def _proposal(token: Token, text: str, ends: bool = False) -> Proposal:
    return Proposal(token, text, entropy_from_below(token.top) if token.top else None, ends)


async def _is_control(engine: Engine, token: Token) -> bool:
    """Whether a last token without text is a marker rather than a part of a character.

    An engine that may write no more tokens says "length", also where the last one ended the turn.
    """
    return _UNKNOWN not in await engine.detokenize([token.id])


class _Speller:
    """Completes a character that began in tokens of an earlier generation, which this one's texts leave out."""

    def __init__(self, engine: Engine, unfinished: Sequence[int]) -> None:
        self._engine = engine
        self._ids = list(unfinished)

    async def spell(self, token: Token) -> str:
        if not self._ids:
            return token.text
        self._ids.append(token.id)
        text = await self._engine.detokenize(self._ids)
        if text.endswith(_UNKNOWN) and len(self._ids) < _LONGEST_CHARACTER:
            return ""
        self._ids = []
        return text
