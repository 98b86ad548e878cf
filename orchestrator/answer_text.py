"""What the reader is shown at the end of a run: the answer, the question to answer first, or what was tried."""

from collections.abc import Sequence

from agents.asking import Question
from agents.problem import Answer
from orchestrator.state import RunState
from routers.policy import Abstain, Accept
from routers.route import Decision


def open_question(state: RunState) -> Question | None:
    """The question that the run ended with, if it waits for the reader's answer."""
    return state.get("asked") if state.get("reply") is None else None


def answer_text(state: RunState) -> str:
    """The question, the accepted answer, or why there is none and what was tried."""
    question = open_question(state)
    if question is not None:
        return question.text
    verdict = state["verdict"]
    if not isinstance(verdict, Accept):
        return _without_answer(verdict, state["attempts"])
    answer = state["attempts"][verdict.attempt]
    if state["assessment"].form in ("text", "code") or answer.value is None:
        return answer.text
    return answer.value


def _without_answer(verdict: Abstain | Decision, attempts: Sequence[Answer]) -> str:
    tried = "; ".join(dict.fromkeys(_tried(attempt) for attempt in attempts))
    return f"I could not find an answer I can stand behind: {verdict.reason}. I tried: {tried}."


def _tried(attempt: Answer) -> str:
    route = f"{attempt.strategy} on {attempt.model}"
    if attempt.value is not None:
        return f"{route} (it said {attempt.value[:100]})"
    if attempt.evidence.program_ran is False:
        return f"{route} (its program gave no result)"
    if attempt.finish_reason == "length":
        return f"{route} (it was cut off before an answer)"
    return f"{route} (it came to no answer)"
