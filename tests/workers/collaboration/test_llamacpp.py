"""Two models that write together on real llama.cpp servers: SmolLM2, and a copy of it with fewer layers."""

import asyncio
import json
import time
import urllib.request
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, aclosing
from pathlib import Path

import pytest

from tests.truncated import truncated_smollm
from tests.waiting import eventually_async
from tests.workers.collaboration.writing import Outcome, llamacpp_server, request, write
from workers.collaboration.local import LocalCollaboration
from workers.collaboration.protocol import VocabulariesDiffer, Written
from workers.engines.llamacpp import LlamaCppEngine
from workers.engines.protocol import Engine, Finish, Generation, Sampling
from workers.engines.scripted.script import Reply, Script
from workers.engines.scripted.server import ScriptedServer

QUESTION = "Why is the sky blue? Explain it in several sentences."


@pytest.fixture(scope="module")
def urls(smollm_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The small model is the truncated one."""
    folder = tmp_path_factory.mktemp("pair")
    with ExitStack() as stack:
        yield {
            "s": llamacpp_server(stack, truncated_smollm(), folder, 2),
            "l": llamacpp_server(stack, smollm_file, folder, 2),
        }


@pytest.fixture
async def engines(urls: dict[str, str]) -> AsyncIterator[dict[str, LlamaCppEngine]]:
    engines = {name: LlamaCppEngine(name, url) for name, url in urls.items()}
    yield engines
    for engine in engines.values():
        await engine.aclose()


async def alone(engine: Engine, text: str, tokens: int) -> tuple[list[int], Finish]:
    """What the engine writes by itself, greedy. Asked twice: with the prompt in its cache, as in the calls after it,
    the second answer is computed in the same batches as theirs."""
    prompt = await engine.tokenize(await engine.render([{"role": "user", "content": text}]))
    for _ in range(2):
        generation = Generation(prompt, Sampling(max_tokens=tokens), uuid.uuid4().hex, 1)
        events = [event async for event in engine.generate(generation)]
    finish = events[-1]
    assert isinstance(finish, Finish)
    return [event.id for event in events[:-1] if not isinstance(event, Finish)], finish


async def test_references_write_exactly_what_each_model_writes_alone(engines: dict[str, LlamaCppEngine]) -> None:
    collaboration = LocalCollaboration(engines)
    small, _ = await alone(engines["s"], QUESTION, 24)
    never = await write(collaboration, request("small", text=QUESTION, max_tokens=24))
    large, _ = await alone(engines["l"], QUESTION, 24)
    always = await write(collaboration, request("large", text=QUESTION, max_tokens=24))
    assert small != large, "the two models must be told apart by what they write"
    assert never.ids == small
    assert always.ids == large
    assert await engines["s"].detokenize(never.ids) == never.text


async def test_policies_that_never_hand_over_change_nothing(engines: dict[str, LlamaCppEngine]) -> None:
    small, _ = await alone(engines["s"], QUESTION, 24)
    collaboration = LocalCollaboration(engines)
    for policy, options in (
        ("entropy", {"threshold": 99.0}),
        ("divergence", {"threshold": 1.0}),
        ("leader", {"gate": 0.0}),
    ):
        outcome = await write(collaboration, request(policy, text=QUESTION, max_tokens=24, **options))
        assert outcome.ids == small, policy
        assert outcome.finish is not None
        assert "l" not in outcome.finish.usage


@pytest.mark.parametrize(
    ("policy", "options"),
    [
        ("leader", {"lead": 6}),
        ("entropy", {"threshold": 0.8, "stay": 4}),
        ("divergence", {"even_entropy": 1.2}),
        ("reflection", {"begin_tokens": 10, "span": 5}),
        ("stepwise", {"step_tokens": 20}),
        ("hawkeye", {"plan_tokens": 10}),
    ],
)
async def test_what_is_counted_and_owned_adds_up(
    engines: dict[str, LlamaCppEngine], urls: dict[str, str], policy: str, options: dict[str, object]
) -> None:
    await _idle(urls)
    before = {name: _metrics(url) for name, url in urls.items()}
    wanted = request(policy, text=QUESTION, max_tokens=48, **options)
    outcome = await write(LocalCollaboration(engines), wanted)
    await _idle(urls)
    assert outcome.finish is not None
    assert [token.position for token in outcome.written] == list(range(len(outcome.written)))
    assert await engines["l"].detokenize(outcome.ids) == outcome.text
    for name, url in urls.items():
        usage = outcome.finish.usage[name]
        read, made = (now - then for now, then in zip(_metrics(url), before[name], strict=True))
        assert usage.completion >= outcome.owners.count(name)
        assert usage.prompt - usage.cached == read, "tokens read, those of cut generations included"
        # A generation that is cut goes on for a token or two before its server notices.
        assert usage.completion <= made <= usage.completion + 3 * outcome.finish.calls[name]


async def test_a_hand_over_reads_the_delta_only(engines: dict[str, LlamaCppEngine]) -> None:
    text = QUESTION
    outcome = await write(LocalCollaboration(engines), request("leader", text=text, max_tokens=120, lead=4))
    assert outcome.finish is not None
    assert len(outcome.handovers) >= 2
    for name in "sl":
        usage, calls = outcome.finish.usage[name], outcome.finish.calls[name]
        prompt = len(await engines[name].tokenize(await engines[name].render([{"role": "user", "content": text}])))
        assert usage.prompt - usage.cached <= prompt + len(outcome.written) + calls


@pytest.mark.parametrize(("policy", "wanted"), [("small", "s"), ("large", "l")])
async def test_closing_frees_the_slot_within_a_second(
    engines: dict[str, LlamaCppEngine], urls: dict[str, str], policy: str, wanted: str
) -> None:
    async with aclosing(LocalCollaboration(engines).write(request(policy, text=QUESTION, max_tokens=600))) as events:
        async for event in events:
            if isinstance(event, Written) and event.position == 2:
                break
        assert _busy(urls[wanted]) == 1
    closed = time.monotonic()
    await _idle(urls)
    assert time.monotonic() - closed < 1.0 + 0.5, "and half a second for a busy machine"


async def test_eight_answers_at_once_keep_apart(engines: dict[str, LlamaCppEngine]) -> None:
    collaboration = LocalCollaboration(engines)
    things = ["cats", "rivers", "bread", "music", "the Moon", "bicycles", "winter", "letters"]
    outcomes: list[Outcome] = await asyncio.gather(
        *(
            write(collaboration, request("leader", text=f"Write about {thing}.", max_tokens=24, lead=4))
            for thing in things
        )
    )
    for thing, outcome in zip(things, outcomes, strict=True):
        assert [token.position for token in outcome.written] == list(range(len(outcome.written)))
        assert await engines["l"].detokenize(outcome.ids) == outcome.text
        assert set(outcome.owners) == {"s", "l"}
        # Whatever else it says, this model names its subject at once.
        assert thing.removeprefix("the ").lower()[:4] in outcome.text.lower(), (thing, outcome.text)


async def test_models_of_different_tokenizers_write_together_over_text(engines: dict[str, LlamaCppEngine]) -> None:
    with ScriptedServer(Script(default=Reply(texts=("Because of the air. And because of light. " * 3,)))) as server:
        pair = {"s": LlamaCppEngine("s", server.url), "l": engines["l"]}
        collaboration = LocalCollaboration(pair)
        for policy in ("entropy", "divergence"):
            with pytest.raises(VocabulariesDiffer, match="leader"):
                await write(collaboration, request(policy, text=QUESTION))
        outcome = await write(collaboration, request("leader", text=QUESTION, max_tokens=60, lead=5))
        assert set(outcome.owners) == {"s", "l"}
        for name in "sl":
            own = [token for token in outcome.written if token.model == name]
            assert await pair[name].detokenize([token.id for token in own]) == "".join(token.text for token in own)
        assert any(outcome.text[:60] in str(prompt) for prompt in server.stats.prompts), "it read what both had written"
        await pair["s"].aclose()


async def test_a_draft_model_changes_nothing_in_greedy_text(smollm_file: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:
        plain = LlamaCppEngine("plain", llamacpp_server(stack, smollm_file, tmp_path, 1))
        url = llamacpp_server(stack, smollm_file, tmp_path, 1, "--draft", str(truncated_smollm()))
        drafted = LlamaCppEngine("drafted", url)
        for text in (QUESTION, "Count from one to ten."):
            assert (await alone(drafted, text, 24))[0] == (await alone(plain, text, 24))[0]
        timings = _post(url, "/completion", {"prompt": "One, two, three, four,", "n_predict": 24, "temperature": 0})
        assert timings["timings"]["draft_n_accepted"] > 0, "tokens were drafted, and some of them were right"
        await plain.aclose()
        await drafted.aclose()


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=20) as response:
        return str(response.read().decode())


def _post(url: str, path: str, body: dict[str, object]) -> dict[str, dict[str, float]]:
    wanted = urllib.request.Request(url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(wanted, timeout=60) as response:
        answer: dict[str, dict[str, float]] = json.load(response)
    return answer


def _metrics(url: str) -> tuple[int, int]:
    """Tokens read and tokens made since the server started."""
    lines = dict(line.split()[:2] for line in _get(f"{url}/metrics").splitlines() if not line.startswith("#"))
    return int(lines["llamacpp:prompt_tokens_total"]), int(lines["llamacpp:tokens_predicted_total"])


def _busy(url: str) -> int:
    return sum(bool(slot["is_processing"]) for slot in json.loads(_get(f"{url}/slots")))


async def _idle(urls: dict[str, str]) -> None:
    async def idle() -> bool:
        return not any([await asyncio.to_thread(_busy, url) for url in urls.values()])

    await eventually_async(idle)
