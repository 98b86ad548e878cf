"""One line of text for each event of a trace."""

from agents.events import (
    AnswerRecalled,
    Assessed,
    Charged,
    Considered,
    Escalated,
    Event,
    HandedOver,
    Queued,
    Recalled,
    Routed,
    RunResumed,
    StepFinished,
    StepStarted,
    ToolFinished,
    ToolStarted,
    Verdict,
)


def trace_line(event: Event) -> str | None:
    """What a reader of the terminal sees of an event; None for what is shown elsewhere."""
    match event:
        case AnswerRecalled():
            return f"again    the answer of run {event.run} to exactly this request, {event.age:.0f} s ago"
        case Recalled():
            used = ", ".join(f"{entry.name} ({entry.win_rate:.0%} of {entry.trials})" for entry in event.entries)
            return f"playbook {event.problem or event.reason}{f': {used}' if used else ''}"
        case Assessed():
            difficulty = "no signal" if event.difficulty is None else f"{event.difficulty:.2f}"
            return f"assess   {event.form}, difficulty {difficulty}: {event.reason}"
        case Routed():
            considered = ", ".join(_weighed(route) for route in event.considered)
            return f"route    {event.route}: {event.reason} (considered: {considered})"
        case Escalated():
            return f"escalate {event.origin} → {event.route}: {event.reason}"
        case Queued():
            return f"queue    {event.model}: position {event.position}"
        case StepStarted():
            return f"step     {event.model}: {event.purpose}"
        case HandedOver():
            return f"hand     {event.origin} → {event.model} at token {event.position}: {event.reason}"
        case StepFinished():
            return f"{'stopped' if event.cancelled else 'wrote':<8} {_indented(event.text)}"
        case ToolStarted():
            return f"run      {event.tool}"
        case ToolFinished():
            if event.cancelled:
                return f"stopped  {event.tool} after {event.seconds:.2f} s"
            how = "ok" if event.ok else "failed"
            return f"output   {event.tool} {how} in {event.seconds:.2f} s: {_indented(event.output)}"
        case Verdict():
            verdict = {True: "accepted", False: "rejected", None: "unclear"}[event.accepted]
            return f"verdict  {event.verifier}: {verdict}: {event.reason}"
        case Charged():
            usage = event.charge.usage
            return (
                f"charge   {event.charge.model}: read {usage.prompt} (cached {usage.cached}), wrote {usage.completion}"
            )
        case RunResumed():
            return f"resumed  by another gateway, fence {event.fence}"
        case _:
            return None


def _weighed(route: Considered) -> str:
    if route.success is None or route.cost is None:
        return route.route
    return f"{route.route} right {route.success:.0%} for {route.cost:.2f}"


def _indented(text: str) -> str:
    return text.strip().replace("\n", "\n         ")
