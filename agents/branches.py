"""Work that runs side by side, of which not all need end: whatever is no longer wanted is aborted on its engine."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from agents.events import Event, ReasoningDelta, StepFinished, StepStarted, ToolFinished, ToolStarted
from agents.strategy import Emit, SolveContext
from workers.ledger import BudgetSpent

T = TypeVar("T")

Job = Callable[[SolveContext], Coroutine[Any, Any, T]]


@dataclass(frozen=True, slots=True)
class Finished(Generic[T]):
    """What the branch with this ``index`` came to."""

    index: int
    result: T


async def branches(
    context: SolveContext, jobs: Sequence[Job[T]], at_once: int | None = None
) -> AsyncGenerator[Finished[T], None]:
    """Run ``jobs`` side by side, ``at_once`` of them at a time (None: all), and yield results as they come.

    Use it inside ``aclosing``: closing it aborts what still runs and waits until that is over; steps and tools that
    were cut short end as cancelled in the trace. A job for which the ledger has nothing left yields nothing;
    ``BudgetSpent`` is raised when that holds for all of them. Any other fault of a job aborts the rest and is raised.
    """
    waiting = enumerate(jobs)
    running: dict[asyncio.Task[T], int] = {}
    spent: BudgetSpent | None = None
    yielded = False
    try:
        _start(waiting, running, context, at_once or len(jobs))
        while running:
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(done, key=running.__getitem__):
                index = running.pop(task)
                try:
                    result = task.result()
                except BudgetSpent as error:
                    spent = error
                    continue
                yielded = True
                yield Finished(index, result)
            if spent is None:
                _start(waiting, running, context, (at_once or len(jobs)) - len(running))
        if spent is not None and not yielded:
            raise spent
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _start(
    waiting: Iterator[tuple[int, Job[T]]], running: dict[asyncio.Task[T], int], context: SolveContext, count: int
) -> None:
    for _, (index, job) in zip(range(count), waiting, strict=False):
        running[asyncio.create_task(_branch(job, context))] = index


async def _branch(job: Job[T], context: SolveContext) -> T:
    work = _Work(context.emit)
    try:
        return await job(replace(context, emit=work.emit))
    finally:
        await work.cut()


class _Work:
    """Passes a branch's events on and remembers which of its steps and tools have not ended."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._steps: dict[str, list[str]] = {}
        self._tools: dict[str, tuple[ToolStarted, float]] = {}

    async def emit(self, event: Event) -> None:
        if isinstance(event, StepStarted):
            self._steps[event.step] = []
        elif isinstance(event, ReasoningDelta) and event.step in self._steps:
            self._steps[event.step].append(event.text)
        elif isinstance(event, StepFinished):
            self._steps.pop(event.step, None)
        elif isinstance(event, ToolStarted):
            self._tools[event.call] = event, time.monotonic()
        elif isinstance(event, ToolFinished):
            self._tools.pop(event.call, None)
        await self._emit(event)

    async def cut(self) -> None:
        """End the steps and tools that were cut short; none are left open where the branch came to its end."""
        for step, texts in self._steps.items():
            await self._emit(StepFinished(step=step, text="".join(texts), cancelled=True))
        for tool, begin in self._tools.values():
            seconds = round(time.monotonic() - begin, 3)
            stopped = ToolFinished(call=tool.call, tool=tool.tool, output="", ok=False, seconds=seconds, cancelled=True)
            await self._emit(stopped)
