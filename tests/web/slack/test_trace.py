"""The tasks that Slack shows of a run."""

from agents.events import Event, StepFinished, StepStarted, ToolFinished, ToolStarted
from web.slack.trace import Task, Trace


def shown(*events: Event) -> list[Task]:
    """The tasks as they stand after the events, in the order in which they began."""
    trace = Trace(shows_reasoning=True)
    tasks: dict[str, Task] = {}
    for event in events:
        tasks |= {task.id: task for task in trace.of(event)}
    return list(tasks.values())


def test_tools_side_by_side_get_their_own_results() -> None:
    tasks = shown(
        ToolStarted(call="a", tool="python", input="print(1)"),
        ToolStarted(call="b", tool="python", input="print(2)"),
        ToolFinished(call="a", tool="python", output="1", ok=True, seconds=0.1),
        ToolFinished(call="b", tool="python", output="2", ok=False, seconds=0.2),
    )
    assert [(task.details, task.output, task.status) for task in tasks] == [
        ("print(1)", "1", "complete"),
        ("print(2)", "2", "error"),
    ]


def test_tools_of_a_trace_without_calls_are_told_apart_by_their_names() -> None:
    tasks = shown(
        ToolStarted(tool="python", input="print(1)"),
        ToolFinished(tool="python", output="1", ok=True, seconds=0.1),
        ToolStarted(tool="z3", input="(check-sat)"),
        ToolFinished(tool="z3", output="true", ok=True, seconds=0.1),
    )
    assert [(task.details, task.output) for task in tasks] == [("print(1)", "1"), ("(check-sat)", "true")]


def test_what_was_stopped_says_so_and_is_no_error() -> None:
    tasks = shown(
        StepStarted(step="s", model="large", purpose="sample"),
        StepFinished(step="s", text="I th", cancelled=True),
        ToolStarted(call="a", tool="python", input="while True: pass"),
        ToolFinished(call="a", tool="python", output="", ok=False, seconds=2, cancelled=True),
    )
    assert [(task.title, task.status) for task in tasks] == [
        ("Stopped: sample · large", "complete"),
        ("Stopped python after 2.0 s", "complete"),
    ]
