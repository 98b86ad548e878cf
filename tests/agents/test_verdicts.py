"""How probable a model finds yes, by all the spellings of its first word."""

import math
from collections.abc import AsyncGenerator, Mapping

import pytest

from agents.verdicts import probability_of_yes
from tests.agents.conftest import ContextFor
from workers.engines.protocol import Finish, Token
from workers.models.protocol import ChatRequest, ModelCard
from workers.usage import Usage


class _Likely:
    """A model that writes the likeliest first token and sends the others with it, spelled where that is asked for."""

    card = ModelCard(name="likely", parameters=1.0, context=8192)

    def __init__(self, probabilities: Mapping[str, float], sent: int = 99) -> None:
        self._probabilities = probabilities
        self._sent = sent

    async def generate(self, request: ChatRequest) -> AsyncGenerator[Token | Finish, None]:
        ranked = sorted(self._probabilities.items(), key=lambda each: -each[1])
        shown = [(text, math.log(probability)) for text, probability in ranked][: min(request.top_logprobs, self._sent)]
        spellings = tuple(text for text, _ in shown) if request.spelled else ()
        top = tuple(enumerate(logprob for _, logprob in shown))
        yield Token(0, ranked[0][0], math.log(ranked[0][1]), top, spellings)
        yield Finish(reason="length", usage=Usage(prompt=1, completion=1))


@pytest.mark.parametrize(
    ("probabilities", "probable"),
    [
        ({"Yes": 0.55, "yes": 0.35, "No": 0.06, "Hm": 0.04}, 0.9 / 0.96),
        ({"No": 0.5, " no": 0.2, "NO": 0.1, " Yes": 0.2}, 0.2),
        ({"Yes": 0.4, "The": 0.3, "no": 0.3}, 0.4 / 0.7),
        ({"true": 0.6, "false.": 0.4}, 0.6),
        ({"Hm": 0.5, "Yes": 0.4}, None),
    ],
)
async def test_every_spelling_of_a_word_counts_for_it(
    context_for: ContextFor, probabilities: Mapping[str, float], probable: float | None
) -> None:
    found = await probability_of_yes(context_for(), _Likely(probabilities), "Is it?", purpose="judge")
    assert found == (None if probable is None else pytest.approx(probable))


@pytest.mark.parametrize(("word", "probable"), [("Yes", 0.55), ("No", 0.45)])
async def test_without_alternatives_the_written_token_decides(
    context_for: ContextFor, word: str, probable: float
) -> None:
    model = _Likely({word: 0.55, word.lower(): 0.35}, sent=0)
    found = await probability_of_yes(context_for(), model, "Is it?", purpose="judge")
    assert found == pytest.approx(probable)
