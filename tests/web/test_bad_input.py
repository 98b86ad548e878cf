"""What nobody should send: each gets a 4xx in OpenAI's shape that names the value and the way out."""

from typing import Any

import orjson
import pytest
from httpx import Response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.web.conftest import Gateway, Start, ask

JSON = {"content-type": "application/json"}


def error_of(response: Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert isinstance(error["message"], str)
    return dict(error)


async def send(gateway: Gateway, body: bytes, headers: dict[str, str] | None = None) -> Response:
    async with gateway.client() as client:
        return await client.post("/v1/chat/completions", content=body, headers=headers or JSON)


USER = b'"messages":[{"role":"user","content":"hi"}]'

MALFORMED = {
    "nothing": (b"", "empty"),
    "half an object": (b'{"model": "auto", ', "JSON"),
    "not a number": (b'{"model":"auto","temperature":NaN,' + USER + b"}", "JSON"),
    "infinity": (b'{"model":"auto","temperature":1e999,' + USER + b"}", "JSON"),
    "an array": (b"[1,2]", "object"),
    "invalid UTF-8": (b'{"model":"auto","messages":[{"role":"user","content":"\xff"}]}', "UTF-8 at byte 54"),
    "a lone surrogate": (b'{"model":"auto","messages":[{"role":"user","content":"\\ud800"}]}', "surrogate"),
    "a null character": (b'{"model":"auto","messages":[{"role":"user","content":"a\\u0000b"}]}', "messages[0].content"),
    "a depth bomb": (b'{"a":' * 100 + b"1" + b"}" * 100, "64 levels"),
    "a deeper bomb": (b"[" * 200_000, "JSON"),
    "stream twice": (
        b'{"model":"auto","stream":true,"stream":false,' + USER + b"}",
        '"stream" is given more than once',
    ),
    "twice, with a huge number": (b'{"seed":' + b"9" * 300 + b',"seed":1,' + USER + b"}", "more than once"),
}


async def test_malformed_bodies(gateway: Gateway, subtests: pytest.Subtests) -> None:
    for name, (body, said) in MALFORMED.items():
        with subtests.test(name):
            assert said in error_of(await send(gateway, body), 400)["message"]


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "no messages": ({"messages": []}, "messages", "at least 1 item"),
    "only blank messages": ({"messages": [{"role": "user", "content": "  "}]}, "messages", "empty"),
    "messages as text": ({"messages": "hi"}, "messages", "must be an array"),
    "an unknown role": ({"messages": [{"role": "god", "content": "x"}]}, "messages[0].role", '"god"'),
    "a number as content": ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content", "7"),
    "no content": ({"messages": [{"role": "user"}]}, "messages[0].content", "add it"),
    "an image": (
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
        "messages[0].content[0].type",
        "text only",
    ),
    "a tool result without its call": (
        {"messages": [{"role": "tool", "content": "x"}]},
        "messages[0].tool_call_id",
        "",
    ),
    "no model": ({"model": None}, "model", "must be a string"),
    "temperature as text": ({"temperature": "hot"}, "temperature", '"hot"'),
    "temperature too high": ({"temperature": 2.1}, "temperature", "2.1"),
    "n of none": ({"n": 0}, "n", "0"),
    "n without end": ({"n": 10**6}, "n", "1000000"),
    "true as a number": ({"max_tokens": True}, "max_tokens", "an integer"),
    "a negative maximum": ({"max_completion_tokens": -5}, "max_completion_tokens", "-5"),
    "stop as a number": ({"stop": 3}, "stop", "3"),
    "an empty stop": ({"stop": [""]}, "stop", "1 to"),
    "an effort of its own": ({"reasoning_effort": "max"}, "reasoning_effort", "'high'"),
    "an unknown field": ({"temprature": 1}, "temprature", "did you mean 'temperature'"),
    "a field in the wrong place": ({"strategy": "cot"}, "strategy", "'tandem'"),
    "an unknown field of tandem": ({"tandem": {"x": 1}}, "tandem.x", "leave it out"),
    "a negative budget": ({"tandem": {"budget": {"tokens": -1}}}, "tandem.budget.tokens", "-1"),
    "a risk of nothing": ({"tandem": {"max_risk": 0}}, "tandem.max_risk", "0"),
    "a risk above everything": ({"tandem": {"max_risk": 1.5}}, "tandem.max_risk", "1.5"),
    "a risk as text": ({"tandem": {"max_risk": "low"}}, "tandem.max_risk", "low"),
    "a thread id like a path": ({"tandem": {"thread_id": "../x"}}, "tandem.thread_id", "../x"),
    "stream as text": ({"stream": "yes"}, "stream", "true or false"),
    "usage without a stream": ({"stream_options": {"include_usage": True}}, "stream_options", "stream"),
    "log-probabilities": ({"logprobs": True}, "logprobs", "leave it out"),
    "a penalty": ({"frequency_penalty": 1.0}, "frequency_penalty", "penalty"),
    "old functions": ({"functions": [{"name": "f"}]}, "functions", "'tools'"),
    "a choice without tools": ({"tool_choice": "required"}, "tool_choice", "'tools'"),
    "a tool without a name": ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name", "missing"),
    "a schema without a schema": ({"response_format": {"type": "json_schema"}}, "response_format.json_schema", "add"),
    "a long value": ({"reasoning_effort": "x" * 5000}, "reasoning_effort", "…"),
}


async def test_wrong_fields(gateway: Gateway, subtests: pytest.Subtests) -> None:
    for name, (change, param, said) in WRONG.items():
        with subtests.test(name):
            error = error_of(await send(gateway, orjson.dumps({**ask("hi"), **change})), 400)
            assert error["param"] == param
            assert said in error["message"]
            assert len(error["message"]) < 400
    assert gateway.runs.runs == {}


async def test_an_unknown_model_is_not_found_and_the_known_ones_are_named(gateway: Gateway) -> None:
    error = error_of(await send(gateway, orjson.dumps(ask("hi", model="gpt-9"))), 404)
    assert (error["param"], error["code"]) == ("model", "model_not_found")
    assert "gpt-9" in error["message"]


async def test_a_prompt_that_no_model_can_hold(gateway: Gateway) -> None:
    error = error_of(await send(gateway, orjson.dumps(ask("refuse-long"))), 400)
    assert error["code"] == "context_length_exceeded"


@pytest.mark.parametrize("announced", [True, False])
async def test_two_megabytes_are_refused_while_they_arrive_and_the_client_reads_why(
    gateway: Gateway, announced: bool
) -> None:
    body = orjson.dumps(ask("x" * 2_000_000))

    async def pieces() -> Any:
        for start in range(0, len(body), 50_000):
            yield body[start : start + 50_000]

    async with gateway.client() as client:
        content = body if announced else pieces()
        response = await client.post("/v1/chat/completions", content=content, headers=JSON)
    assert "gateway.body_bytes" in error_of(response, 413)["message"]


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
async def test_a_body_of_another_kind(gateway: Gateway, headers: dict[str, str]) -> None:
    error_of(await send(gateway, orjson.dumps(ask("hi")), headers), 415)


async def test_paths_and_methods_that_do_not_exist(gateway: Gateway) -> None:
    async with gateway.client() as client:
        error_of(await client.get("/v1/completions"), 404)
        error_of(await client.post("/v1/models/"), 405)
        error = error_of(await client.get("/v1/chat/completions"), 405)
        error_of(await client.get("/v1/runs/nobody"), 404)
        error_of(await client.get("/v1/runs?limit=-1"), 400)
        error_of(await client.get("/v1/runs?before=x"), 404)
    assert "POST" in error["message"]


async def test_an_internal_error_tells_its_id_and_nothing_else(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError("postgresql://tandem:secret@db")

    monkeypatch.setattr(gateway.runs, "start", broken)
    response = await send(gateway, orjson.dumps(ask("hi")))
    error = error_of(response, 500)
    assert "secret" not in response.text
    assert response.headers["x-request-id"] in error["message"]
    assert response.headers["x-request-id"] in gateway.logs.getvalue()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ("model", "messages", "stop", "tools", "tool_choice", "response_format", "tandem", "n", "stream", "seed")
BODIES = st.dictionaries(st.sampled_from(FIELDS), VALUES)


async def test_garbage_never_crashes_the_gateway(start: Start) -> None:
    statuses: set[int] = set()

    async with start() as gateway, gateway.client() as client:

        async def post(body: bytes) -> None:
            response = await client.post("/v1/chat/completions", content=body, headers=JSON)
            statuses.add(response.status_code)
            if response.status_code != 200:
                assert response.json()["error"]["message"]

        for body in _examples():
            await post(body)
        assert (await client.get("/healthz")).status_code == 200
    assert max(statuses) < 500
    assert 400 in statuses


def _examples() -> list[bytes]:
    """Bodies drawn by hypothesis, collected first: its own loop cannot run inside the event loop."""
    found: list[bytes] = []

    @settings(max_examples=150, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.binary(max_size=60) | BODIES.map(_body) | st.tuples(BODIES, VALUES).map(_near_miss))
    def collect(body: bytes) -> None:
        found.append(body)

    collect()
    return found


def _body(value: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # integers beyond 64 bits and lone surrogates: those go out as Python writes them
        return repr(value).encode("utf-8", "surrogatepass")


def _near_miss(drawn: tuple[dict[str, Any], Any]) -> bytes:
    fields, value = drawn
    return _body({**ask("hi"), **fields, "messages": [{"role": "user", "content": value}]})
