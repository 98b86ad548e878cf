"""What is particular to SGLang, on a real server; what all engines share is in test_contract.py."""

import json
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from tests.sglang_server.server import SERVED_NAME, SglangServer
from workers.engines.errors import EngineRefused
from workers.engines.protocol import Finish, Generation, Sampling, Token
from workers.engines.sglang import SGLangEngine


@pytest.fixture
async def engine(sglang_server: SglangServer) -> AsyncIterator[SGLangEngine]:
    engine = SGLangEngine("smol", sglang_server.url, sglang_server.installation.model)
    yield engine
    await engine.aclose()


async def run(engine: SGLangEngine, text: str, **sampling: object) -> tuple[list[Token], Finish]:
    prompt = await engine.tokenize(await engine.render([{"role": "user", "content": text}]))
    wanted = Generation(prompt, Sampling(**sampling), uuid.uuid4().hex)  # type: ignore[arg-type]
    events = [event async for event in engine.generate(wanted)]
    assert isinstance(events[-1], Finish)
    return [event for event in events if isinstance(event, Token)], events[-1]


async def test_describes_the_server(engine: SGLangEngine) -> None:
    description = await engine.describe()
    assert (description.model, description.vocabulary, description.slots) == (SERVED_NAME, 49152, 8)
    assert description.extra["seeded"] is False, "seeds need --enable-deterministic-inference"


async def test_renders_and_tokenizes_as_transformers_does(engine: SGLangEngine, sglang_server: SglangServer) -> None:
    references = json.loads(sglang_server.installation.rendered.read_text(encoding="utf-8"))
    assert len(references) == 4
    for reference in references:
        text = await engine.render(reference["messages"])
        assert text == reference["text"]
        assert list(await engine.tokenize(text)) == reference["ids"]


async def test_finds_the_tokenizer_folder_by_itself_on_one_machine(sglang_server: SglangServer) -> None:
    engine = SGLangEngine("smol", sglang_server.url)
    assert (await engine.render([{"role": "user", "content": "hi"}])).endswith("<|im_start|>assistant\n")
    await engine.aclose()


async def test_a_json_schema_binds_the_answer(engine: SGLangEngine) -> None:
    schema = {
        "type": "object",
        "properties": {"colour": {"enum": ["red", "green"]}, "legs": {"enum": [4, 8]}},
        "required": ["colour", "legs"],
        "additionalProperties": False,
    }
    tokens, finish = await run(engine, "Describe a spider as JSON.", max_tokens=60, json_schema=schema)
    assert finish.reason == "stop"
    answer = json.loads("".join(token.text for token in tokens))
    assert answer["colour"] in ("red", "green")
    assert answer["legs"] in (4, 8)


async def test_a_schema_that_is_none_is_refused(engine: SGLangEngine) -> None:
    with pytest.raises(EngineRefused, match="grammar"):
        await run(engine, "hi", max_tokens=3, json_schema={"type": 7})


async def test_values_that_the_server_declines_are_refused(engine: SGLangEngine) -> None:
    with pytest.raises(EngineRefused, match="top_p"):
        await run(engine, "hi", max_tokens=3, top_p=-1.0)


async def test_sampling_draws_among_the_most_probable_only(engine: SGLangEngine) -> None:
    greedy, _ = await run(engine, "Colour of the sky?", max_tokens=6)
    only_one, _ = await run(engine, "Colour of the sky?", max_tokens=6, temperature=1.5, top_k=1)
    assert [token.id for token in only_one] == [token.id for token in greedy]
    hot = [await run(engine, "Colour of the sky?", max_tokens=6, temperature=1.5) for _ in range(4)]
    assert len({tuple(token.id for token in tokens) for tokens, _ in hot}) > 1, "top_k 0 does not narrow the choice"


async def test_closing_tells_the_server(engine: SGLangEngine, sglang_server: SglangServer) -> None:
    prompt = await engine.tokenize(await engine.render([{"role": "user", "content": "Count to a thousand."}]))
    before = sglang_server.log.read_bytes().count(b"POST /abort_request")
    stream = engine.generate(Generation(prompt, Sampling(max_tokens=500), uuid.uuid4().hex))
    async with aclosing(stream):  # type: ignore[type-var]
        await anext(stream)
    assert sglang_server.log.read_bytes().count(b"POST /abort_request") == before + 1


async def test_a_missing_tokenizer_folder_is_named(sglang_server: SglangServer) -> None:
    engine = SGLangEngine("smol", sglang_server.url, "/nowhere/model")
    with pytest.raises(EngineRefused, match=r"/nowhere/model.*tandem\.toml"):
        await engine.render([{"role": "user", "content": "hi"}])
    await engine.aclose()
