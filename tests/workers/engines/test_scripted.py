"""The scripted engine's own behaviour: replies by script, failures on demand, an account of what happened."""

import asyncio
import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import aiohttp
import openai
import pytest
from pydantic import ValidationError

from workers.engines.chat_template import ChatTemplate
from workers.engines.errors import EngineRefused, EngineUnavailable
from workers.engines.llamacpp import LlamaCppEngine
from workers.engines.protocol import Finish, Generation, Sampling, Token
from workers.engines.scripted.script import Reply, Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.engines.scripted.tokenizer import CHATML, chatml


async def answer(server: ScriptedServer, text: str, **sampling: object) -> str:
    engine = LlamaCppEngine("scripted", server.url)
    try:
        prompt = await engine.tokenize(await engine.render([{"role": "user", "content": text}]))
        wanted = Generation(prompt, Sampling(**sampling), "0" * 32)  # type: ignore[arg-type]
        return "".join([event.text async for event in engine.generate(wanted) if isinstance(event, Token)])
    finally:
        await engine.aclose()


async def test_replies_by_pattern_in_order_and_in_turn(scripted: ScriptedServer) -> None:
    scripted.script = Script(
        replies=(Reply(match=r"2 ?\+ ?2", texts=("4", "5")), say("later", match="2")), default=say("what?")
    )
    assert [await answer(scripted, "2+2") for _ in range(3)] == ["4", "5", "4"]
    assert await answer(scripted, "2") == "later"
    assert await answer(scripted, "x") == "what?"
    assert scripted.stats.requests == scripted.stats.completed == 5
    assert "2+2" in scripted.stats.prompts[0]


async def test_its_own_template_is_what_it_renders() -> None:
    turns = [{"role": "system", "content": " s\n"}, {"role": "user", "content": "c <&>\n\n"}]
    assert ChatTemplate(CHATML, {}).render(turns) == chatml(turns)


async def test_stop_strings_limits_and_characters_of_several_bytes(scripted: ScriptedServer) -> None:
    scripted.script = Script(default=say("日本語 STOP rest"))
    assert await answer(scripted, "x") == "日本語 STOP rest"
    assert await answer(scripted, "x", stop=("STOP",)) == "日本語 "
    assert await answer(scripted, "x", max_tokens=4) == "日", "four bytes hold one whole character"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (say("", failure="unavailable"), EngineUnavailable),
        (say("", failure="refuse"), EngineRefused),
        (say("abcdef", failure="disconnect", failure_after=2), EngineUnavailable),
    ],
)
async def test_fails_where_the_script_says(scripted: ScriptedServer, reply: Reply, error: type[Exception]) -> None:
    scripted.script = Script(default=reply)
    with pytest.raises(error):
        await answer(scripted, "x")
    assert scripted.stats.failed >= 1
    assert scripted.stats.completed == 0


async def test_an_abort_is_counted_and_seen_from_outside(scripted: ScriptedServer) -> None:
    scripted.script = Script(default=say("and so on ", endless=True))
    engine = LlamaCppEngine("scripted", scripted.url)
    stream = engine.generate(Generation((65,), Sampling(max_tokens=10**6), "0" * 32))
    assert isinstance(await anext(stream), Token)
    await stream.aclose()  # type: ignore[attr-defined]
    await engine.aclose()
    async with aiohttp.ClientSession() as session:
        for _ in range(100):
            async with session.get(f"{scripted.url}/scripted/stats") as response:
                stats = await response.json()
            if stats["aborted"]:
                break
            await asyncio.sleep(0.02)
    assert (stats["aborted"], stats["running"], stats["completed"]) == (1, 0, 0)
    assert 0 < stats["tokens"] < 10**6


async def test_requests_beyond_the_slots_wait(scripted_one_slot: ScriptedServer) -> None:
    answers = [asyncio.create_task(answer(scripted_one_slot, "x")) for _ in range(3)]
    while not scripted_one_slot.stats.running:
        await asyncio.sleep(0.005)
    assert scripted_one_slot.stats.running == 1
    assert await asyncio.gather(*answers) == ["hello"] * 3


@pytest.fixture
def scripted_one_slot() -> object:
    with ScriptedServer(Script(slots=1, default=say("hello", delay=0.005))) as server:
        yield server


async def test_the_openai_client_reads_it_streaming_and_not(scripted: ScriptedServer) -> None:
    scripted.script = Script(default=say("Grüße", logprobs=(-0.25,)))
    async with openai.AsyncOpenAI(base_url=f"{scripted.url}/v1", api_key="none") as client:
        whole = await client.chat.completions.create(
            model="scripted", messages=[{"role": "user", "content": "hi"}], logprobs=True, top_logprobs=2
        )
        assert whole.choices[0].message.content == "Grüße"
        assert whole.choices[0].logprobs is not None
        assert whole.choices[0].logprobs.content is not None
        assert whole.choices[0].logprobs.content[0].logprob == -0.25
        assert whole.usage is not None
        assert whole.usage.completion_tokens == len("Grüße".encode()) + 1
        stream = await client.chat.completions.create(
            model="scripted",
            messages=[{"role": "user", "content": "hi"}],
            stream=True,
            stream_options={"include_usage": True},
            max_tokens=3,
        )
        chunks = [chunk async for chunk in stream]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "Gr"
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "length"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 3


def test_runs_as_a_process_with_a_script_from_a_file(tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text(Script(name="from-file", default=say("hi there")).model_dump_json())
    command = [sys.executable, "-m", "workers.engines.scripted", "--script", str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            body = json.dumps({"prompt": "x", "n_predict": 100}).encode()
            with urllib.request.urlopen(urllib.request.Request(f"{url}/completion", body), timeout=10) as response:
                completion = json.load(response)
            assert (completion["content"], completion["stop_type"]) == ("hi there", "eos")
            assert completion["model"] == "from-file"
        finally:
            process.terminate()


def test_a_script_that_is_wrong_names_the_place() -> None:
    with pytest.raises(ValidationError, match=r"replies\.0\.texs"):
        Script.model_validate({"replies": [{"texs": ["typo"]}]})
    with pytest.raises(ValidationError, match="endless"):
        Reply(texts=("",), endless=True)


async def test_a_prompt_served_before_is_cached(scripted: ScriptedServer) -> None:
    engine = LlamaCppEngine("scripted", scripted.url)
    cached = []
    for _ in range(2):
        events = [e async for e in engine.generate(Generation(tuple(b"same prompt"), Sampling(max_tokens=1), "0" * 32))]
        assert isinstance(events[-1], Finish)
        cached.append(events[-1].usage.cached)
    await engine.aclose()
    assert cached == [0, len("same prompt") - 1]
