"""Pairs of engines that write together, and what came of it."""

import sys
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests import processes
from workers.collaboration.local import LocalCollaboration
from workers.collaboration.protocol import (
    CollaborationEvent,
    CollaborationFinish,
    CollaborationRequest,
    Handover,
    Option,
    Written,
)
from workers.engines.llamacpp import LlamaCppEngine
from workers.engines.protocol import Sampling
from workers.engines.scripted.script import Reply, Script
from workers.engines.scripted.server import ScriptedServer
from workers.messages import Message


def request(policy: str, text: str = "Tell me.", **fields: object) -> CollaborationRequest:
    """A request to the models "s" and "l"; ``fields`` are the policy's options, and those of ``Sampling``."""
    sampling = {name: fields.pop(name) for name in list(fields) if name in Sampling.__dataclass_fields__}
    options: dict[str, Option] = fields  # type: ignore[assignment]
    return CollaborationRequest(
        job=uuid.uuid4().hex,
        policy=policy,
        small="s",
        large="l",
        messages=(Message(role="user", content=text),),
        sampling=Sampling(**{"max_tokens": 400, **sampling}),  # type: ignore[arg-type]
        options=options,
    )


def llamacpp_server(stack: ExitStack, model: Path, folder: Path, slots: int, *flags: str) -> str:
    """The url of a llama.cpp server of one thread with 1,024 tokens a slot, which ends with ``stack``."""
    port = processes.free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "workers.engines.llamacpp_server", "--model", str(model), "--port", str(port)]
    command += ["--context", "1024", "--slots", str(slots), "--threads", "1", "--alias", model.stem, *flags]
    log = folder / f"log-{port}"
    stack.enter_context(processes.running(command, lambda: processes.answers(f"{url}/health"), log))
    return url


@dataclass
class Outcome:
    """What a collaboration yielded."""

    written: list[Written] = field(default_factory=list)
    handovers: list[Handover] = field(default_factory=list)
    finish: CollaborationFinish | None = None

    def add(self, event: CollaborationEvent) -> None:
        assert self.finish is None, "nothing comes after the finish"
        match event:
            case Written():
                self.written.append(event)
            case Handover():
                self.handovers.append(event)
            case CollaborationFinish():
                self.finish = event

    @property
    def text(self) -> str:
        return "".join(token.text for token in self.written)

    @property
    def owners(self) -> str:
        """One letter a token: the model that wrote it."""
        return "".join(token.model for token in self.written)

    @property
    def ids(self) -> list[int]:
        return [token.id for token in self.written]


async def write(
    collaboration: LocalCollaboration, wanted: CollaborationRequest, written: Sequence[Written] = ()
) -> Outcome:
    outcome = Outcome()
    async for event in collaboration.resume(wanted, written):
        outcome.add(event)
    assert outcome.finish is not None
    return outcome


@dataclass
class Pair:
    """Two scripted engines, "s" and "l"; the same text position by position, lower case from one, upper from the
    other, shows who wrote what and whether anything was skipped or repeated."""

    small: ScriptedServer
    large: ScriptedServer
    engines: dict[str, LlamaCppEngine]

    @property
    def collaboration(self) -> LocalCollaboration:
        return LocalCollaboration(self.engines)

    def say(self, text: str, *others: Reply, logprobs: Sequence[float] = (-0.001,), **fields: object) -> None:
        """Both models' text, and the large one's other replies, which are tried first."""
        for server, said, before in ((self.small, text.lower(), ()), (self.large, text.upper(), others)):
            reply = Reply(texts=(said,), continues=True, logprobs=tuple(logprobs), **fields)  # type: ignore[arg-type]
            server.script = Script(replies=before, default=reply, slots=8)


@asynccontextmanager
async def scripted_pair() -> AsyncIterator[Pair]:
    with ScriptedServer(Script()) as small, ScriptedServer(Script()) as large:
        engines = {"s": LlamaCppEngine("s", small.url), "l": LlamaCppEngine("l", large.url)}
        yield Pair(small, large, engines)
        for engine in engines.values():
            await engine.aclose()
