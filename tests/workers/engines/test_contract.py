"""What every engine promises, asked of each: the scripted one, a real llama.cpp server, a real SGLang server."""

import asyncio
import json
import time
import urllib.request
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace

import pytest

from tests.processes import free_port
from tests.sglang_server.server import SglangServer
from workers.engines.errors import EngineRefused, EngineUnavailable, TokenOutOfVocabulary
from workers.engines.llamacpp import LlamaCppEngine
from workers.engines.protocol import Engine, Finish, Generation, Sampling, Token
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.engines.sglang import SGLangEngine

pytestmark = pytest.mark.xdist_group("models")

SCRIPT = Script(
    context=2048,
    slots=4,
    replies=(
        say("a b c d ", match="Count", delay=0.03, endless=True),
        say("Grass is green, the sky is blue, and snow is white.", match="Colour"),
    ),
    default=say("Yes."),
)


@dataclass
class Case:
    """An engine, and how to see from outside how many generations its server is running."""

    engine: Engine
    running: Callable[[], int]


def _get(url: str) -> object:
    with urllib.request.urlopen(url, timeout=20) as response:
        return json.load(response)


@pytest.fixture(params=["scripted", "llamacpp", "sglang"])
async def case(request: pytest.FixtureRequest) -> AsyncIterator[Case]:
    case = _case(request)
    yield case
    await case.engine.aclose()


def _case(request: pytest.FixtureRequest) -> Case:
    if request.param == "scripted":
        server: ScriptedServer = request.getfixturevalue("scripted")
        server.script = SCRIPT
        return Case(LlamaCppEngine("scripted", server.url), lambda: server.stats.running)
    if request.param == "llamacpp":
        url: str = request.getfixturevalue("llamacpp_url")
        return Case(LlamaCppEngine("smol", url), lambda: sum(s["is_processing"] for s in _get(f"{url}/slots")))  # type: ignore[attr-defined]
    sglang: SglangServer = request.getfixturevalue("sglang_server")
    return Case(SGLangEngine("smol", sglang.url), lambda: int(_decodes(sglang)))


def _decodes(server: SglangServer) -> bool:
    """Whether the server makes tokens: it logs every step, while the counters it publishes lag behind."""
    before = server.decode_steps()
    time.sleep(1.0)
    return server.decode_steps() > before


async def ask(engine: Engine, text: str) -> tuple[int, ...]:
    return await engine.tokenize(await engine.render([{"role": "user", "content": text}]))


def generation(prompt: tuple[int, ...], top_logprobs: int = 0, **sampling: object) -> Generation:
    return Generation(prompt, Sampling(**sampling), uuid.uuid4().hex, top_logprobs)  # type: ignore[arg-type]


async def run(engine: Engine, wanted: Generation) -> tuple[list[Token], Finish]:
    events = [event async for event in engine.generate(wanted)]
    assert isinstance(events[-1], Finish)
    tokens = [event for event in events if isinstance(event, Token)]
    assert len(tokens) == len(events) - 1
    return tokens, events[-1]


async def test_describes_itself(case: Case) -> None:
    description = await case.engine.describe()
    assert description.vocabulary > 256
    assert description.context >= 2000
    assert description.slots >= 2
    assert description.model


async def test_a_server_that_answers_is_alive(case: Case) -> None:
    await case.engine.alive()


async def test_tokens_come_back_as_the_text_they_were_made_from(case: Case) -> None:
    text = '<|im_start|>user\nGrüße, 日本語 🎈 & <b>"x"</b><|im_end|>\n'
    ids = await case.engine.tokenize(text)
    assert await case.engine.detokenize(ids) == text
    assert (await case.engine.tokenize("<|im_start|>"))[0] == ids[0], "a marker is one special token"


async def test_renders_up_to_the_assistants_turn(case: Case) -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    rendered = await case.engine.render(messages)
    assert rendered.endswith("<|im_start|>assistant\n")
    assert rendered.index("Be brief.") < rendered.index("Hi")


async def test_ids_texts_and_log_probabilities_belong_together(case: Case) -> None:
    prompt = await ask(case.engine, "Colour of grass, sky and snow?")
    tokens, finish = await run(case.engine, generation(prompt, top_logprobs=3, max_tokens=8))
    assert finish.reason == "length"
    assert len(tokens) == 8
    assert await case.engine.detokenize([token.id for token in tokens]) == "".join(token.text for token in tokens)
    for token in tokens:
        assert token.logprob is not None
        assert token.logprob <= 0
        assert len(token.top) == 3
        assert list(token.top) == sorted(token.top, key=lambda pair: -pair[1])
        assert token.top[0] == (token.id, pytest.approx(token.logprob)), "greedy takes the most probable"


async def test_alternatives_are_spelt_where_that_is_asked(case: Case) -> None:
    prompt = await ask(case.engine, "Colour of grass, sky and snow?")
    wanted = replace(generation(prompt, top_logprobs=3, max_tokens=4), spelled=True)
    for token in (await run(case.engine, wanted))[0]:
        assert len(token.spellings) == len(token.top) == 3
        assert token.spellings[0] == await case.engine.detokenize([token.id]), "greedy takes the most probable"


async def test_no_log_probabilities_unless_asked(case: Case) -> None:
    tokens, _ = await run(case.engine, generation(await ask(case.engine, "Colour?"), max_tokens=3))
    assert all(token.logprob is None and token.top == () for token in tokens)


async def test_tokens_stream_one_by_one(case: Case) -> None:
    stream = case.engine.generate(generation(await ask(case.engine, "Count to a hundred."), max_tokens=300))
    async with aclosing(stream):  # type: ignore[type-var]
        first = await anext(stream)
        assert isinstance(first, Token)
        await _until(case, 1, "the first token came, but nothing is being made any more")


async def test_greedy_repeats_itself(case: Case) -> None:
    wanted = {"max_tokens": 12, "temperature": 0.0}
    prompt = await ask(case.engine, "Colour of the sky?")
    first, _ = await run(case.engine, generation(prompt, **wanted))
    second, _ = await run(case.engine, generation(prompt, **wanted))
    assert [token.id for token in first] == [token.id for token in second]


async def test_usage_counts_prompt_completion_and_what_the_cache_served(case: Case) -> None:
    prompt = await ask(case.engine, f"Colour of number {uuid.uuid4().hex}?")
    tokens, finish = await run(case.engine, generation(prompt, max_tokens=5))
    assert (finish.usage.prompt, finish.usage.completion) == (len(prompt), len(tokens))
    longer = prompt + tuple(token.id for token in tokens)
    _, again = await run(case.engine, generation(longer, max_tokens=3))
    assert again.usage.prompt == len(longer)
    assert len(prompt) - 2 <= again.usage.cached < len(longer), "the whole first request is not read again"


async def test_a_turn_that_ends_says_stop(case: Case) -> None:
    # A prompt that both the real models and the script answer in a few words.
    prompt = await ask(case.engine, "Say only: yes")
    tokens, finish = await run(case.engine, generation(prompt, max_tokens=40))
    assert finish.reason == "stop"
    assert finish.usage.completion == len(tokens) < 40
    assert tokens[-1].text == ""
    assert "<|" not in "".join(token.text for token in tokens), "the end-of-turn marker is an id, not text"


async def test_a_stop_string_is_cut_from_the_text(case: Case) -> None:
    prompt = await ask(case.engine, "Colour of grass, sky and snow?")
    whole, _ = await run(case.engine, generation(prompt, max_tokens=16))
    text = "".join(token.text for token in whole)
    stop = text[9:13]
    assert stop
    tokens, finish = await run(case.engine, generation(prompt, max_tokens=16, stop=(stop, "never said")))
    assert finish.reason == "stop"
    assert "".join(token.text for token in tokens) == text[: text.index(stop)]


async def test_closing_the_iterator_aborts_on_the_engine(case: Case) -> None:
    stream = case.engine.generate(generation(await ask(case.engine, "Count to a thousand."), max_tokens=900))
    async with aclosing(stream):  # type: ignore[type-var]
        await anext(stream)
        await anext(stream)
    await _until(case, 0, "the engine is still generating after the reader left")


async def test_cancelling_the_reader_aborts_on_the_engine(case: Case) -> None:
    prompt = await ask(case.engine, "Count to a thousand.")
    started = asyncio.Event()

    async def read() -> None:
        async for _ in case.engine.generate(generation(prompt, max_tokens=900)):
            started.set()

    reader = asyncio.create_task(read())
    await asyncio.wait_for(started.wait(), 60)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    await _until(case, 0, "the engine is still generating after the reader left")


async def _until(case: Case, running: int, otherwise: str) -> None:
    # Five seconds: far below the time that the generations asked for here would take on any of the engines.
    for _ in range(50):
        if await asyncio.to_thread(case.running) == running:
            return
        await asyncio.sleep(0.1)
    pytest.fail(otherwise)


async def test_an_id_outside_the_vocabulary_is_refused_before_it_is_sent(case: Case) -> None:
    vocabulary = (await case.engine.describe()).vocabulary
    for token in (vocabulary, -1):
        with pytest.raises(TokenOutOfVocabulary, match=str(token)):
            await run(case.engine, generation((1, token), max_tokens=1))
    tokens, _ = await run(case.engine, generation(await ask(case.engine, "Colour?"), max_tokens=2))
    assert len(tokens) == 2, "the server is healthy"


async def test_a_prompt_longer_than_the_context_is_refused(case: Case) -> None:
    too_long = (await case.engine.describe()).context + 500
    with pytest.raises(EngineRefused, match="context"):
        await run(case.engine, generation((5,) * too_long, max_tokens=1))


async def test_concurrent_generations_do_not_mix(case: Case) -> None:
    prompts = [await ask(case.engine, text) for text in ("Colour of grass?", "Say only: yes")]
    alone = [await run(case.engine, generation(prompt, max_tokens=4)) for prompt in prompts]
    together = await asyncio.gather(*(run(case.engine, generation(prompt, max_tokens=4)) for prompt in prompts))
    assert [finish.usage.prompt for _, finish in together] == [finish.usage.prompt for _, finish in alone]
    # Batching changes the last bits of log-probabilities; the first token of these prompts is no close call.
    assert [tokens[0].id for tokens, _ in together] == [tokens[0].id for tokens, _ in alone]


@pytest.mark.parametrize("kind", [LlamaCppEngine, SGLangEngine])
async def test_a_server_that_is_not_there_is_unavailable(kind: Callable[[str, str], Engine]) -> None:
    engine = kind("gone", f"http://127.0.0.1:{free_port()}")
    for question in (engine.describe, engine.alive):
        with pytest.raises(EngineUnavailable, match="gone"):
            await question()
    await engine.aclose()
