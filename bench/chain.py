"""How long a run's steps follow each other, in tokens: what it takes in time, whatever machine it runs on."""

from agents.events import ContentDelta, Event, ReasoningDelta, StepFinished, StepStarted


class Chain:
    """Hears a run's events. ``tokens`` is the longest sequence of tokens of which each waited for the one before; steps
    side by side count once. Programs, and what engines need to read prompts, are not in it."""

    def __init__(self) -> None:
        self.tokens = 0
        self._begun: dict[str, int] = {}
        self._written: dict[str, int] = {}
        self._last = ""

    def hear(self, event: Event) -> None:
        if isinstance(event, StepStarted):
            self._begun[event.step] = self.tokens
            self._written[event.step] = 0
            self._last = event.step
        elif isinstance(event, ReasoningDelta) and event.step in self._written:
            self._written[event.step] += 1
        elif isinstance(event, ContentDelta) and self._last in self._written:
            self._written[self._last] += 1
        elif isinstance(event, StepFinished) and event.step in self._begun:
            self.tokens = max(self.tokens, self._begun[event.step] + self._written[event.step])
