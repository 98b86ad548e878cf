"""Start a run for a question, with as much patience as a chat can have."""

import asyncio
import time

from orchestrator.runs import Busy, RunRefused, RunRequest, Runs
from orchestrator.settings import SlackSettings
from routers.route import Effort
from web.errors import ApiError
from web.flights import Flight, Flights
from web.identity import Identity
from web.slack.conversation import Conversations
from web.slack.place import Place
from web.slack.question import Question, owner_of

# A full gateway or a user's limit delays an answer; after so long it is refused.
_PATIENCE_SECONDS = 600.0
_TOO_MANY = 429
_HARDER: dict[Effort, Effort] = {"none": "low", "minimal": "low", "low": "medium", "medium": "high", "high": "high"}


class Starter:
    """Makes a question a request, and starts it within the asker's limits."""

    def __init__(
        self,
        runs: Runs,
        flights: Flights,
        conversations: Conversations,
        settings: SlackSettings,
        default_effort: Effort,
        runs_per_minute: int,
        concurrent_runs: int,
    ) -> None:
        self._runs = runs
        self._flights = flights
        self._conversations = conversations
        self._settings = settings
        self._default_effort = default_effort
        self._runs_per_minute = runs_per_minute
        self._concurrent_runs = concurrent_runs

    def effort(self, request: RunRequest) -> Effort:
        """The effort that a request of ours runs at."""
        return request.effort or self._default_effort

    async def start(self, question: Question, place: Place) -> Flight:
        """Raises ``NothingAsked``, ``RunRefused``, ``ApiError`` or ``Busy`` where it cannot be run at all, and
        ``UnknownRun`` where the run to be repeated is gone."""
        request = await self._request(question, place)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                [flight] = await self._flights.start(self._who(question), [request])
                return flight
            except RunRefused as refusal:
                if refusal.code != "context_length_exceeded" or len(request.messages) == 1:
                    raise
                # The older half of a thread that has grown too long is let go.
                request = request.model_copy(update={"messages": request.messages[(len(request.messages) + 1) // 2 :]})
            except (ApiError, Busy) as refusal:
                wait = _wait(refusal)
                if wait is None or time.monotonic() + wait > deadline:
                    raise
                await asyncio.sleep(wait)

    async def _request(self, question: Question, place: Place) -> RunRequest:
        if question.harder_than is not None:
            asker = question.asked_by or question.user
            earlier = (await self._runs.get(question.harder_than, owner_of(question.team, asker))).request
            effort = _HARDER[self.effort(earlier)]
            return earlier.model_copy(update={"owner": question.owner, "effort": effort})
        return RunRequest(
            owner=question.owner,
            model=self._settings.model,
            messages=await self._conversations.read(question, place),
            effort=self._settings.effort,
            thread=question.thread_id,
        )

    def _who(self, question: Question) -> Identity:
        return Identity(
            owner=question.owner,
            may_see_reasoning=self._settings.show_reasoning,
            runs_per_minute=self._runs_per_minute,
            concurrent_runs=self._concurrent_runs,
        )


def _wait(refusal: ApiError | Busy) -> float | None:
    """Seconds after which the same may be tried again; None if never."""
    if isinstance(refusal, Busy):
        return float(refusal.retry_after)
    if refusal.status != _TOO_MANY:
        return None
    return float(refusal.headers.get("retry-after", "1"))
