"""The answer as it grows: who wrote which token, when that may be shown, and where it ends."""

from collections import deque
from collections.abc import Iterator, Sequence

from workers.collaboration.policy import Keep, Proposal, Role
from workers.collaboration.protocol import Alternative, CollaborationRequest, Handover, Written
from workers.engines.protocol import FinishReason
from workers.engines.stop_strings import first_stop, forming

_ALTERNATIVES = 5


class Page:
    """The tokens of one answer, at most ``limit``; ``written`` are those that an earlier worker has shown already.

    Tokens whose text may be the beginning of a stop string are on the page at once, but shown only when it is clear
    that they are not.
    """

    def __init__(self, request: CollaborationRequest, limit: int, written: Sequence[Written]) -> None:
        self.written = list(written)
        self.finished: FinishReason | None = "length" if len(self.written) >= limit else None
        self._names: dict[Role, str] = {"small": request.small, "large": request.large}
        self._large = request.large
        self._stop = request.sampling.stop
        self._limit = limit
        self._held: deque[Written | Handover] = deque()
        self._held_text = ""

    @property
    def left(self) -> int:
        """How many more tokens the answer may have."""
        return self._limit - len(self.written)

    def author(self, written: Written) -> Role:
        return "large" if written.model == self._large else "small"

    def put(self, keep: Keep) -> Iterator[Written | Handover]:
        """Add tokens up to where the answer ends; yields what may be shown by now."""
        for place, proposal in enumerate(keep.proposals):
            if proposal.ends:
                self.finished = "stop"
            else:
                self._add(keep, proposal, None if place else keep.grade)
            yield from self._showable()
            if self.finished is not None:
                return

    def _add(self, keep: Keep, proposal: Proposal, grade: float | None) -> None:
        position, model = len(self.written), self._names[keep.role]
        origin = self.written[-1].model if self.written else model
        if origin != model:
            self._held.append(Handover(position=position, origin=origin, model=model, reason=keep.reason))
        token = _written(position, model, proposal, grade)
        self.written.append(token)
        self._held.append(token)
        self._held_text += token.text
        if len(self.written) >= self._limit:
            self.finished = "length"

    def _showable(self) -> Iterator[Written | Handover]:
        end = first_stop(self._held_text, self._stop, 0)
        if end >= 0:
            self.finished = "stop"
            yield from self._show_until_stop(end)
            return
        safe = len(self._held_text)
        if self.finished is None:
            safe -= forming(self._held_text, self._stop)
        shown = 0
        while self._held and shown + _length(self._held[0]) <= safe:
            event = self._held.popleft()
            shown += _length(event)
            yield event
        self._held_text = self._held_text[shown:]

    def _show_until_stop(self, end: int) -> Iterator[Written | Handover]:
        shown = 0
        while self._held and shown < end:
            event = self._held.popleft()
            if isinstance(event, Written) and shown + len(event.text) > end:
                event = event.model_copy(update={"text": event.text[: end - shown]})
            shown += _length(event)
            yield event


def _length(event: Written | Handover) -> int:
    return len(event.text) if isinstance(event, Written) else 0


def _written(position: int, model: str, proposal: Proposal, grade: float | None) -> Written:
    token = proposal.token
    alternatives = tuple(
        Alternative(text=text, logprob=logprob)
        for (id, logprob), text in zip(token.top, token.spellings, strict=False)
        if id != token.id
    )
    return Written(
        position=position,
        id=token.id,
        text=proposal.text,
        model=model,
        logprob=token.logprob,
        entropy=proposal.entropy,
        alternatives=alternatives[:_ALTERNATIVES],
        grade=grade,
    )
