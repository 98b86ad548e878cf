"""How a run solved its problem, as far as that is still known."""

import asyncio
from collections.abc import Sequence

from redis.asyncio import Redis

from agents.events import Escalated, Event, StepFinished
from agents.problem import AnswerForm, Problem
from orchestrator.event_log import read_all
from orchestrator.guard import strip_template_tokens
from orchestrator.playbook.lesson import Lesson
from orchestrator.runs import RunRequest
from orchestrator.storage.records import TaughtRun
from tools.verifiers.equality import cluster
from tools.verifiers.extract import final_answer

_CHARACTERS = 1500


class Traces:
    """``redis`` is that of the runs, whose event streams expire after about a day."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def text(self, run: TaughtRun) -> str:
        """What the run's models wrote, step by step, bounded; only its answer where the stream has expired."""
        steps = [event.text for event in await self._events(run) if isinstance(event, StepFinished)]
        written = "\n".join(step.strip() for step in steps if step.strip()) or run.text
        return strip_template_tokens(written)[:_CHARACTERS]

    async def solution(self, run: TaughtRun, form: AnswerForm) -> str | None:
        """The one step that gave the run's answer, whole; None where none can be told to have."""
        attempts = _attempts(await self._events(run))
        return await asyncio.to_thread(_solution, attempts, run, form)

    async def _events(self, run: TaughtRun) -> list[Event]:
        return await read_all(self._redis, run.id)


def _attempts(events: Sequence[Event]) -> list[list[str]]:
    """The steps of each attempt, those apart that were aborted."""
    attempts: list[list[str]] = [[]]
    for event in events:
        if isinstance(event, Escalated):
            attempts.append([])
        elif isinstance(event, StepFinished) and event.text.strip() and not event.cancelled:
            attempts[-1].append(event.text.strip())
    return attempts


def _solution(attempts: Sequence[Sequence[str]], run: TaughtRun, form: AnswerForm) -> str | None:
    """May take tens of milliseconds of CPU time to compare answers."""
    if run.value is None:
        return None
    first = Lesson.model_validate(run.lesson).first
    if len(attempts[0]) == 1 and _same(first, run.value, form):
        # A program does not say what it prints; where it is all that was written it gave the answer.
        stating = [attempts[0][0]]
    else:
        steps = [step for attempt in attempts for step in attempt] or [run.text]
        choices = Problem(messages=RunRequest.model_validate(run.request).messages, form=form).choices
        stating = [step for step in steps if _same(final_answer(step, form, choices), run.value, form)]
    # An answer alone shows nobody how.
    shown = [step for step in stating if step.strip(" .$") not in (run.value, f"\\boxed{{{run.value}}}")]
    return min(shown, key=len, default=None)


def _same(first: str | None, second: str, form: AnswerForm) -> bool:
    return first is not None and len(cluster([first, second], form)) == 1
