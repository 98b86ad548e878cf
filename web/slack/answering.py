"""From a question to its answer in the thread: status, run, trace, text, footer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from slack_sdk.errors import SlackApiError
from structlog.typing import FilteringBoundLogger

from agents.events import ContentDelta, Event, QuestionAsked, RunFinished
from orchestrator.runs import Busy, RunRefused, Runs, UnknownRun
from orchestrator.settings import SlackSettings
from web.errors import ApiError
from web.flights import Flight, Flights
from web.slack.blocks import Pressed, answer_blocks, answer_metadata, stop_button
from web.slack.conversation import NothingAsked
from web.slack.inbox import Inbox
from web.slack.place import Place
from web.slack.question import Work
from web.slack.reply import Reply
from web.slack.start import Starter
from web.slack.trace import Trace
from web.slack.web_api import NETWORK_ERRORS, Clients
from web.slack.wording import escaped
from web.slack.workspaces import Workspaces

_SET_STATUS = "assistant.threads.setStatus"
_STATUS = "is thinking…"
_STATUS_SECONDS = 5.0
# Before that nobody reaches for a button, and it would only flash up.
_STOP_AFTER_SECONDS = 2.0
_NOTHING = "Ask me something: write your question after the mention, or in a message to me."
_GONE = "That answer is too old to be repeated; ask the question again."


class Answerer:
    """Answers one question at a time; called for many at once."""

    def __init__(
        self,
        *,
        runs: Runs,
        flights: Flights,
        starter: Starter,
        inbox: Inbox,
        workspaces: Workspaces,
        clients: Clients,
        settings: SlackSettings,
        log: FilteringBoundLogger,
    ) -> None:
        self._runs = runs
        self._flights = flights
        self._starter = starter
        self._inbox = inbox
        self._workspaces = workspaces
        self._clients = clients
        self._settings = settings
        self._log = log

    async def answer(self, work: Work) -> None:
        """Answer a question that was just taken in, or finish one that another gateway began."""
        question = work.question
        workspace = await self._workspaces.find(question.enterprise, question.team)
        if workspace is None:
            self._log.warning("slack workspace is not installed any more", team=question.team)
            return
        place = Place.of(question, workspace, self._clients.of(workspace.token))

        async def posted(pages: list[str]) -> None:
            work.pages = pages
            await self._inbox.save(work)

        reply = Reply(place, self._log, posted, work.pages)
        async with reply.open(), self._status(place, reply):
            try:
                flight = await self._started(work, place)
            except (NothingAsked, RunRefused, ApiError, Busy, UnknownRun) as refusal:
                reply.add(_refusal_text(refusal))
                await reply.finish(())
                return
            async with self._stop_button(work, place):
                await self._relay(work, reply, flight)

    async def _started(self, work: Work, place: Place) -> Flight | None:
        """Start the run; None if it was started before."""
        if work.run is not None and await self._goes_on(work.run, work.question.owner):
            return None
        flight = await self._starter.start(work.question, place)
        work.run = flight.run
        await self._inbox.save(work)
        return flight

    async def _goes_on(self, run: str, owner: str) -> bool:
        """Whether the run's events can be read: it is under way, or ended not long ago."""
        try:
            async for _ in self._runs.events(run, owner):
                return True
        except UnknownRun:
            pass
        return False

    async def _relay(self, work: Work, reply: Reply, flight: Flight | None) -> None:
        """Tail the run into the reply."""
        assert work.run is not None
        reply.metadata = answer_metadata(work.run, work.question)
        trace = Trace(self._settings.show_reasoning)
        choices: tuple[str, ...] = ()
        try:
            async for _, event in self._runs.events(work.run, work.question.owner):
                if isinstance(event, RunFinished):
                    break
                if isinstance(event, QuestionAsked):
                    choices = event.choices
                if isinstance(event, ContentDelta) and flight is not None:
                    self._flights.first_token(flight)
                self._show(reply, trace, event)
            else:
                raise RuntimeError(f"the events of run {work.run} ended before the run did")
        except BaseException:  # also a cancelled answer leaves its run to somebody who gives its slot back
            if flight is not None:
                self._flights.follow(flight)
            raise
        if flight is not None:
            await self._flights.ended(flight, event)
        await self._end(work, reply, trace, event, choices)

    def _show(self, reply: Reply, trace: Trace, event: Event) -> None:
        if isinstance(event, ContentDelta):
            reply.add(event.text)
        elif self._settings.show_work:
            reply.show(trace.of(event))

    async def _end(self, work: Work, reply: Reply, trace: Trace, last: RunFinished, choices: tuple[str, ...]) -> None:
        assert work.run is not None
        if self._settings.show_work:
            reply.show(trace.end("error" if last.status == "error" else "complete"))
        if not reply.has_text:
            reply.add(last.text or _ending_text(last))
        elif last.status == "error":
            reply.add(f"\n\n{_ending_text(last)}")
        if last.status == "needs_input":
            await self._inbox.await_reply(work.question)
        request = (await self._runs.get(work.run, work.question.owner)).request
        pressed = Pressed(run=work.run, user=work.question.user)
        await reply.finish(answer_blocks(last, pressed, self._starter.effort(request), choices))

    @asynccontextmanager
    async def _status(self, place: Place, reply: Reply) -> AsyncIterator[None]:
        """Say that an answer is coming, by the status line where there is one, else by beginning the answer."""

        async def show() -> None:
            try:
                await place.client.assistant_threads_setStatus(
                    channel_id=place.channel, thread_ts=place.thread, status=_STATUS
                )
            except (SlackApiError, *NETWORK_ERRORS):
                reply.begin()

        if place.client.gate.closed_for(_SET_STATUS) > 0:
            reply.begin()
            yield
            return
        showing = asyncio.create_task(show())
        try:
            yield
            # A status that is set after the answer would stay.
            await asyncio.wait([showing], timeout=_STATUS_SECONDS)
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)

    @asynccontextmanager
    async def _stop_button(self, work: Work, place: Place) -> AsyncIterator[None]:
        """A button to stop the run with, in a message that is gone when the run is."""
        ended = asyncio.Event()

        async def show() -> None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_STOP_AFTER_SECONDS):
                    await ended.wait()
                return
            assert work.run is not None
            pressed = Pressed(run=work.run, user=work.question.user)
            with suppress(SlackApiError, *NETWORK_ERRORS):
                work.control = await place.post("Working on it…", [stop_button(pressed)])
                await self._inbox.save(work)

        showing = asyncio.create_task(show()) if work.control is None else None
        try:
            yield
        except BaseException:  # also a cancelled answer must not leave this task behind
            if showing is not None:
                showing.cancel()
            raise
        ended.set()
        if showing is not None:
            await showing
        if work.control is not None:
            with suppress(SlackApiError, *NETWORK_ERRORS):
                await place.client.chat_delete(channel=place.channel, ts=work.control)


def _refusal_text(refusal: Exception) -> str:
    if isinstance(refusal, NothingAsked):
        return _NOTHING
    if isinstance(refusal, UnknownRun):
        return _GONE
    if isinstance(refusal, ApiError):
        return f"I cannot answer this: {refusal.message}."
    return f"I cannot answer this: {refusal}."


def _ending_text(last: RunFinished) -> str:
    if last.status == "cancelled":
        return "_Stopped._"
    if last.status == "error":
        return f"_The answer failed: {escaped(last.error or 'an internal error')}._"
    return "_No answer was found._"
