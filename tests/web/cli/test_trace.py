"""What `tandem ask --trace` says of events."""

from agents.events import AnswerRecalled, Considered, Event, Recalled, RecalledEntry, Routed, StepFinished, ToolFinished
from web.cli.trace import trace_line

_ENTRY = RecalledEntry(id="e", kind="recipe", name="program(small)", status="promoted", win_rate=0.9, trials=20)


def line(event: Event) -> str:
    said = trace_line(event)
    assert said is not None
    return said


def test_what_the_playbook_gave_is_said_with_its_evidence() -> None:
    assert "program(small) (90% of 20)" in line(Recalled(entries=(_ENTRY,), reason="12 problems like this were seen"))
    assert "its Redis does not answer" in line(Recalled(problem="its Redis does not answer"))


def test_an_answer_of_before_names_its_run() -> None:
    assert "run 0f3c" in line(AnswerRecalled(run="0f3c", age=61.0, tokens=40))


def test_every_route_that_was_considered_is_said_with_what_is_known_of_it() -> None:
    known = Considered(route="program(large)", success=0.66, cost=0.35)
    unknown = Considered(route="plan(large)", success=None, cost=None)
    said = line(Routed(route="program(large)", reason="It is cheap.", considered=(known, unknown)))
    assert "(considered: program(large) right 66% for 0.35, plan(large))" in said


def test_what_was_stopped_says_so() -> None:
    assert line(StepFinished(step="s", text="I th", cancelled=True)) == "stopped  I th"
    stopped = ToolFinished(call="a", tool="python", output="", ok=False, seconds=2, cancelled=True)
    assert line(stopped) == "stopped  python after 2.00 s"


def test_an_output_names_its_tool() -> None:
    assert line(ToolFinished(tool="python", output="42", ok=True, seconds=0.1)) == "output   python ok in 0.10 s: 42"
