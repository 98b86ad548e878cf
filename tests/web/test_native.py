"""Runs as such: start, read, tail, resume, cancel, list."""

import asyncio
from typing import Any

import httpx
import orjson

from tests.waiting import eventually_async
from tests.web.conftest import Gateway, ask


def events_of(text: str) -> list[dict[str, Any]]:
    blocks = [
        dict(line.split(": ", 1) for line in block.split("\n")) for block in text.split("\n\n") if "id: " in block
    ]
    return [{**orjson.loads(block["data"]), "id": block["id"], "event": block["event"]} for block in blocks]


async def begin(client: httpx.AsyncClient, question: str) -> str:
    response = await client.post("/v1/runs", json=ask(question))
    assert response.status_code == 202
    assert response.headers["location"] == f"/v1/runs/{response.json()['id']}"
    return str(response.json()["id"])


async def test_a_run_goes_on_unwatched_and_is_read_back(gateway: Gateway) -> None:
    async with gateway.client() as client:
        run = await begin(client, "hi")

        async def ended() -> bool:
            return bool((await client.get(f"/v1/runs/{run}")).json()["status"] != "running")

        await eventually_async(ended)
        body = (await client.get(f"/v1/runs/{run}")).json()
    assert (body["id"], body["status"], body["text"]) == (run, "answered", "You said: hi ")
    assert body["request"]["messages"][0]["content"] == "hi"
    assert "owner" not in body


async def test_the_trace_has_every_event_typed_and_resumes_after_any(gateway: Gateway) -> None:
    async with gateway.client() as client:
        run = await begin(client, "think")
        everything = events_of((await client.get(f"/v1/runs/{run}/events")).text)
        types = [event["event"] for event in everything]
        assert types[:3] == ["run.started", "routed", "assessed"]
        assert types[-1] == "run.finished"
        assert all(event["type"] == event["event"] for event in everything)
        middle = everything[3]["id"]
        resumed = await client.get(f"/v1/runs/{run}/events", headers={"last-event-id": middle})
        assert events_of(resumed.text) == everything[4:]
        queried = await client.get(f"/v1/runs/{run}/events", params={"after": middle})
        assert events_of(queried.text) == everything[4:]


async def test_after_the_last_event_there_is_nothing_and_the_client_is_told_not_to_ask_again(gateway: Gateway) -> None:
    async with gateway.client() as client:
        run = await begin(client, "hi")
        last = events_of((await client.get(f"/v1/runs/{run}/events")).text)[-1]["id"]
        response = await client.get(f"/v1/runs/{run}/events", headers={"last-event-id": last})
    assert response.status_code == 204


async def test_an_event_id_that_never_was_is_refused(gateway: Gateway) -> None:
    async with gateway.client() as client:
        run = await begin(client, "hi")
        for wrong in ("abc", "1-2-3", "$", "99999999999999999999-0"):
            response = await client.get(f"/v1/runs/{run}/events", headers={"last-event-id": wrong})
            assert response.status_code == 400, wrong


async def test_a_reader_that_goes_leaves_the_run_alone_and_a_cancel_ends_it(gateway: Gateway) -> None:
    async with gateway.client() as client:
        run = await begin(client, "stall")
        async with client.stream("GET", f"/v1/runs/{run}/events") as response:
            async for line in response.aiter_lines():
                if line.startswith("event: content.delta"):
                    break
        await asyncio.sleep(0.3)
        assert not gateway.runs.runs[run].cancelled
        assert (await client.post(f"/v1/runs/{run}/cancel")).json()["status"] == "cancelling"
        last = events_of((await client.get(f"/v1/runs/{run}/events")).text)[-1]
        assert last["status"] == "cancelled"
        assert (await client.post(f"/v1/runs/{run}/cancel")).json()["status"] == "cancelled"


async def test_the_list_comes_in_pages(gateway: Gateway) -> None:
    async with gateway.client() as client:
        runs = [await begin(client, "hi") for _ in range(5)]
        first = (await client.get("/v1/runs?limit=3")).json()
        rest = (await client.get("/v1/runs", params={"limit": 3, "before": first["data"][-1]["id"]})).json()
    assert [item["id"] for item in first["data"] + rest["data"]] == runs[::-1]
    assert (first["has_more"], rest["has_more"]) == (True, False)


async def test_health_readiness_and_metrics(gateway: Gateway) -> None:
    async with gateway.client() as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/readyz")).json()["parts"] == {"redis": "ok", "engine small": "ok"}
        gateway.runs.parts["engine small"] = "not reachable at http://127.0.0.1:1"
        ready = await client.get("/readyz")
        assert ready.status_code == 503
        assert "not reachable" in ready.json()["parts"]["engine small"]
        await client.post("/v1/chat/completions", json=ask("hi"))
        await client.get("/v1/runs/whatever")
        await client.get("/nonsense/1")
        run = await begin(client, "forever")
        metrics = (await client.get("/metrics")).text
        assert 'tandem_http_requests_total{method="POST",route="/v1/chat/completions",status="200"} 1.0' in metrics
        assert 'route="/v1/runs/{run}",status="404"' in metrics
        assert 'route="unmatched",status="404"' in metrics
        assert 'tandem_tokens_total{kind="prompt",model="large"} 11.0' in metrics
        assert "tandem_time_to_first_token_seconds_count 1.0" in metrics
        assert "tandem_runs_in_flight 1.0" in metrics
        await client.post(f"/v1/runs/{run}/cancel")

        async def landed() -> bool:
            return "tandem_runs_in_flight 0.0" in (await client.get("/metrics")).text

        await eventually_async(landed)
        assert 'tandem_run_seconds_count{status="cancelled"} 1.0' in (await client.get("/metrics")).text
