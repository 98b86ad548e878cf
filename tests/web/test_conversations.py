"""Conversations: asked, branched, answered again, found, exported, deleted, over the native API."""

from typing import Any

import httpx
import pytest

from tests.waiting import eventually_async
from tests.web.conftest import Gateway, Start
from tests.web.test_access import make_key
from tests.web.test_native import events_of


async def begin(client: httpx.AsyncClient, **fields: Any) -> str:
    response = await client.post("/v1/conversations", json=fields)
    assert response.status_code == 201
    return str(response.json()["id"])


async def ask(
    client: httpx.AsyncClient, conversation: str, content: str, parent: str | None = None, **more: Any
) -> Any:
    body = {"parent": parent, "content": content, **more}
    response = await client.post(f"/v1/conversations/{conversation}/turns", json=body)
    assert response.status_code == 201, response.text
    return response.json()


async def turns_of(client: httpx.AsyncClient, conversation: str) -> dict[str, Any]:
    return {turn["id"]: turn for turn in (await client.get(f"/v1/conversations/{conversation}")).json()["turns"]}


async def answered(client: httpx.AsyncClient, conversation: str, turn: str) -> dict[str, Any]:
    """The turn once its run has ended."""
    found: dict[str, Any] = {}

    async def ended() -> bool:
        found.update((await turns_of(client, conversation))[turn])
        return bool(found["status"] != "running")

    await eventually_async(ended)
    return found


async def test_an_answer_is_that_of_its_run_and_the_title_that_of_the_question(gateway: Gateway) -> None:
    async with gateway.client() as client:
        conversation = await begin(client)
        both = await ask(client, conversation, "How are\nyou?  Tell me.", reasoning_effort="low")
        assert (both["assistant"]["status"], both["assistant"]["parent"]) == ("running", both["user"]["id"])
        run = both["assistant"]["run"]
        assert events_of((await client.get(f"/v1/runs/{run}/events")).text)[-1]["event"] == "run.finished"
        answer = await answered(client, conversation, both["assistant"]["id"])
        body = (await client.get(f"/v1/conversations/{conversation}")).json()
    assert body["title"] == "How are you? Tell me."
    assert (answer["content"], answer["status"], answer["route"]) == (
        "You said: How are\nyou?  Tell me. ",
        "answered",
        "cot(small)",
    )
    assert answer["settings"] == {"model": None, "strategy": None, "reasoning_effort": "low", "budget": None}
    assert gateway.runs.runs[run].record.request.effort == "low"


async def test_a_run_gets_the_messages_of_its_own_branch(gateway: Gateway) -> None:
    async with gateway.client() as client:
        conversation = await begin(client)
        first = await ask(client, conversation, "one")
        await answered(client, conversation, first["assistant"]["id"])
        edited = await ask(client, conversation, "two")
        await answered(client, conversation, edited["assistant"]["id"])
        after = await ask(client, conversation, "three", first["assistant"]["id"])
        again = await client.post(
            f"/v1/conversations/{conversation}/turns/{after['user']['id']}/answers", json={"model": "small"}
        )
        turns = await turns_of(client, conversation)
    sent = gateway.runs.runs[after["assistant"]["run"]].record.request
    assert [message.content for message in sent.messages] == ["one", "You said: one ", "three"]
    assert sent.follows == first["assistant"]["run"]
    sibling = again.json()["assistant"]
    other = gateway.runs.runs[sibling["run"]].record.request
    assert (other.model, other.messages) == ("small", sent.messages)
    assert {turn["parent"] for turn in turns.values()} == {
        None, first["user"]["id"], edited["user"]["id"], first["assistant"]["id"], after["user"]["id"]
    }  # fmt: skip
    assert turns[sibling["id"]]["parent"] == turns[after["assistant"]["id"]]["parent"] == after["user"]["id"]


async def test_what_cannot_be_asked_leaves_nothing_behind(gateway: Gateway) -> None:
    async with gateway.client() as client:
        conversation = await begin(client)
        running = await ask(client, conversation, "stall")
        user, answer = running["user"]["id"], running["assistant"]["id"]
        for path, body, status, code in (
            ("turns", {"parent": None, "content": "hi", "model": "nothing"}, 404, "model_not_found"),
            ("turns", {"parent": None, "content": "busy"}, 429, "rate_limit_exceeded"),
            ("turns", {"parent": "elsewhere", "content": "hi"}, 404, "turn_not_found"),
            ("turns", {"parent": user, "content": "hi"}, 400, "invalid_value"),
            ("turns", {"parent": answer, "content": "hi"}, 400, "answer_running"),
            ("turns", {"parent": None, "content": ""}, 400, "invalid_value"),
            ("turns", {"parent": None, "content": "hi", "budget": {"tokens": -1}}, 400, "invalid_value"),
            ("turns", {"parent": None, "content": "hi", "owner": "eve"}, 400, "unknown_parameter"),
            (f"turns/{answer}/answers", {}, 400, "invalid_value"),
            ("turns/elsewhere/answers", {}, 404, "turn_not_found"),
        ):
            response = await client.post(f"/v1/conversations/{conversation}/{path}", json=body)
            assert (response.status_code, response.json()["error"]["code"]) == (status, code), body
        assert set(await turns_of(client, conversation)) == {user, answer}
        assert len(gateway.runs.runs) == 1
        await client.post(f"/v1/runs/{running['assistant']['run']}/cancel")
        stopped = await answered(client, conversation, answer)
        assert stopped["status"] == "cancelled"


async def test_conversations_count_against_the_keys_limits(start: Start) -> None:
    async with start(concurrent_runs_per_key=1) as gateway, gateway.client() as client:
        conversation = await begin(client)
        await ask(client, conversation, "stall")
        response = await client.post(f"/v1/conversations/{conversation}/turns", json={"parent": None, "content": "hi"})
    assert (response.status_code, response.json()["error"]["type"]) == (429, "rate_limit_error")


async def test_conversations_are_listed_in_pages_and_found_by_what_was_said(gateway: Gateway) -> None:
    async with gateway.client() as client:
        made = [await begin(client, title=f"Number {index}") for index in range(5)]
        turn = await ask(client, made[1], "the Ostrich & 100%_sure")
        await answered(client, made[1], turn["assistant"]["id"])
        first = (await client.get("/v1/conversations", params={"limit": 3})).json()
        rest = (await client.get("/v1/conversations", params={"limit": 3, "before": first["next"]})).json()
        listed = [item["id"] for item in first["data"] + rest["data"]]
        assert listed == [made[1], made[4], made[3], made[2], made[0]]
        assert rest["next"] is None
        for search, found in (
            ("ostrich", [made[1]]),
            ("number 3", [made[3]]),
            ("you said: the", [made[1]]),
            ("0%_s", [made[1]]),
            ("_", [made[1]]),
            ("emu", []),
        ):
            page = (await client.get("/v1/conversations", params={"search": search})).json()
            assert [item["id"] for item in page["data"]] == found, search
        for wrong in ({"limit": "0"}, {"limit": "x"}, {"before": "x"}):
            assert (await client.get("/v1/conversations", params=wrong)).status_code == 400


async def test_renaming_lasts_and_deleting_forgets_the_runs_too(gateway: Gateway) -> None:
    async with gateway.client() as client:
        conversation = await begin(client, title="before")
        path = f"/v1/conversations/{conversation}"
        assert (await client.patch(path, json={"title": " after "})).json()["title"] == "after"
        assert (await client.patch(path, json={"title": "  "})).status_code == 400
        turn = (await ask(client, conversation, "forever"))["assistant"]
        assert (await client.get(path)).json()["title"] == "after"
        assert (await client.delete(path)).status_code == 204
        assert gateway.runs.runs[turn["run"]].cancelled
        assert (await client.get(path)).status_code == 404
        assert (await client.delete(path)).status_code == 404
        assert (await client.get(f"/v1/runs/{turn['run']}")).status_code == 404
        assert (await client.get("/v1/conversations")).json()["data"] == []


@pytest.mark.parametrize(("shape", "ending"), [("json", "json"), ("markdown", "md")])
async def test_an_export_is_a_file_with_everything_said(gateway: Gateway, shape: str, ending: str) -> None:
    async with gateway.client() as client:
        conversation = await begin(client, title='Ä "quoted"\r\ntitle')
        turn = await ask(client, conversation, "hello")
        await answered(client, conversation, turn["assistant"]["id"])
        response = await client.get(f"/v1/conversations/{conversation}/export", params={"format": shape})
        assert (await client.get(f"/v1/conversations/{conversation}/export?format=pdf")).status_code == 400
    assert response.headers["content-disposition"].startswith("attachment;")
    assert response.headers["content-disposition"].endswith(f".{ending}")
    assert "hello" in response.text
    assert "You said: hello" in response.text


async def test_nobody_sees_or_touches_anothers_conversation(gateway: Gateway) -> None:
    ada, eve = await make_key(gateway), await make_key(gateway)
    async with gateway.client(ada) as owner, gateway.client(eve) as other, gateway.client() as nobody:
        conversation = await begin(owner)
        turn = await ask(owner, conversation, "secret")
        await answered(owner, conversation, turn["assistant"]["id"])
        run = turn["assistant"]["run"]
        body = {"parent": None, "content": "hi"}
        for method, path, json in (
            ("GET", "", None),
            ("PATCH", "", {"title": "mine"}),
            ("DELETE", "", None),
            ("GET", "/export", None),
            ("POST", "/turns", body),
            ("POST", f"/turns/{turn['user']['id']}/answers", {}),
        ):
            response = await other.request(method, f"/v1/conversations/{conversation}{path}", json=json)
            assert (response.status_code, "secret" in response.text) == (404, False), path
            assert (
                await nobody.request(method, f"/v1/conversations/{conversation}{path}", json=json)
            ).status_code == 401
        assert (await other.post(f"/v1/runs/{run}/feedback", json={"rating": 1})).status_code == 404
        assert (await other.get("/v1/conversations", params={"search": "secret"})).json()["data"] == []
        assert (await other.get("/v1/dashboard")).json()["runs"] == 0
        assert len(await turns_of(owner, conversation)) == 2
        mine = await begin(other)
        crossed = {"parent": turn["assistant"]["id"], "content": "hi"}
        assert (await other.post(f"/v1/conversations/{mine}/turns", json=crossed)).status_code == 404


async def test_feedback_is_kept_with_the_run_replaced_and_taken_back(gateway: Gateway) -> None:
    async with gateway.client() as client:
        conversation = await begin(client)
        turn = (await ask(client, conversation, "hi"))["assistant"]
        await answered(client, conversation, turn["id"])
        path = f"/v1/runs/{turn['run']}/feedback"
        for body, expected in (
            ({"rating": -1, "reason": " too long "}, {"rating": -1, "reason": "too long"}),
            ({"rating": 1}, {"rating": 1, "reason": None}),
            ({"rating": 0}, None),
        ):
            assert (await client.post(path, json=body)).json() == {"run": turn["run"], "feedback": expected}
            assert (await turns_of(client, conversation))[turn["id"]]["feedback"] == expected
        for wrong in ({"rating": 2}, {"rating": "1"}, {}, {"rating": 1, "reason": "x" * 5000}):
            assert (await client.post(path, json=wrong)).status_code == 400, wrong


async def test_the_dashboard_counts_runs_routes_tokens_and_feedback(gateway: Gateway) -> None:
    async with gateway.client() as client:
        conversation = await begin(client)
        for rating in (1, 1, -1):
            turn = (await ask(client, conversation, "hi"))["assistant"]
            await answered(client, conversation, turn["id"])
            await client.post(f"/v1/runs/{turn['run']}/feedback", json={"rating": rating})
        body = (await client.get("/v1/dashboard?days=7")).json()
        assert (await client.get("/v1/dashboard?days=0")).status_code == 400
    assert (body["runs"], len(body["days"])) == (3, 7)
    today = body["days"][-1]
    assert (today["runs"], today["feedback_up"], today["feedback_down"]) == (3, 2, 1)
    assert (today["large_tokens"], today["small_tokens"]) == (9, 15)
    # Both models of this gateway are equally large: 0.1 of 18 read tokens and all 8 written ones.
    assert today["cost"] == pytest.approx(9.8)
    [route] = body["routes"]
    assert (route["route"], route["runs"], route["share"], route["up"]) == ("cot(small)", 3, 1.0, 2)
    point = next(point for point in body["frontier"] if point["system"] == "program(large)")
    assert all(point["cost"] is not None for point in body["frontier"]), "what has no cost is no point"
    assert point["bench"]
    assert 0 <= point["ci95"][0] <= point["accuracy"] <= point["ci95"][1] <= 1
