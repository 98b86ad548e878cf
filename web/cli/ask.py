"""``tandem ask``: put a question to the running gateway and watch its answer being written."""

import asyncio
import os
import sys
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

import aiohttp
import orjson
import typer
from pydantic import BaseModel, ValidationError
from rich.console import Console

from agents.events import (
    EVENT,
    ContentDelta,
    Event,
    HandedOver,
    ReasoningDelta,
    RunFinished,
    RunStarted,
    StepFinished,
)
from orchestrator.addresses import gateway_url
from orchestrator.settings_file import SettingsInvalid, load_settings
from web.cli.terminal import plain_console, print_error
from web.cli.tint import Tint
from web.cli.trace import trace_line

_KEY_VARIABLE = "TANDEM_API_KEY"
_SHOWN = 200
"""Characters of an answer that is none of the gateway's."""


class AskFailed(Exception):
    """The gateway refused or cannot be reached; the message says what to do."""


def ask(
    question: Annotated[str, typer.Argument(help="The question; - or nothing reads standard input.")] = "-",
    model: Annotated[str, typer.Option(help="auto, a strategy, a route such as program(large), or a model.")] = "auto",
    effort: Annotated[str | None, typer.Option(help="none, minimal, low, medium or high.")] = None,
    strategy: Annotated[str | None, typer.Option(help="Pin the strategy.")] = None,
    thread: Annotated[
        str | None, typer.Option(help="Reply to what was asked back in this thread, which the last line names then.")
    ] = None,
    trace: Annotated[bool, typer.Option("--trace", help="Print every step on standard error.")] = False,
    colour: Annotated[
        bool, typer.Option("--colour", help="Tint each token by the model that wrote it, reasoning included.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole run as JSON and nothing else.")] = False,
    url: Annotated[str | None, typer.Option(help="The gateway; by default the one of tandem.toml.")] = None,
) -> None:
    """Ask a question: the answer streams, then one line says route, tokens by model and seconds."""
    text = _typed_in() if question == "-" else question
    choices = _Choices(model, effort, strategy)
    printer = _Printer(thread, trace, as_json, colour)
    try:
        address = url or gateway_url(load_settings())
        finished = asyncio.run(_ask(address, choices.body(text, thread), printer))
        if finished.status == "needs_input" and not as_json and (reply := _typed_reply()):
            finished = asyncio.run(_ask(address, choices.body(reply, printer.thread), printer))
    except (AskFailed, SettingsInvalid) as error:
        print_error(error)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    raise typer.Exit(0 if finished.status in ("answered", "budget", "needs_input", "abstained") else 1)


@dataclass(frozen=True, slots=True)
class _Choices:
    """What goes with the question and with the reply alike."""

    model: str
    effort: str | None
    strategy: str | None

    def body(self, text: str, thread: str | None) -> dict[str, Any]:
        body: dict[str, Any] = {"model": self.model, "messages": [{"role": "user", "content": text}]}
        if self.effort:
            body["reasoning_effort"] = self.effort
        own = {"strategy": self.strategy, "thread_id": thread}
        return body | {"tandem": {name: value for name, value in own.items() if value}}


def _typed_in() -> str:
    # Not by ``sys.stdin.read``: with some locales that lets any byte pass, for the gateway to stumble over.
    given, encoding = sys.stdin.buffer.read(), sys.stdin.encoding
    try:
        return given.decode(encoding)
    except UnicodeDecodeError as error:
        raise typer.BadParameter(
            f"standard input is no text in {encoding}: byte 0x{given[error.start]:02x} at position {error.start}; "
            "convert it first, for example with iconv",
            param_hint="question",
        ) from None


def _typed_reply() -> str:
    """What a person at the terminal replies; empty where nobody is there, or would rather not."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return ""
    print("> ", end="", flush=True)
    try:
        return input().strip()
    except EOFError:
        print()
        return ""


class _Printer:
    """Where the events of a run go: content to standard output, the trace and the last line to standard error.
    ``thread`` is the thread of what was shown; one without a name goes by its first run."""

    def __init__(self, thread: str | None, trace: bool, as_json: bool, colour: bool = False) -> None:
        self.thread = thread
        self._trace = trace
        self._as_json = as_json
        self._events: list[Event] = []
        self._aside = plain_console(stderr=True)
        # Asked for, so also where the output is no terminal (a pager, a file).
        self._tint = Tint(Console(highlight=False, force_terminal=True)) if colour else None

    def show(self, event: Event) -> None:
        self._events.append(event)
        if isinstance(event, RunStarted):
            self.thread = self.thread or event.run
        if self._as_json:
            if isinstance(event, RunFinished):
                print(orjson.dumps(self._whole(), option=orjson.OPT_INDENT_2).decode())
            return
        if self._tint is not None and isinstance(event, ContentDelta | ReasoningDelta) and event.tokens:
            self._tint.show(event.tokens)
        elif isinstance(event, ContentDelta):
            print(event.text, end="", flush=True)
        elif isinstance(event, RunFinished):
            print(flush=True)
            if self._tint is not None:
                self._tint.legend()
            self._aside.print(summary_line(event, self.thread), soft_wrap=True)
        elif self._tint is not None and isinstance(event, StepFinished):
            print(flush=True)  # what was reasoned and what is answered do not run into one line
        elif self._trace:
            line = trace_line(event)
            if line:
                # Tinted text has no end of line yet.
                inside = self._tint is not None and isinstance(event, HandedOver)
                self._aside.print(f"\n{line}" if inside else line, style="dim", soft_wrap=True)

    def _whole(self) -> dict[str, Any]:
        last = self._events[-1]
        return {
            **last.model_dump(mode="json", exclude={"type"}),
            "thread_id": self.thread,
            "trace": [event.model_dump(mode="json") for event in self._events if _belongs_in_trace(event)],
        }


def _belongs_in_trace(event: Event) -> bool:
    """Pieces of reasoning stand whole in the step that they end in; only who wrote which token does not."""
    return not isinstance(event, ReasoningDelta) or bool(event.tokens)


def summary_line(last: RunFinished, thread: str | None) -> str:
    """Route, tokens by model and seconds in one line, and how to reply where that is needed; the error instead where
    there is one."""
    if last.error:
        return f"error: {last.error}"
    tokens = ", ".join(f"{model} {usage.completion}" for model, usage in last.ledger.tokens.items()) or "none"
    shared = ""
    if last.provenance is not None:
        shared = f" · {last.provenance.large_share:.0%} by the large model, {last.provenance.handovers} hand-overs"
    ending = "" if last.status == "answered" else f" · {last.status}"
    if last.status == "needs_input":
        ending += f": reply with --thread {thread}"
    return f"{last.route or 'no route'} · tokens written: {tokens} · {last.ledger.seconds:.1f} s{shared}{ending}"


async def _ask(url: str, body: dict[str, Any], printer: _Printer) -> RunFinished:
    key = os.environ.get(_KEY_VARIABLE)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
    try:
        async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
            run = await _start(session, url, body)
            try:
                return await _follow(session, url, run, printer)
            except asyncio.CancelledError:
                await session.post(f"{url}/v1/runs/{run}/cancel")
                raise
    except aiohttp.ClientError as error:
        raise _no_gateway(url, str(error)) from error


class _Started(BaseModel):
    id: str


class _Fault(BaseModel):
    message: str


class _Refused(BaseModel):
    error: _Fault


async def _start(session: aiohttp.ClientSession, url: str, body: dict[str, Any]) -> str:
    async with session.post(f"{url}/v1/runs", json=body) as response:
        said = await response.read()
    try:
        if response.status >= 400:
            raise AskFailed(_Refused.model_validate_json(said).error.message)
        return _Started.model_validate_json(said).id
    except ValidationError as error:
        raise _no_gateway(url, f"what answers there, with status {response.status}, is something else") from error


async def _follow(session: aiohttp.ClientSession, url: str, run: str, printer: _Printer) -> RunFinished:
    try:
        async with session.get(f"{url}/v1/runs/{run}/events") as response:
            if response.status != HTTPStatus.OK:
                raise _no_events(url, run, response.status, await response.read())
            async for line in response.content:
                if line.startswith(b"data: "):
                    event = _event(line[6:], run)
                    printer.show(event)
                    if isinstance(event, RunFinished):
                        return event
    except (aiohttp.ClientPayloadError, aiohttp.ClientConnectionError) as error:
        raise _cut_off(url, run) from error
    raise _cut_off(url, run)


def _event(data: bytes, run: str) -> Event:
    try:
        return EVENT.validate_json(data)
    except ValidationError as error:
        said = data.decode(errors="replace").strip()
        raise AskFailed(f"the gateway sent what is no event that is known here, in run {run}: {said}") from error


def _no_gateway(url: str, why: str) -> AskFailed:
    return AskFailed(
        f"no gateway answers at {url} ({why}); start one with `make run` or `tandem serve`, or name another with --url"
    )


def _no_events(url: str, run: str, status: int, said: bytes) -> AskFailed:
    if status == HTTPStatus.NO_CONTENT:
        return AskFailed(f"run {run} has ended and its events are gone; {url}/v1/runs/{run} shows how it ended")
    try:
        why = _Refused.model_validate_json(said).error.message
    except ValidationError:
        why = said.decode(errors="replace").strip()[:_SHOWN] or "without a word"
    return AskFailed(f"the gateway began run {run} and does not show its events, with status {status}: {why}")


def _cut_off(url: str, run: str) -> AskFailed:
    return AskFailed(
        f"the gateway stopped in the middle of run {run}; when it is back, {url}/v1/runs/{run} shows how the run went "
        "on or ended"
    )
