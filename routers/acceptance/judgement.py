"""What the evidence so far says: which answer leads, and how probably it is right."""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.problem import AnswerForm
from routers.acceptance.attempt import Attempt, camps
from routers.acceptance.card import AcceptanceCard
from routers.acceptance.features import surest

# Fewer questions of a form than this say nothing about it.
ENOUGH_QUESTIONS = 30


@dataclass(frozen=True, slots=True)
class Judgement:
    """``attempt`` is the index of the leading answer's surest attempt, None where no attempt has an answer; then
    ``probability`` is 0. ``supporters`` counts the attempts behind it, itself included."""

    attempt: int | None
    probability: float
    supporters: int = 0


def judge(card: AcceptanceCard, attempts: Sequence[Attempt], form: AnswerForm) -> Judgement:
    """May take tens of milliseconds to compare expressions."""
    best = Judgement(None, 0.0)
    for camp in camps([attempt.value for attempt in attempts], form):
        probability = card.probability(attempts, camp, form)
        if best.attempt is None or probability > best.probability:
            best = Judgement(surest(attempts, camp, card.scales), probability, len(camp.members))
    return best


def unknown(card: AcceptanceCard | None, attempts: Sequence[Attempt], form: AnswerForm) -> str | None:
    """Why no calibrated probability can be given, as half a sentence; None where one can."""
    if card is None:
        return "nothing was learned about this pair of models"
    if card.questions.get(form, 0) < ENOUGH_QUESTIONS:
        return f"too few outcomes are known of answers that are a {form}"
    strange = next((attempt.route for attempt in attempts if attempt.route not in card.routes), None)
    return None if strange is None else f"no outcomes are known of {strange}"
