"""The playbook's page in a real browser, over the real Redis."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from redis.asyncio import Redis

from orchestrator.playbook.entries import Entries
from orchestrator.playbook.entry import Entry, Evidence, Recipe, Worked
from orchestrator.runs import SINGLE_USER
from routers.embedding import WordEmbedder
from tests.orchestrator.playbook.building import behaviour, recipe
from tests.web.ui.chat_page import ChatPage
from tests.web.ui.conftest import Stage, opened

pytestmark = pytest.mark.asyncio(loop_scope="session")

APPLES = "How many apples are 3 and 4 apples?"
WOLVES = "Wren is a wumpus. Every wumpus is not shy. True or false: Wren is shy."


@pytest_asyncio.fixture(loop_scope="session")
async def entries(stage: Stage) -> AsyncIterator[tuple[Entry, Entry]]:
    """A recipe in use and a behaviour being tried, whose text is not to be trusted."""
    client = Redis.from_url(stage.settings.redis.url, socket_timeout=None)
    playbook = Entries(client, WordEmbedder())
    await playbook.clear(SINGLE_USER)
    whole = Recipe(
        strategy="program",
        models=("small",),
        instruction="Count <b>once</b>.",
        examples=(Worked(problem="How many pears are 1 and 1?", solution="print(1 + 1)"),),
        tokens=300,
    )
    used = recipe(
        SINGLE_USER,
        recipe=whole,
        problem=APPLES,
        status="promoted",
        wins=18.0,
        trials=20,
        tokens=1600,
        evidence=Evidence(gains=(4.0,), losses=(0.0,), edge=2.0, compared=20),
    )
    tried = behaviour(SINGLE_USER, name="negate_last", text="Apply <b>every</b> not last.", problem=WOLVES)
    for entry in (used, tried):
        await playbook.put(entry)
    yield used, tried
    await playbook.clear(SINGLE_USER)
    await client.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, stage: Stage, entries: tuple[Entry, Entry]) -> AsyncIterator[ChatPage]:
    async with opened(browser, f"{stage.url}/#/playbook") as page:
        yield page


async def test_entries_are_shown_with_what_speaks_for_them(page: ChatPage) -> None:
    cards = page.page.locator(".entries > li")
    await expect(cards).to_have_count(2)
    used, tried = cards.filter(has_text="program(small)"), cards.filter(has_text="negate_last")
    await expect(used).to_contain_text("in use")
    await expect(used).to_contain_text("Right in 18 of 20 outcomes")
    await expect(used).to_contain_text("+10 % against the default over 20")
    await expect(used).to_contain_text("80 tokens each")
    await expect(used).to_contain_text(APPLES)
    await expect(used).to_contain_text("tokens 300")
    await expect(used).to_contain_text("Told before the question: Count <b>once</b>.")
    await used.get_by_text("Shown before the question: 1 solved").click()
    await expect(used.get_by_text("print(1 + 1)")).to_be_visible()
    await expect(tried).to_contain_text("Not tried yet")
    await expect(tried).to_contain_text("Apply <b>every</b> not last.")
    assert await page.serious() == []


async def test_a_search_and_the_states_narrow_them_down(page: ChatPage) -> None:
    cards = page.page.locator(".entries > li")
    await page.page.get_by_label("State").select_option("promoted")
    await expect(cards).to_have_count(1)
    await expect(cards).to_contain_text("program(small)")
    await page.page.get_by_label("State").select_option("demoted")
    await expect(page.page.get_by_text("Nothing like that")).to_be_visible()
    await page.page.get_by_label("State").select_option("")
    await page.page.get_by_label("Search the playbook").fill("True or false: Alex is shy.")
    await expect(cards.first).to_contain_text("negate_last")


async def test_an_entry_is_pinned_disabled_and_deleted_for_good(page: ChatPage, stage: Stage) -> None:
    card = page.page.locator(".entries > li").filter(has_text="program(small)")
    await card.get_by_role("button", name="Pin", exact=True).click()
    await expect(card.get_by_role("button", name="Unpin")).to_have_attribute("aria-pressed", "true")
    await card.get_by_role("button", name="Disable").click()
    await expect(card).to_contain_text("disabled")
    await page.page.reload()
    await expect(card.get_by_role("button", name="Unpin")).to_be_visible()
    await card.get_by_role("button", name="Enable").click()
    await expect(card).to_contain_text("being tried")
    await expect(card).to_contain_text("Not tried yet")
    await card.get_by_role("button", name="Delete").click()
    await page.page.get_by_role("dialog").get_by_role("button", name="Keep").click()
    await expect(card).to_be_visible()
    await card.get_by_role("button", name="Delete").click()
    await page.page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    await expect(card).to_have_count(0)
    async with stage.api() as api:
        left = (await api.get("/v1/playbook")).json()["data"]
    assert [entry["name"] for entry in left] == ["negate_last"]


async def test_the_dashboard_counts_them_and_an_export_is_offered(page: ChatPage) -> None:
    async with page.page.expect_download() as saved:
        await page.page.get_by_role("link", name="Export").click()
    lines = await asyncio.to_thread((await (await saved.value).path()).read_text)
    assert len(lines.splitlines()) == 2
    await page.page.get_by_role("link", name="Dashboard").click()
    title = page.page.get_by_role("heading", name="Playbook", exact=True)
    card = page.page.locator("section.card").filter(has=title)
    await expect(card).to_contain_text("recipes promoted")
    await expect(card).to_contain_text("behaviours candidate")
