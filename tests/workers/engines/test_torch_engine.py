"""The torch engine on a real model, beside what transformers itself makes of it."""

import asyncio
import math
import uuid
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from workers.engines.errors import EngineRefused, EngineUnavailable, TokenOutOfVocabulary
from workers.engines.protocol import Finish, Generation, Sampling, Token
from workers.engines.torch_engine import TorchEngine
from workers.engines.torch_model import TorchModel, load_torch_model

torch = pytest.importorskip("torch", reason="the torch engine needs the extra `worker`")

QUESTION = [{"role": "user", "content": "Name three colours and say one sentence about each."}]


@pytest.fixture(scope="module")
def folder(smollm_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model as a Hugging Face folder, made of the GGUF file by the engine's own loader."""
    loaded = load_torch_model("smol", smollm_file, threads=1)
    out = tmp_path_factory.mktemp("smol")
    # transformers refuses to save what it remembers as packed; these weights are plain by now.
    for holder, name in ((loaded.model.config, "quantization_config"), (loaded.model, "hf_quantizer")):
        if hasattr(holder, name):
            delattr(holder, name)
    loaded.model.is_quantized = False
    loaded.model.save_pretrained(out)
    loaded.tokenizer.save_pretrained(out)
    return out


@pytest.fixture(scope="module")
def reference(folder: Path) -> Iterator[TorchModel]:
    yield load_torch_model("smol", folder, threads=1)


@pytest.fixture
async def engine(folder: Path) -> AsyncGenerator[TorchEngine, None]:
    engine = TorchEngine("smol", folder, context=1024, threads=1)
    yield engine
    await engine.aclose()


async def ask(engine: TorchEngine) -> tuple[int, ...]:
    return await engine.tokenize(await engine.render(QUESTION))


async def ask_for(engine: TorchEngine, text: str) -> tuple[int, ...]:
    return await engine.tokenize(await engine.render([{"role": "user", "content": text}]))


def generation(prompt: tuple[int, ...], top_logprobs: int = 0, **sampling: Any) -> Generation:
    return Generation(prompt, Sampling(**sampling), uuid.uuid4().hex, top_logprobs)


async def collect(engine: TorchEngine, wanted: Generation) -> tuple[list[Token], Finish]:
    events = [event async for event in engine.generate(wanted)]
    assert isinstance(events[-1], Finish)
    return [event for event in events if isinstance(event, Token)], events[-1]


def greedy_of(reference: TorchModel, prompt: tuple[int, ...], tokens: int) -> list[int]:
    ids = torch.tensor([list(prompt)])
    out = reference.model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=tokens, do_sample=False)
    return [int(token) for token in out[0, len(prompt) :]]


async def test_greedy_is_what_transformers_generates(engine: TorchEngine, reference: TorchModel) -> None:
    prompt = await ask(engine)
    tokens, finish = await collect(engine, generation(prompt, max_tokens=40))
    expected = greedy_of(reference, prompt, 40)
    assert [token.id for token in tokens] == expected
    assert "".join(token.text for token in tokens) == reference.tokenizer.decode(expected, skip_special_tokens=True)
    assert finish.usage.prompt == len(prompt)
    assert finish.usage.completion == len(expected)


async def test_a_long_prompt_is_read_in_chunks_and_means_the_same(engine: TorchEngine, reference: TorchModel) -> None:
    prompt = await engine.tokenize("One, two, three, four. " * 60)
    assert len(prompt) > 300
    tokens, _ = await collect(engine, generation(prompt, max_tokens=8))
    assert [token.id for token in tokens] == greedy_of(reference, prompt, 8)


async def test_the_next_call_reads_only_what_is_new(engine: TorchEngine) -> None:
    prompt = await ask(engine)
    first, _ = await collect(engine, generation(prompt, max_tokens=12))
    longer = (*prompt, *(token.id for token in first))
    again, finish = await collect(engine, generation(longer, max_tokens=6))
    whole, _ = await collect(engine, generation(prompt, max_tokens=18))
    # The last token was chosen but never read.
    assert finish.usage.cached == len(longer) - 1
    assert [token.id for token in first + again] == [token.id for token in whole]


async def test_another_question_does_not_cost_the_first_its_prefix(engine: TorchEngine) -> None:
    prompt = await ask(engine)
    other = await engine.tokenize("The quick brown fox jumps over the lazy dog.")
    await collect(engine, generation(prompt, max_tokens=2))
    await collect(engine, generation(other, max_tokens=2))
    _, finish = await collect(engine, generation(prompt, max_tokens=2))
    assert finish.usage.cached == len(prompt) - 1


async def test_log_probabilities_are_those_of_the_whole_distribution(engine: TorchEngine) -> None:
    prompt = await ask(engine)
    tokens, _ = await collect(engine, generation(prompt, top_logprobs=5, max_tokens=3))
    for token in tokens:
        assert len(token.top) == len(token.spellings) == 5
        assert token.top[0] == (token.id, token.logprob)
        assert [value for _, value in token.top] == sorted((value for _, value in token.top), reverse=True)
        assert sum(math.exp(value) for _, value in token.top) <= 1.0001
    outlook = await engine.look(prompt)
    logprobs = outlook.logits - np.logaddexp.reduce(outlook.logits)
    assert outlook.logits.shape == ((await engine.describe()).vocabulary,)
    assert logprobs[tokens[0].id] == pytest.approx(tokens[0].logprob, abs=0.01)


async def test_log_probabilities_are_before_temperature(engine: TorchEngine) -> None:
    prompt = await ask(engine)
    cold, _ = await collect(engine, generation(prompt, top_logprobs=3, max_tokens=1))
    warm, _ = await collect(engine, generation(prompt, top_logprobs=3, max_tokens=1, temperature=2.0, seed=1))
    assert [value for _, value in warm[0].top] == pytest.approx([value for _, value in cold[0].top], abs=0.01)


async def test_one_reading_says_what_would_have_been_written_at_every_place(engine: TorchEngine) -> None:
    prompt = await ask(engine)
    tokens, _ = await collect(engine, generation(prompt, top_logprobs=4, max_tokens=10))
    written = [token.id for token in tokens]
    reading = await engine.read([*prompt, *written], len(prompt), 4)
    assert reading.ids.shape == reading.logprobs.shape == (10, 4)
    assert reading.ids[:, 0].tolist() == written
    assert reading.logprobs[:, 0] == pytest.approx([token.logprob for token in tokens], abs=1e-3)
    outlook = await engine.look(prompt)
    assert reading.hidden.shape == (10, outlook.hidden.shape[0])
    assert reading.hidden[0] == pytest.approx(outlook.hidden, abs=1e-3)


async def test_a_seed_repeats_an_answer_and_another_one_does_not(engine: TorchEngine) -> None:
    prompt = await ask(engine)
    drawn = []
    for seed in (1, 1, 2):
        tokens, _ = await collect(engine, generation(prompt, max_tokens=16, temperature=1.5, top_p=0.95, seed=seed))
        drawn.append([token.id for token in tokens])
    assert drawn[0] == drawn[1] != drawn[2]


async def test_a_stop_string_ends_the_answer_and_is_not_shown(engine: TorchEngine) -> None:
    prompt = await ask(engine)
    whole, _ = await collect(engine, generation(prompt, max_tokens=30))
    text = "".join(token.text for token in whole)
    stop = text[15:18]
    cut, finish = await collect(engine, generation(prompt, max_tokens=30, stop=(stop,)))
    assert finish.reason == "stop"
    assert "".join(token.text for token in cut) == text[: text.index(stop)]


async def test_closing_ends_the_generation_and_frees_the_engine(engine: TorchEngine) -> None:
    prompt = await ask(engine)
    events = cast(AsyncGenerator[Token | Finish, None], engine.generate(generation(prompt, max_tokens=500)))
    async with aclosing(events) as stream:
        async for _ in stream:
            break
    async with asyncio.timeout(20):
        _, finish = await collect(engine, generation(prompt, max_tokens=2))
    assert finish.reason == "length"


async def test_a_cancelled_reader_leaves_the_caches_whole(engine: TorchEngine) -> None:
    prompt = await ask(engine)
    task = asyncio.create_task(collect(engine, generation(prompt, max_tokens=500)))
    await asyncio.sleep(0.3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    after, _ = await collect(engine, generation(prompt, max_tokens=10))
    fresh = TorchEngine("smol", engine._source, context=1024, threads=1)
    expected, _ = await collect(fresh, generation(prompt, max_tokens=10))
    await fresh.aclose()
    assert [token.id for token in after] == [token.id for token in expected]


async def test_several_answers_at_once_do_not_mix(engine: TorchEngine) -> None:
    prompts = [await engine.tokenize(text) for text in ("Once upon a time", "2 + 2 =", "The capital of France")]
    alone = [[token.id for token in (await collect(engine, generation(p, max_tokens=8)))[0]] for p in prompts]
    together = await asyncio.gather(*(collect(engine, generation(p, max_tokens=8)) for p in prompts))
    assert [[token.id for token in tokens] for tokens, _ in together] == alone


async def test_six_answers_that_take_turns_each_find_their_own_prefix_again(folder: Path) -> None:
    engine = TorchEngine("smol", folder, context=1024, threads=1, prefixes=6)
    # They begin alike, with the system prompt of the template.
    written = {number: list(await ask_for(engine, f"Write about the number {number}.")) for number in range(6)}
    for turn in range(3):
        for ids in written.values():
            tokens, finish = await collect(engine, generation(tuple(ids), max_tokens=3))
            if turn:
                # The last token was chosen but never read.
                assert finish.usage.cached == len(ids) - 1
            ids += [token.id for token in tokens]
    await engine.aclose()


async def test_no_more_than_so_many_sequences_are_kept(folder: Path) -> None:
    engine = TorchEngine("smol", folder, context=1024, threads=1, prefixes=2)
    prompts = [await engine.tokenize(text) for text in ("Once upon a time", "2 + 2 = 4 and", "Whose is the blue hat?")]
    for prompt in prompts:
        await collect(engine, generation(prompt, max_tokens=1))
    cached = [(await collect(engine, generation(p, max_tokens=1)))[1].usage.cached for p in (prompts[2], prompts[0])]
    await engine.aclose()
    assert cached == [len(prompts[2]) - 1, 0]


async def test_an_answer_that_is_not_read_on_stops_no_other_one(engine: TorchEngine) -> None:
    prompt = await ask(engine)
    alone, _ = await collect(engine, generation(prompt, max_tokens=12))
    resting = cast(AsyncGenerator[Token | Finish, None], engine.generate(generation(prompt, max_tokens=12)))
    async with aclosing(resting):
        tokens = [await anext(resting)]
        async with asyncio.timeout(20):
            # It begins with the same ids, and leaves the other one's cache alone.
            others, _ = await collect(engine, generation(prompt, max_tokens=6, temperature=1.5, seed=1))
            await engine.look(prompt)
        tokens += [event async for event in resting]
    assert [token.id for token in tokens if isinstance(token, Token)] == [token.id for token in alone]
    assert [token.id for token in others] != [token.id for token in alone[:6]]


async def test_answers_at_once_take_turns_token_by_token(engine: TorchEngine) -> None:
    prompts = [await ask_for(engine, f"Write about the number {number}.") for number in range(3)]
    progress = [0, 0, 0]
    at_first_end: list[int] = []

    async def one(index: int) -> None:
        async for _ in engine.generate(generation(prompts[index], max_tokens=12)):
            progress[index] += 1
        at_first_end.extend([] if at_first_end else progress)

    await asyncio.gather(*map(one, range(3)))
    assert min(at_first_end) > max(at_first_end) / 2, f"somebody was left behind: {at_first_end}"


async def test_what_the_engine_cannot_do_is_refused(engine: TorchEngine) -> None:
    description = await engine.describe()
    prompt = await ask(engine)
    with pytest.raises(TokenOutOfVocabulary):
        await collect(engine, generation((*prompt, description.vocabulary), max_tokens=1))
    with pytest.raises(EngineRefused, match="does not fit"):
        await collect(engine, generation(prompt * 100, max_tokens=1))
    with pytest.raises(EngineRefused, match="JSON schema"):
        await collect(engine, generation(prompt, max_tokens=1, json_schema={"type": "object"}))


async def test_a_missing_model_is_named(tmp_path: Path) -> None:
    engine = TorchEngine("gone", tmp_path / "gone.gguf")
    with pytest.raises(EngineUnavailable, match=r"gone\.gguf"):
        await engine.describe()
    await engine.aclose()
