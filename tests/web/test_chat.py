"""Whole and streamed answers, as raw HTTP sees them."""

import asyncio
from typing import Any

import orjson
import pytest

from tests.waiting import eventually
from tests.web.conftest import Gateway, Start, ask


async def lines_of(gateway: Gateway, body: dict[str, Any]) -> tuple[list[str], dict[str, str]]:
    async with gateway.client() as client, client.stream("POST", "/v1/chat/completions", json=body) as response:
        assert response.status_code == 200
        lines = [line async for line in response.aiter_lines() if line]
        return lines, dict(response.headers)


def chunks_of(lines: list[str]) -> list[dict[str, Any]]:
    assert lines[-1] == "data: [DONE]"
    return [orjson.loads(line.removeprefix("data: ")) for line in lines[:-1] if line.startswith("data: ")]


async def test_a_whole_answer_has_openais_shape_the_summed_usage_and_the_trace_ends(gateway: Gateway) -> None:
    async with gateway.client() as client:
        response = await client.post("/v1/chat/completions", json=ask("think"))
    body = response.json()
    run = body["tandem"]["run"]
    assert response.headers["x-tandem-run-id"] == run
    assert response.headers["x-tandem-route"] == "cot(small)"
    assert body["id"] == f"chatcmpl-{run}"
    assert body["object"] == "chat.completion"
    [choice] = body["choices"]
    assert choice["message"]["content"] == "You said: think "
    assert choice["message"]["reasoning_content"] == "six sevens are 42"
    assert (choice["finish_reason"], choice["logprobs"]) == ("stop", None)
    assert body["usage"]["prompt_tokens"] == 18
    assert body["usage"]["completion_tokens"] == 8
    assert body["usage"]["total_tokens"] == 26
    tandem = body["tandem"]
    assert (tandem["status"], tandem["value"], tandem["route"]) == ("answered", "42", "cot(small)")
    assert tandem["ledger"]["tokens"]["large"]["prompt"] == 11


async def test_a_stream_opens_with_the_role_and_closes_with_the_reason(gateway: Gateway) -> None:
    lines, headers = await lines_of(gateway, ask("think", stream=True))
    chunks = chunks_of(lines)
    assert headers["x-tandem-route"] == "cot(small)"
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert "".join(delta.get("content", "") for delta in deltas) == "You said: think "
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == "six sevens are 42"
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1]["tandem"]["run"] == headers["x-tandem-run-id"]
    assert all("usage" not in chunk for chunk in chunks)


async def test_usage_comes_in_a_chunk_of_its_own_when_asked_for(gateway: Gateway) -> None:
    lines, _ = await lines_of(gateway, ask("hi", stream=True, stream_options={"include_usage": True}))
    chunks = chunks_of(lines)
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["total_tokens"] == 26
    assert all(chunk["usage"] is None for chunk in chunks[:-1])


async def test_text_survives_the_hand_made_json(gateway: Gateway) -> None:
    question = 'a "quoted" \\ back\nslash \u2028 é 🙂 </script> data: [DONE]'
    lines, _ = await lines_of(gateway, ask(question, stream=True))
    said = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks_of(lines))
    assert said == f"You said: {question} "


async def test_n_choices_are_n_runs(gateway: Gateway) -> None:
    async with gateway.client() as client:
        body = (await client.post("/v1/chat/completions", json=ask("hi", n=3, seed=5))).json()
    assert [choice["index"] for choice in body["choices"]] == [0, 1, 2]
    assert body["usage"]["total_tokens"] == 3 * 26
    assert len({run["run"] for run in body["tandem"]["runs"]}) == 3
    assert {run.record.request.seed for run in gateway.runs.runs.values()} == {5, 6, 7}


async def test_streamed_choices_each_get_their_whole_text(gateway: Gateway) -> None:
    lines, _ = await lines_of(gateway, ask("hi there", stream=True, n=2, stream_options={"include_usage": True}))
    chunks = chunks_of(lines)
    for index in (0, 1):
        own = [c["choices"][0] for c in chunks if c["choices"] and c["choices"][0]["index"] == index]
        assert own[0]["delta"]["role"] == "assistant"
        assert "".join(choice["delta"].get("content", "") for choice in own) == "You said: hi there "
        assert own[-1]["finish_reason"] == "stop"
    assert chunks[-1]["usage"]["total_tokens"] == 2 * 26


@pytest.mark.parametrize("stream", [False, True])
async def test_tool_calls_reach_the_caller(gateway: Gateway, stream: bool) -> None:
    tools = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
    body = ask("tool", tools=tools, tool_choice="required", stream=stream)
    if stream:
        chunks = chunks_of((await lines_of(gateway, body))[0])
        [call] = next(
            c["choices"][0]["delta"]["tool_calls"] for c in chunks if "tool_calls" in c["choices"][0]["delta"]
        )
        assert call["index"] == 0
        assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"
    else:
        async with gateway.client() as client:
            [choice] = (await client.post("/v1/chat/completions", json=body)).json()["choices"]
        [call] = choice["message"]["tool_calls"]
        assert choice["finish_reason"] == "tool_calls"
        assert choice["message"]["content"] is None
    assert call["function"] == {"name": "weather", "arguments": '{"city":"Oslo"}'}
    assert call["id"]


async def test_an_answer_that_came_without_deltas_is_streamed_all_the_same(gateway: Gateway) -> None:
    chunks = chunks_of((await lines_of(gateway, ask("undelivered", stream=True)))[0])
    assert "whole at the end" in [chunk["choices"][0]["delta"].get("content") for chunk in chunks]


async def test_a_spent_budget_ends_with_length_and_says_so(gateway: Gateway) -> None:
    async with gateway.client() as client:
        body = (await client.post("/v1/chat/completions", json=ask("spend"))).json()
    assert body["choices"][0]["finish_reason"] == "length"
    assert body["tandem"]["status"] == "budget"


async def test_a_place_in_the_queue_is_a_comment(gateway: Gateway) -> None:
    lines, _ = await lines_of(gateway, ask("queue", stream=True))
    assert ': queued at 2 for "small"' in lines


@pytest.mark.parametrize("stream", [False, True])
async def test_a_run_that_fails_before_its_first_word_is_an_error_status(gateway: Gateway, stream: bool) -> None:
    question = "fail"
    async with gateway.client() as client:
        response = await client.post("/v1/chat/completions", json=ask(question, stream=stream, model="auto"))
    if stream:
        # The route was known and the headers were out: the error is an event of the stream.
        [error] = [orjson.loads(x[6:]) for x in response.text.split("\n") if x.startswith('data: {"error"')]
    else:
        assert response.status_code == 503
        error = response.json()
    assert "broke off" in error["error"]["message"]
    assert error["error"]["code"] == "engine_unavailable"


async def test_a_failure_in_the_middle_of_a_stream_is_an_error_event_and_no_false_end(gateway: Gateway) -> None:
    lines, _ = await lines_of(gateway, ask("fail-late", stream=True))
    assert any(line.startswith('data: {"error"') for line in lines)
    assert not any('"finish_reason":"stop"' in line for line in lines)


@pytest.mark.parametrize("question", ["forever", "stall", "slow-route"])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_goes_cancels_its_run(gateway: Gateway, stream: bool, question: str) -> None:
    async with gateway.client() as client:
        asking = asyncio.create_task(client.post("/v1/chat/completions", json=ask(question, stream=stream)))
        run = gateway.runs.runs[await gateway.the_only_run()]
        await asyncio.sleep(0.05)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    await eventually(lambda: run.cancelled, seconds=5)


async def test_every_choice_is_cancelled_with_its_client(gateway: Gateway) -> None:
    async with gateway.client() as client:
        asking = asyncio.create_task(client.post("/v1/chat/completions", json=ask("forever", n=3)))
        await eventually(lambda: len(gateway.runs.runs) == 3)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    await eventually(lambda: all(run.cancelled for run in gateway.runs.runs.values()), seconds=5)


async def test_what_the_caller_sets_reaches_the_run(gateway: Gateway) -> None:
    body = ask(
        "hi",
        temperature=0.5,
        top_p=0.9,
        max_tokens=77,
        stop="END",
        seed=2**32 + 1,
        reasoning_effort="low",
        response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "array"}}},
        tandem={"strategy": "cot", "thread_id": "t-1", "budget": {"calls": 2, "seconds": 1.5}},
        user="u",
        metadata={"a": "b"},
        store=True,
        frequency_penalty=0.0,
    )
    async with gateway.client() as client:
        answer = (await client.post("/v1/chat/completions", json=body)).json()
    request = gateway.runs.runs[await gateway.the_only_run()].record.request
    assert (request.temperature, request.top_p, request.max_completion_tokens) == (0.5, 0.9, 77)
    assert (request.stop, request.effort, request.strategy) == (("END",), "low", "cot")
    assert request.budget is not None
    assert (request.budget.calls, request.budget.seconds, request.budget.tokens) == (2, 1.5, None)
    assert request.json_schema == {"type": "array"}
    assert request.seed is not None
    assert 0 <= request.seed < 2**32
    assert answer["tandem"]["thread_id"] == "t-1"


async def test_tool_results_and_parts_arrive_as_messages(gateway: Gateway) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    parts = [{"type": "text", "text": "hi"}, {"type": "text", "text": " there"}]
    messages = [
        {"role": "developer", "content": "be brief"},
        {"role": "assistant", "content": None, "tool_calls": [call], "refusal": None},
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
        {"role": "user", "content": parts},
    ]
    async with gateway.client() as client:
        await client.post("/v1/chat/completions", json={"model": "auto", "messages": messages})
    request = gateway.runs.runs[await gateway.the_only_run()].record.request
    assert [message.role for message in request.messages] == ["developer", "assistant", "tool", "user"]
    assert request.messages[1].tool_calls == [call]
    assert request.messages[2].tool_call_id == "c1"
    assert request.messages[3].content == "hi there"


async def test_models_and_the_route_of_a_question(gateway: Gateway) -> None:
    async with gateway.client() as client:
        listed = (await client.get("/v1/models")).json()
        one = (await client.get("/v1/models/small")).json()
        decided = (await client.post("/v1/route", json=ask("hi"))).json()
        missing = await client.get("/v1/models/gpt-9")
    assert [model["id"] for model in listed["data"]] == ["auto", "small"]
    assert one == listed["data"][1]
    assert decided["name"] == "cot(small)"
    assert decided["considered"][0]["success"] == 0.5
    assert missing.status_code == 404
    assert gateway.runs.runs == {}


async def test_headers_do_not_wait_for_a_slow_route(start: Start) -> None:
    body = ask("slow-route", stream=True)
    async with (
        start() as gateway,
        gateway.client() as client,
        client.stream("POST", "/v1/chat/completions", json=body) as response,
    ):
        assert response.headers["x-tandem-run-id"] in gateway.runs.runs
        assert "x-tandem-route" not in response.headers
