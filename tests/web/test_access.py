"""Keys, ownership and limits: on the real database and the real Redis."""

import asyncio
from typing import Any

import httpx
import orjson
import pytest

from tests.waiting import eventually_async
from tests.web.conftest import Gateway, Start, ask


async def make_key(gateway: Gateway, **rights: Any) -> str:
    plain = (await gateway.tandem.database.create_key("test", **rights)).plain
    # A gateway may take a second to notice the first key.
    await asyncio.sleep(1.1)
    return plain


async def test_without_keys_this_machine_is_served_whatever_key_it_sends(gateway: Gateway) -> None:
    async with gateway.client() as plain, gateway.client("anything") as keyed:
        assert (await plain.post("/v1/chat/completions", json=ask("hi"))).status_code == 200
        assert (await keyed.post("/v1/chat/completions", json=ask("hi"))).status_code == 200
    assert {run.record.owner for run in gateway.runs.runs.values()} == {"local"}


async def _served(client: httpx.AsyncClient) -> bool:
    return (await client.post("/v1/chat/completions", json=ask("hi"))).status_code != 429


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example:8000"},
        {"host": "[::1"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost.evil.example"},
    ],
)
async def test_another_web_site_cannot_ask_in_the_users_name(gateway: Gateway, headers: dict[str, str]) -> None:
    async with gateway.client() as client:
        response = await client.post("/v1/chat/completions", json=ask("hi"), headers=headers)
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "foreign_origin"
    assert gateway.runs.runs == {}


@pytest.mark.parametrize(
    "headers", [{"host": "localhost:1"}, {"host": "[::1]:80"}, {"origin": "http://localhost:5173"}]
)
async def test_this_machines_own_names_are_served(gateway: Gateway, headers: dict[str, str]) -> None:
    async with gateway.client() as client:
        assert (await client.get("/v1/models", headers=headers)).status_code == 200


async def test_a_forwarded_request_is_not_this_machine(gateway: Gateway) -> None:
    async with gateway.client() as client:
        response = await client.get("/v1/models", headers={"x-forwarded-for": "203.0.113.9"})
    assert response.status_code == 401


async def test_a_gateway_open_to_the_network_serves_nobody_before_the_first_key(start: Start) -> None:
    async with start(host="0.0.0.0") as gateway, gateway.client() as client:
        response = await client.get("/v1/models")
    assert response.status_code == 401
    assert "tandem keys create" in response.json()["error"]["message"]


async def test_once_there_is_a_key_it_is_needed_everywhere(gateway: Gateway) -> None:
    key = await make_key(gateway)
    paths = ["/v1/models", "/v1/models/auto", "/v1/runs", "/v1/runs/x", "/v1/runs/x/events", "/metrics"]
    async with gateway.client() as none, gateway.client(key + "x") as wrong, gateway.client(key) as right:
        for client in (none, wrong):
            for path in paths:
                response = await client.get(path)
                assert response.status_code == 401, path
                assert response.json()["error"]["code"] == "invalid_api_key"
            for path in ("/v1/chat/completions", "/v1/route", "/v1/runs", "/v1/runs/x/cancel"):
                assert (await client.post(path, json=ask("hi"))).status_code == 401, path
        assert (await right.get("/v1/models", headers={"host": "tandem.example"})).status_code == 200


async def test_a_revoked_key_stops_working_within_seconds(gateway: Gateway) -> None:
    key = await make_key(gateway)
    async with gateway.client(key) as client:
        assert (await client.get("/v1/models")).status_code == 200
        [known] = await gateway.tandem.database.list_keys()
        await gateway.tandem.database.revoke_key(known.id)
        await asyncio.sleep(1.1)
        assert (await client.get("/v1/models")).status_code == 401


async def test_one_key_cannot_read_tail_cancel_or_list_another_keys_runs(gateway: Gateway) -> None:
    ada, eve = await make_key(gateway), await make_key(gateway)
    async with gateway.client(ada) as owner, gateway.client(eve) as other:
        run = (await owner.post("/v1/runs", json=ask("forever"))).json()["id"]
        for method, path in (("GET", ""), ("GET", "/events"), ("POST", "/cancel")):
            response = await other.request(method, f"/v1/runs/{run}{path}")
            missing = await other.request(method, f"/v1/runs/{'0' * 32}{path}")
            assert response.status_code == missing.status_code == 404
            # The two answers differ in the id only: they do not tell that the run exists.
            assert response.text.replace(run, "0" * 32) == missing.text
        assert (await other.get("/v1/runs")).json()["data"] == []
        assert (await other.get(f"/v1/runs?before={run}")).status_code == 404
        assert not gateway.runs.runs[run].cancelled
        assert (await owner.get(f"/v1/runs/{run}")).json()["status"] == "running"
        assert [item["id"] for item in (await owner.get("/v1/runs")).json()["data"]] == [run]


async def test_the_owner_is_the_key_and_no_field_of_the_body(gateway: Gateway) -> None:
    key = await make_key(gateway)
    async with gateway.client(key) as client:
        assert (await client.post("/v1/runs", json=ask("hi", owner="local"))).status_code == 400
        await client.post("/v1/runs", json=ask("hi", user="local"))
    [known] = await gateway.tandem.database.list_keys()
    assert gateway.runs.runs[await gateway.the_only_run()].record.owner == known.id


async def test_reasoning_is_withheld_from_a_key_that_may_not_see_it(gateway: Gateway) -> None:
    key = await make_key(gateway, may_see_reasoning=False)
    async with gateway.client(key) as client:
        whole = await client.post("/v1/chat/completions", json=ask("think"))
        streamed = await client.post("/v1/chat/completions", json=ask("think", stream=True))
        run = whole.headers["x-tandem-run-id"]
        trace = await client.get(f"/v1/runs/{run}/events")
    for response in (whole, streamed, trace):
        assert response.status_code == 200
        assert "sevens" not in response.text
    assert "You said: think " in whole.text


async def test_the_rate_limit_holds_across_gateways_and_says_when_to_come_back(start: Start) -> None:
    async with (
        start(runs_per_minute=3) as one,
        start(runs_per_minute=3) as two,
        one.client() as first,
        two.client() as second,
    ):
        answers = [await client.post("/v1/chat/completions", json=ask("hi")) for client in (first, second) * 2]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[3].json()["error"]["code"] == "rate_limit_exceeded"
        assert 1 <= int(answers[3].headers["retry-after"]) <= 20
        assert (await first.post("/v1/route", json=ask("hi"))).status_code == 429
        assert (await first.get("/v1/runs")).status_code == 200


async def test_a_keys_own_limit_counts_every_choice(gateway: Gateway) -> None:
    key = await make_key(gateway, runs_per_minute=4)
    async with gateway.client(key) as client:
        assert (await client.post("/v1/chat/completions", json=ask("hi", n=3))).status_code == 200
        assert (await client.post("/v1/chat/completions", json=ask("hi", n=3))).status_code == 429
        assert (await client.post("/v1/chat/completions", json=ask("hi"))).status_code == 200


async def test_the_cap_on_runs_at_once_frees_when_a_run_ends_however_it_was_started(start: Start) -> None:
    async with (
        start(concurrent_runs_per_key=2) as one,
        start(concurrent_runs_per_key=2) as two,
        one.client() as first,
        two.client() as second,
    ):
        runs = [(await client.post("/v1/runs", json=ask("forever"))).json()["id"] for client in (first, second)]
        refused = await first.post("/v1/chat/completions", json=ask("hi"))
        assert refused.status_code == 429
        assert "retry-after" in refused.headers
        await first.post(f"/v1/runs/{runs[0]}/cancel")
        await eventually_async(lambda: _served(second))


async def test_a_refused_start_holds_no_slot(start: Start) -> None:
    async with start(concurrent_runs_per_key=1) as gateway, gateway.client() as client:
        for _ in range(3):
            busy = await client.post("/v1/chat/completions", json=ask("busy"))
            assert (busy.status_code, busy.headers["retry-after"]) == (429, "7")
            assert (await client.post("/v1/chat/completions", json=ask("hi", model="x"))).status_code == 404
        assert (await client.post("/v1/chat/completions", json=ask("hi"))).status_code == 200


async def test_a_dropped_client_frees_its_slot(start: Start) -> None:
    async with start(concurrent_runs_per_key=1) as gateway, gateway.client() as client:
        async with client.stream("POST", "/v1/chat/completions", json=ask("stall", stream=True)) as response:
            assert response.status_code == 200
        await eventually_async(lambda: _served(client))


async def test_logs_name_the_caller_and_the_run_but_not_what_was_said(gateway: Gateway) -> None:
    async with gateway.client() as client:
        response = await client.post("/v1/chat/completions", json=ask("hush-hush"), headers={"x-request-id": "my-1"})
    assert response.headers["x-request-id"] == "my-1"
    entries = [orjson.loads(line) for line in gateway.logs.getvalue().splitlines()]
    request = next(entry for entry in entries if entry["event"] == "request")
    assert (request["route"], request["status"]) == ("/v1/chat/completions", 200)
    assert (request["request_id"], request["owner"]) == ("my-1", "local")
    assert any(entry.get("run") == response.headers["x-tandem-run-id"] for entry in entries)
    assert "hush" not in gateway.logs.getvalue()


async def test_what_was_said_is_logged_when_asked_for(start: Start) -> None:
    async with start(log_messages=True) as gateway, gateway.client() as client:
        await client.post("/v1/chat/completions", json=ask("hush-hush"))
        assert "hush-hush" in gateway.logs.getvalue()
