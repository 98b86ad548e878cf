"""A run's events as the tasks that Slack shows above the answer."""

from dataclasses import dataclass
from typing import Literal

from agents.events import (
    Assessed,
    Escalated,
    Event,
    Queued,
    Routed,
    RunResumed,
    StepFinished,
    StepStarted,
    ToolFinished,
    ToolStarted,
    Verdict,
)
from web.slack.wording import shortened

TaskStatus = Literal["in_progress", "complete", "error"]
_TASKS = 30
_TITLE = 120
_DETAILS = 240
_JUDGED = {True: "accepted", False: "not accepted", None: "could not tell"}


@dataclass(frozen=True, slots=True)
class Task:
    """One line of the trace. ``details`` and ``output`` are plain text, perhaps empty."""

    id: str
    title: str
    status: TaskStatus
    details: str = ""
    output: str = ""


class Trace:
    """Follows a run. At most thirty tasks are shown; later ones share the last line."""

    def __init__(self, shows_reasoning: bool) -> None:
        self._shows_reasoning = shows_reasoning
        self._tasks: dict[str, Task] = {}
        self._tools: dict[tuple[str, str], Task] = {}
        self._left_out = 0

    def of(self, event: Event) -> list[Task]:
        """The tasks that an event adds or changes; mostly none."""
        if isinstance(event, StepStarted):
            waited = self._ended("queue")
            return [*waited, *self._put(event.step, f"{event.purpose} · {event.model}", "in_progress")]
        if isinstance(event, StepFinished):
            return self._step_finished(event)
        if isinstance(event, ToolStarted):
            return self._tool_started(event)
        if isinstance(event, ToolFinished):
            return self._tool_finished(event)
        if isinstance(event, Queued):
            return self._put("queue", f"Waiting for {event.model}: position {event.position}", "in_progress")
        return self._decided(event)

    def end(self, status: TaskStatus) -> list[Task]:
        """Nothing is under way any more."""
        return [task for key in list(self._tasks) for task in self._ended(key, status)]

    def _decided(self, event: Event) -> list[Task]:
        if isinstance(event, Assessed):
            if event.difficulty is None:
                return []
            return self._put("assessed", f"Difficulty {event.difficulty:.2f}", "complete", event.reason)
        if isinstance(event, Routed):
            return self._put("routed", f"Route {event.route}", "complete", event.reason)
        if isinstance(event, Escalated):
            return self._put(self._new(), f"On to {event.route}", "complete", event.reason)
        if isinstance(event, Verdict):
            title = f"Checked by {event.verifier}: {_JUDGED[event.accepted]}"
            return self._put(self._new(), title, "complete", event.reason)
        if isinstance(event, RunResumed):
            return self._put(self._new(), "Resumed after a restart", "complete")
        return []

    def _step_finished(self, event: StepFinished) -> list[Task]:
        task = self._tasks.get(event.step)
        if task is None or not event.cancelled:
            return self._ended(event.step)
        return self._put(event.step, f"Stopped: {task.title}", "complete")

    def _tool_started(self, event: ToolStarted) -> list[Task]:
        details = event.input if self._shows_reasoning else ""
        key = self._new()
        found = self._put(key, f"Running {event.tool}", "in_progress", details)
        if key in self._tasks:
            self._tools[event.call, event.tool] = self._tasks[key]
        return found

    def _tool_finished(self, event: ToolFinished) -> list[Task]:
        how = f"Stopped {event.tool} after" if event.cancelled else f"Ran {event.tool} in"
        title = f"{how} {event.seconds:.1f} s"
        output = event.output if self._shows_reasoning else ""
        status: TaskStatus = "complete" if event.ok or event.cancelled else "error"
        begun = self._tools.pop((event.call, event.tool), None)
        if begun is None:
            return self._put(self._new(), title, status, output=output)
        return self._put(begun.id, title, status, begun.details, output)

    def _new(self) -> str:
        return f"task-{len(self._tasks) + self._left_out + 1}"

    def _put(self, key: str, title: str, status: TaskStatus, details: str = "", output: str = "") -> list[Task]:
        if key not in self._tasks and len(self._tasks) >= _TASKS:
            self._left_out += 1
            key, title = "more", f"{self._left_out} more steps"
        task = Task(key, shortened(title, _TITLE), status, shortened(details, _DETAILS), shortened(output, _DETAILS))
        if self._tasks.get(key) == task:
            return []
        self._tasks[key] = task
        return [task]

    def _ended(self, key: str, status: TaskStatus = "complete") -> list[Task]:
        task = self._tasks.get(key)
        if task is None or task.status != "in_progress":
            return []
        return self._put(key, task.title, status, task.details, task.output)
