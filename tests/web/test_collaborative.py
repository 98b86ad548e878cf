"""Answers that two models write together, through the doors: gateway, Celery worker and two scripted engines."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from redis.asyncio import Redis
from rich.console import Console

from orchestrator.settings import Settings
from orchestrator.settings_file import SettingsInvalid, load_settings
from tests.collaborate_worker import collaborate_worker
from tests.other_tokenizer import OfCharacters
from tests.waiting import eventually, within_a_second
from tests.web.conftest import ask, served
from web.cli.tint import Tint
from web.gateway import create_app
from workers.collaboration.protocol import Written
from workers.engines.scripted.script import Reply, Script, say
from workers.engines.scripted.server import ScriptedServer

STEPS = "Once upon a time.\n\nThere were two writers, and they took turns.\n\nThen it was full. They went home."
STORY = "Once upon a time there were two writers, and they took turns at one sheet of paper until it was full."
SUM = "Two and three are five, and five and two are seven. The answer is \\boxed{7}."
DOUBTS = (-0.01,) * 15 + (-1.0,) * 15


@dataclass
class Pair:
    small: ScriptedServer
    large: ScriptedServer

    def play(self, text: str, **fields: Any) -> None:
        self.small.script = Script(default=Reply(texts=(text,), continues=True, logprobs=DOUBTS, **fields))
        self.large.script = Script(default=Reply(texts=(text,), continues=True, logprobs=(-0.01,), **fields))

    @property
    def running(self) -> int:
        return self.small.stats.running + self.large.stats.running


@pytest.fixture
def pair() -> Iterator[Pair]:
    with ScriptedServer(Script()) as small, ScriptedServer(Script()) as large:
        yield Pair(small, large)


@pytest.fixture(scope="module")
def worker(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with collaborate_worker(redis_url, tmp_path_factory.mktemp("worker") / "log") as pid:
        yield pid


def settings_for(folder: Path, redis_url: str, pair: Pair, **environment: str) -> Settings:
    return load_settings(
        environment={
            "TANDEM__STORAGE__DIRECTORY": str(folder),
            "TANDEM__MODELS__SMALL__ENGINE__URL": pair.small.url,
            "TANDEM__MODELS__LARGE__ENGINE__URL": pair.large.url,
            "TANDEM__MODELS__SMALL__ENGINE__EXCLUSIVE": "false",
            "TANDEM__MODELS__LARGE__ENGINE__EXCLUSIVE": "false",
            "REDIS_URL": redis_url,
            **environment,
        }
    )


Open = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
async def opened(tmp_path: Path, redis_url: str, pair: Pair) -> AsyncIterator[Open]:
    @asynccontextmanager
    async def gateway(**environment: str) -> AsyncIterator[httpx.AsyncClient]:
        app = create_app(settings_for(tmp_path, redis_url, pair, **environment))
        async with served(app) as url, httpx.AsyncClient(base_url=url, timeout=180) as client:
            yield client

    yield gateway
    async with Redis.from_url(redis_url) as redis:
        await redis.delete("tandem:collaborate:places")


async def events_of(client: httpx.AsyncClient, run: str) -> list[dict[str, Any]]:
    text = (await client.get(f"/v1/runs/{run}/events")).text
    return [orjson.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]


@pytest.mark.usefixtures("worker")
async def test_free_text_streams_as_content_and_the_events_say_who_wrote_what(opened: Open, pair: Pair) -> None:
    pair.play(STORY, delay=0.005)
    async with opened() as client:
        answer = await client.post("/v1/chat/completions", json=ask("Tell me a story.", model="entropy"))
        assert answer.status_code == 200, answer.text
        body = answer.json()
        events = await events_of(client, body["tandem"]["run"])
    assert answer.headers["x-tandem-route"] == "entropy(small+large)"
    assert body["choices"][0]["message"]["content"] == STORY
    deltas = [event for event in events if event["type"] == "content.delta"]
    tokens = [token for event in deltas for token in event["tokens"]]
    assert "".join(token["text"] for token in tokens) == STORY
    assert [token["position"] for token in tokens] == list(range(len(tokens)))
    assert len(deltas) < len(tokens), "tokens travel in handfuls"
    assert {token["model"] for token in tokens} == {"small", "large"}
    handed = [event for event in events if event["type"] == "handed_over"]
    provenance = body["tandem"]["provenance"]
    assert provenance["handovers"] == len(handed) > 0
    assert provenance["large_share"] == sum(token["model"] == "large" for token in tokens) / len(tokens)


@pytest.mark.usefixtures("worker")
async def test_the_ledger_says_what_both_engines_counted(opened: Open, pair: Pair) -> None:
    pair.play(STORY, delay=0.01)
    async with opened() as client:
        body = (await client.post("/v1/chat/completions", json=ask("Tell me a story.", model="entropy"))).json()
        charges = [e["charge"] for e in await events_of(client, body["tandem"]["run"]) if e["type"] == "charged"]
    ledger = body["tandem"]["ledger"]
    for server, name in ((pair.small, "small"), (pair.large, "large")):
        counted = ledger["tokens"][name]
        # An engine may send a few tokens more than a client that hangs up has read.
        assert 0 <= server.stats.tokens - counted["completion"] <= 3 * server.stats.requests
        assert counted["prompt"] == sum(len(prompt.encode()) for prompt in _prompts(server))
        assert counted == next(charge["usage"] for charge in charges if charge["model"] == name)
    assert ledger["calls"] == 1, "one answer is one call of the budget, however often the models take turns"
    assert body["usage"]["completion_tokens"] == sum(usage["completion"] for usage in ledger["tokens"].values())


def _prompts(server: ScriptedServer) -> list[str]:
    # The scripted tokenizer has one token a byte, and one for each marker.
    return [prompt.replace("<|im_start|>", "\0").replace("<|im_end|>", "\0") for prompt in server.stats.prompts]


@pytest.mark.usefixtures("worker")
async def test_a_question_that_can_be_checked_is_reasoned_about_and_answered(opened: Open, pair: Pair) -> None:
    pair.play(SUM)
    async with opened() as client:
        body = ask("What is 2 + 3 + 2?", tandem={"strategy": "entropy", "options": {"threshold": 0.7}})
        answer = (await client.post("/v1/chat/completions", json=body)).json()
    assert answer["choices"][0]["message"]["content"] == "7"
    assert answer["choices"][0]["message"]["reasoning_content"].strip() == SUM
    assert (answer["tandem"]["value"], answer["tandem"]["status"]) == ("7", "answered")


@pytest.mark.usefixtures("worker")
async def test_a_budget_of_tokens_bounds_what_both_write(opened: Open, pair: Pair) -> None:
    pair.play("on and ", endless=True, delay=0.002)
    async with opened() as client:
        body = ask("Tell me a story.", model="entropy", tandem={"budget": {"tokens": 50}})
        answer = (await client.post("/v1/chat/completions", json=body)).json()
    written = sum(usage["completion"] for usage in answer["tandem"]["ledger"]["tokens"].values())
    assert 40 <= written <= 60
    assert (answer["tandem"]["status"], answer["choices"][0]["finish_reason"]) == ("budget", "length")
    assert answer["choices"][0]["message"]["content"].startswith("on and ")


@pytest.mark.usefixtures("worker")
async def test_a_budget_of_seconds_ends_it_with_what_there_is(opened: Open, pair: Pair) -> None:
    pair.play("on and ", endless=True, delay=0.02)
    async with opened() as client:
        body = ask("Tell me a story.", model="entropy", max_tokens=5000, tandem={"budget": {"seconds": 1.5}})
        answer = (await client.post("/v1/chat/completions", json=body)).json()
        await eventually(lambda: pair.running == 0, seconds=3)
    assert answer["tandem"]["status"] == "budget"
    assert answer["choices"][0]["message"]["content"].startswith("on and ")
    assert sum(usage["completion"] for usage in answer["tandem"]["ledger"]["tokens"].values()) > 5


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_goes_stops_both_engines(opened: Open, pair: Pair, stream: bool) -> None:
    pair.play("on and ", endless=True, delay=0.02)
    async with opened() as client:
        body = ask("Tell me a story.", model="entropy", stream=stream, max_tokens=5000)
        asking = asyncio.create_task(client.post("/v1/chat/completions", json=body))
        await eventually(lambda: pair.small.stats.tokens > 5)
        async with within_a_second():
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            await eventually(lambda: pair.running == 0)


@pytest.mark.usefixtures("worker")
async def test_an_answer_that_waits_for_another_ones_decoding_says_so(opened: Open, pair: Pair) -> None:
    pair.play("on and ", endless=True, delay=0.02)
    exclusive = {f"TANDEM__MODELS__{model}__ENGINE__EXCLUSIVE": "true" for model in ("SMALL", "LARGE")}
    async with opened(**exclusive) as client:
        body = ask("Tell me a story.", max_tokens=5000)
        decoding = (await client.post("/v1/runs", json={**body, "model": "large"})).json()["id"]
        await eventually(lambda: pair.large.stats.tokens > 0)
        waiting = (await client.post("/v1/runs", json={**body, "model": "entropy"})).json()["id"]
        async with client.stream("GET", f"/v1/runs/{waiting}/events") as response:
            async for line in response.aiter_lines():
                if '"queued"' in line and line.startswith("data: "):
                    event = orjson.loads(line[6:])
                    break
        assert (event["model"], event["position"]) == ("small", 1)
        async with within_a_second():
            for run in (waiting, decoding):
                await client.post(f"/v1/runs/{run}/cancel")
            await eventually(lambda: pair.running == 0)


@pytest.mark.usefixtures("worker")
async def test_a_full_queue_answers_429_before_anything_is_streamed(opened: Open, pair: Pair) -> None:
    pair.play("on and ", endless=True, delay=0.02)
    async with opened(TANDEM__COLLABORATION__QUEUE="1") as client:
        body = ask("Tell me a story.", model="entropy", max_tokens=5000)
        first = (await client.post("/v1/runs", json=body)).json()["id"]
        for stream in (False, True):
            refused = await client.post("/v1/chat/completions", json={**body, "stream": stream})
            assert refused.status_code == 429, refused.text
            assert int(refused.headers["retry-after"]) > 0
            assert "queue" in refused.json()["error"]["message"]
        # Other routes are served meanwhile.
        pair.play(STORY)
        other = await client.post("/v1/chat/completions", json=ask("Tell me a story.", model="small"))
        assert other.status_code == 200
        await client.post(f"/v1/runs/{first}/cancel")

        async def served_again() -> bool:
            return (await client.post("/v1/chat/completions", json=body)).status_code == 200

        async with asyncio.timeout(20):
            while not await served_again():
                await asyncio.sleep(0.1)


@pytest.mark.usefixtures("worker")
async def test_answers_from_the_cache_leave_the_queue_to_others(opened: Open, pair: Pair) -> None:
    pair.play(STORY)
    cached = {"TANDEM__COLLABORATION__QUEUE": "1", "TANDEM__ANSWER_CACHE__ENABLED": "true"}
    async with opened(**cached) as client:
        body = ask("Tell me a story.", model="entropy")
        answers = [await client.post("/v1/chat/completions", json=body) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert [answer.headers.get("x-tandem-cache") for answer in answers] == [None, "hit", "hit", "hit"]


async def test_without_a_worker_the_error_says_what_to_start(opened: Open, pair: Pair, redis_url: str) -> None:
    pair.play(STORY)
    url = f"{redis_url[:-1]}15"
    async with opened(REDIS_URL=url, TANDEM__COLLABORATION__PATIENCE_SECONDS="0.5") as client:
        answer = await client.post("/v1/chat/completions", json=ask("Tell me a story.", model="entropy"))
    assert answer.status_code == 503, answer.text
    assert "tandem serve" in answer.json()["error"]["message"]


@pytest.mark.usefixtures("worker")
async def test_words_that_were_read_are_not_followed_by_another_routes(opened: Open, pair: Pair) -> None:
    pair.play("def double(number):\n    return number * 2\n", failure="disconnect", failure_after=12)
    async with opened(TANDEM__AUTO__CODE='["entropy(small+large)", "code(large)"]') as client:
        body = ask('def double(number: int) -> int:\n    """Twice as much.\n\n    >>> double(2)\n    4\n    """')
        run = (await client.post("/v1/runs", json=body)).json()["id"]
        events = await events_of(client, run)
    assert next(event["route"] for event in events if event["type"] == "routed") == "entropy(small+large)"
    written = "".join(event["text"] for event in events if event["type"] == "content.delta")
    assert written and "def double(number):".startswith(written[:12])
    assert (events[-1]["status"], events[-1]["error_type"]) == ("error", "engine_unavailable")
    assert not [event for event in events if event["type"] == "escalated"]


async def test_what_two_models_cannot_write_is_refused_at_once(opened: Open, pair: Pair) -> None:
    async def refused(client: httpx.AsyncClient, **fields: Any) -> str:
        answer = await client.post("/v1/chat/completions", json=ask("Tell me a story.", **fields))
        assert answer.status_code == 400, answer.text
        return str(answer.json()["error"]["message"])

    async with opened() as client:
        assert "treshold" in await refused(client, model="entropy", tandem={"options": {"treshold": 1}})
        assert "two models" in await refused(client, model="entropy(large)")
    provider = {"KIND": "litellm", "PROVIDER_MODEL": "openai/some", "URL": pair.large.url}
    environment = {f"TANDEM__MODELS__LARGE__ENGINE__{key}": value for key, value in provider.items()}
    async with opened(**environment) as client:
        assert "is a provider's" in await refused(client, model="entropy")
        listed = (await client.get("/v1/models")).json()["data"]
        assert "entropy" not in {model["id"] for model in listed}


@pytest.mark.usefixtures("worker")
async def test_tokens_of_two_tokenizers_are_not_mixed(opened: Open, pair: Pair) -> None:
    pair.play(STORY)
    async with served(OfCharacters(pair.large.script)) as url, opened(TANDEM__MODELS__LARGE__ENGINE__URL=url) as client:
        for policy in ("entropy", "divergence"):
            refused = await client.post("/v1/chat/completions", json=ask("Tell me a story.", model=policy))
            assert refused.status_code == 400, refused.text
            error = refused.json()["error"]
            assert f"{policy!r} mixes tokens, and the tokenizers of small and large differ" in error["message"]
            assert (error["param"], error["code"]) == ("model", "unsupported_value")
        assert pair.small.stats.tokens == 0


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    ("policy", "options", "authors"),
    [
        ("leader", {"lead": 5}, {"small", "large"}),
        ("reflection", {"begin_tokens": 9, "span": 9}, {"small", "large"}),
        ("stepwise", {}, {"small", "large"}),
        ("hawkeye", {}, {"small"}),
    ],
)
async def test_steps_of_two_tokenizers_may_be_mixed(
    opened: Open, pair: Pair, policy: str, options: dict[str, int], authors: set[str]
) -> None:
    pair.play(STEPS)
    bad = say("2", match=r"(?s)took turns\.\n\n<\|im_end\|>.*grade the last step")
    others = (bad, say("9", match="grade the last step"), say("a plan", match="Do not answer yet"))
    large = pair.large.script.model_copy(update={"replies": others})
    body = ask("Tell me a story.", model=policy, tandem={"options": options})
    async with served(OfCharacters(large)) as url, opened(TANDEM__MODELS__LARGE__ENGINE__URL=url) as client:
        answer = (await client.post("/v1/chat/completions", json=body)).json()
        events = await events_of(client, answer["tandem"]["run"])
    assert answer["choices"][0]["message"]["content"] == STEPS
    tokens = [token for event in events if event["type"] == "content.delta" for token in event["tokens"]]
    assert {token["model"] for token in tokens} == authors
    assert "".join(token["text"] for token in tokens) == STEPS
    assert answer["tandem"]["ledger"]["tokens"]["large"]["completion"] > 0, "it had a say"


@pytest.mark.parametrize(
    ("model", "capable"), [("entropy", "large"), ("leader(small+large)", "large"), ("leader(large+small)", "small")]
)
async def test_tools_go_to_the_capable_one_of_a_pair_alone(opened: Open, pair: Pair, model: str, capable: str) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    for server in (pair.small, pair.large):
        server.script = Script(default=Reply(tool_calls=(call,)))
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    async with opened() as client:
        answer = await client.post("/v1/chat/completions", json=ask("Is it hot?", model=model, tools=[tool]))
    assert answer.headers["x-tandem-route"] == f"direct({capable})"
    [choice] = answer.json()["choices"]
    assert choice["message"]["tool_calls"][0]["function"]["name"] == "weather"
    asked = {"small": pair.small.stats.requests, "large": pair.large.stats.requests}
    assert {name for name, requests in asked.items() if requests} == {capable}


async def test_each_policy_is_a_virtual_model(opened: Open) -> None:
    async with opened() as client:
        names = {model["id"] for model in (await client.get("/v1/models")).json()["data"]}
    assert {"entropy", "leader", "reflection", "stepwise", "divergence", "hawkeye"} <= names


def test_options_of_the_policies_are_settings_and_checked_at_start(tmp_path: Path) -> None:
    file = tmp_path / "tandem.toml"
    profile = (Path(__file__).parents[2] / "orchestrator/profiles/cpu.toml").read_text()
    file.write_text(profile + "\n[collaboration]\nqueue = 3\n[collaboration.entropy]\nthreshold = 0.5\n")
    settings = load_settings(file, {})
    assert (settings.collaboration.queue, settings.collaboration.options("entropy")) == (3, {"threshold": 0.5})
    for wrong, said in (
        ("[collaboration.entropy]\ntreshold = 0.5\n", "treshold"),
        ("[collaboration]\nquue = 3\n", "quue"),
        ("[collaboration.nonsense]\na = 1\n", "nonsense"),
    ):
        file.write_text(f"{profile}\n{wrong}")
        with pytest.raises(SettingsInvalid, match=said):
            load_settings(file, {})


def test_each_models_tokens_have_a_colour_of_their_own() -> None:
    out = io.StringIO()
    tint = Tint(Console(file=out, force_terminal=True, highlight=False))
    tint.show(
        [Written(position=0, id=1, text="one ", model="small"), Written(position=1, id=2, text="two", model="large")]
    )
    tint.legend()
    shown = out.getvalue()
    assert shown.count("\x1b[36m") == 2, "the small model's token and its name"
    assert shown.index("one") < shown.index("two") < shown.index("small")
