"""What is particular to llama.cpp's server, on a real one; what all engines share is in test_contract.py."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests import processes
from workers.engines.llamacpp import LlamaCppEngine
from workers.engines.protocol import Finish, Generation, Sampling, Token


@pytest.fixture
async def engine(llamacpp_url: str) -> AsyncIterator[LlamaCppEngine]:
    engine = LlamaCppEngine("smol", llamacpp_url)
    yield engine
    await engine.aclose()


async def text(engine: LlamaCppEngine, question: str, **sampling: object) -> str:
    prompt = await engine.tokenize(await engine.render([{"role": "user", "content": question}]))
    wanted = Generation(prompt, Sampling(**sampling), uuid.uuid4().hex)  # type: ignore[arg-type]
    return "".join([event.text async for event in engine.generate(wanted) if isinstance(event, Token)])


async def test_describes_the_server(engine: LlamaCppEngine) -> None:
    description = await engine.describe()
    assert (description.vocabulary, description.context, description.slots) == (49152, 2048, 2)


def test_it_listens_on_this_machine_alone(llamacpp_url: str) -> None:
    assert processes.listening_at(int(llamacpp_url.rsplit(":", 1)[1])) == {"127.0.0.1"}


async def test_a_seed_repeats_a_draw_and_another_seed_does_not(engine: LlamaCppEngine) -> None:
    draws = [await text(engine, "Tell a story.", max_tokens=12, temperature=1.5, seed=s) for s in (1, 1, 2, 3)]
    assert draws[0] == draws[1]
    assert len(set(draws)) > 1


async def test_a_json_schema_binds_the_answer(engine: LlamaCppEngine) -> None:
    schema = {
        "type": "object",
        "properties": {"legs": {"enum": [4, 8]}},
        "required": ["legs"],
        "additionalProperties": False,
    }
    answer = json.loads(await text(engine, "A spider, as JSON", max_tokens=40, json_schema=schema))
    assert answer["legs"] in (4, 8)


async def test_a_long_prompt_with_log_probabilities_comes_through_in_one_piece(engine: LlamaCppEngine) -> None:
    prompt = await engine.tokenize("word " * 1500)
    wanted = Generation(prompt, Sampling(max_tokens=2), uuid.uuid4().hex, top_logprobs=50)
    events = [event async for event in engine.generate(wanted)]
    assert isinstance(events[-1], Finish)
    assert events[-1].usage.prompt == len(prompt)
    assert isinstance(events[0], Token)
    assert len(events[0].top) == 50


@pytest.mark.parametrize(
    "turns",
    [
        [("user", "hi")],
        [("system", " be <b>brief</b> & exact\n"), ("user", "hi\n\n")],
        [("user", "a"), ("assistant", " b \n"), ("user", "ünï {{ 7 * 7 }}")],
        [("user", "a"), ("assistant", "b"), ("tool", "42"), ("user", "c")],
        [("user", "count"), ("assistant", "one, two")],
    ],
)
async def test_renders_as_the_server_does(
    engine: LlamaCppEngine, llamacpp_url: str, turns: list[tuple[str, str]]
) -> None:
    messages = [{"role": role, "content": content} for role, content in turns]
    async with aiohttp.ClientSession() as session:
        answer = await session.post(f"{llamacpp_url}/apply-template", json={"messages": messages})
        expected = (await answer.json())["prompt"]
    assert await engine.render(messages) == expected


async def test_goes_on_after_streams_that_the_server_closes(engine: LlamaCppEngine) -> None:
    async def ask() -> None:
        for _ in range(30):
            assert await engine.tokenize("hello")
            assert await text(engine, "hi", max_tokens=1) is not None

    await asyncio.gather(*(ask() for _ in range(4)))
