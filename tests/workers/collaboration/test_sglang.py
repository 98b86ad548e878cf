"""Two models that write together on real SGLang servers: SmolLM2, and a copy of it with fewer layers."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing

import pytest

from tests.sglang_server import server as sglang
from tests.sglang_server.pair import LAYERS
from tests.workers.collaboration.writing import request, write
from workers.collaboration.local import LocalCollaboration
from workers.collaboration.protocol import Written
from workers.engines.protocol import Finish, Generation, Sampling
from workers.engines.sglang import SGLangEngine

# Two servers that start one after the other on a busy core.
pytestmark = pytest.mark.timeout(600)

QUESTION = "Why is the sky blue? Explain it in several sentences."


@pytest.fixture(scope="module")
def truncated_server(
    sglang_server: sglang.SglangServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[sglang.SglangServer]:
    installation = sglang.truncated(sglang_server.installation, LAYERS)
    with sglang.running(installation, tmp_path_factory.mktemp("truncated") / "log") as server:
        yield server


@pytest.fixture
async def engines(
    sglang_server: sglang.SglangServer, truncated_server: sglang.SglangServer
) -> AsyncIterator[dict[str, SGLangEngine]]:
    engines = {"s": SGLangEngine("s", truncated_server.url), "l": SGLangEngine("l", sglang_server.url)}
    yield engines
    for engine in engines.values():
        await engine.aclose()


async def alone(engine: SGLangEngine, tokens: int) -> list[int]:
    """What the engine writes by itself, greedy; asked twice, so that the prompt is in its cache as it is for others."""
    prompt = await engine.tokenize(await engine.render([{"role": "user", "content": QUESTION}]))
    for _ in range(2):
        generation = Generation(prompt, Sampling(max_tokens=tokens), uuid.uuid4().hex, 1)
        events = [event async for event in engine.generate(generation)]
    return [event.id for event in events if not isinstance(event, Finish)]


async def test_references_write_exactly_what_each_model_writes_alone(engines: dict[str, SGLangEngine]) -> None:
    collaboration = LocalCollaboration(engines)
    small, large = await alone(engines["s"], 20), await alone(engines["l"], 20)
    assert small != large, "the two models must be told apart by what they write"
    never = await write(collaboration, request("small", text=QUESTION, max_tokens=20))
    unmoved = await write(collaboration, request("entropy", text=QUESTION, max_tokens=20, threshold=99.0))
    always = await write(collaboration, request("large", text=QUESTION, max_tokens=20))
    assert never.ids == unmoved.ids == small
    assert always.ids == large


@pytest.mark.parametrize(
    ("policy", "options"),
    [
        ("leader", {"lead": 6}),
        ("divergence", {"even_entropy": 1.2}),
        ("stepwise", {"step_tokens": 12, "score": "average"}),
    ],
)
async def test_ownership_and_counts_add_up_and_prefixes_stay_cached(
    engines: dict[str, SGLangEngine], policy: str, options: dict[str, object]
) -> None:
    text = f"{QUESTION} {uuid.uuid4().hex}"
    outcome = await write(LocalCollaboration(engines), request(policy, text=text, max_tokens=30, **options))
    assert outcome.finish is not None
    assert [token.position for token in outcome.written] == list(range(len(outcome.written)))
    assert await engines["l"].detokenize(outcome.ids) == outcome.text
    for name in "sl":
        usage, calls = outcome.finish.usage[name], outcome.finish.calls[name]
        assert usage.completion >= outcome.owners.count(name)
        prompt = len(await engines[name].tokenize(await engines[name].render([{"role": "user", "content": text}])))
        question = 100 if policy == "stepwise" and name == "l" else 0
        # The prompt once, what was written once, and the last token of every call again.
        assert usage.prompt - usage.cached <= prompt + len(outcome.written) + calls * (2 + question)


@pytest.mark.parametrize("policy", ["small", "large"])
async def test_closing_stops_the_server(
    engines: dict[str, SGLangEngine],
    sglang_server: sglang.SglangServer,
    truncated_server: sglang.SglangServer,
    policy: str,
) -> None:
    server = truncated_server if policy == "small" else sglang_server
    before = aborts(server)
    async with aclosing(LocalCollaboration(engines).write(request(policy, text=QUESTION, max_tokens=600))) as events:
        async for event in events:
            if isinstance(event, Written) and event.position == 2:
                break
    # By itself a server notices after two seconds that its reader is gone.
    assert aborts(server) == before + 1
    closed = time.monotonic()
    steps = -1
    while steps != (steps := server.decode_steps()):
        assert time.monotonic() - closed < 3, "the server still makes tokens"
        await asyncio.sleep(0.4)


def aborts(server: sglang.SglangServer) -> int:
    return server.log.read_bytes().count(b"POST /abort_request")
