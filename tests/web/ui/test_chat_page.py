"""The chat in a real browser: asking, stopping, coming back, branching, rating."""

import asyncio
import re

import pytest
from playwright.async_api import Browser, expect

from tests.waiting import eventually
from tests.web.ui.chat_page import ChatPage
from tests.web.ui.conftest import Stage, opened
from workers.engines.scripted.script import Reply, Script, say

pytestmark = pytest.mark.asyncio(loop_scope="session")

NUMBERS = " ".join(str(number) for number in range(1, 61)) + " done"
SLOW = Reply(texts=(NUMBERS,), delay=0.02)
ENDLESS = Reply(texts=("and on ",), delay=0.02, endless=True)


async def test_a_real_model_answers_and_the_page_shows_its_work(browser: Browser, real: str) -> None:
    async with opened(browser, real) as chat:
        answer = await chat.asked("Tell me about the sea in one short sentence.")
        assert len(answer.split()) > 2
        assert chat.page.url.partition("#/c/")[2]
        await expect(chat.page.get_by_label("Trace", exact=True)).to_contain_text("direct")
        await chat.button("Why this model?").click()
        await expect(chat.page.locator(".why")).not_to_contain_text("Looking")
        await chat.page.reload()
        assert await chat.ended() == answer


async def test_stop_stops_a_real_engine(browser: Browser, real: str) -> None:
    async with opened(browser, real) as chat:
        await chat.ask("Write a very long story about a ship. Use at least five thousand words.")
        await expect(chat.last_answer).to_contain_text(re.compile(r"\w+ \w+ \w+"), timeout=60_000)
        await chat.button("Stop").click()
        await chat.ended()
        await expect(chat.last_answer).to_contain_text("You stopped this answer")
        await chat.page.reload()
        await expect(chat.last_answer).to_contain_text("You stopped this answer")
        await expect(chat.last_answer).to_contain_text(re.compile(r"\w+ \w+ \w+"))


async def test_stop_and_escape_reach_the_engine(chat: ChatPage, stage: Stage) -> None:
    stage.play(ENDLESS)
    for number, stop in enumerate((chat.button("Stop").click, lambda: chat.page.keyboard.press("Escape")), 1):
        await chat.ask("Go on and on.")
        await expect(chat.answers).to_have_count(number)
        await expect(chat.last_answer).to_contain_text("and on and on")
        await stop()
        await eventually(lambda: stage.running == 0)
        assert (await chat.ended()).startswith("and on and on")


async def test_a_reload_in_the_middle_loses_no_word(chat: ChatPage, stage: Stage) -> None:
    stage.play(SLOW)
    await chat.ask("Count.")
    await expect(chat.last_answer).to_contain_text("3 4 5")
    await chat.page.reload()
    await expect(chat.last_answer).to_contain_text("3 4 5")
    assert await chat.ended() == NUMBERS


async def test_a_second_tab_follows_the_same_answer(chat: ChatPage, stage: Stage) -> None:
    stage.play(SLOW)
    await chat.ask("Count.")
    await expect(chat.last_answer).to_contain_text("3 4 5")
    tab = await chat.another_tab()
    await expect(tab.last_answer).to_contain_text("3 4 5")
    assert await asyncio.gather(chat.ended(), tab.ended()) == [NUMBERS, NUMBERS]
    stage.play(say("Told in the first tab."))
    await chat.asked("And now?")
    await expect(tab.last_answer).to_contain_text("Told in the first tab.")


async def test_an_edited_question_is_a_branch_and_the_old_one_stays(chat: ChatPage, stage: Stage) -> None:
    stage.play(say("Blue.", match="sky"), say("Green."))
    assert await chat.asked("Which colour has the sky?") == "Blue."
    await chat.questions.last.hover()
    await chat.button("Edit and ask again").click()
    await chat.page.get_by_label("Edit the question").fill("Which colour has grass?")
    await chat.button("Ask again").click()
    await expect(chat.last_answer).to_have_text("Green.")
    await chat.ended()
    await expect(chat.questions).to_have_count(1)
    await chat.button("Earlier wording").click()
    await expect(chat.last_answer).to_have_text("Blue.")
    await chat.page.reload()
    await expect(chat.last_answer).to_have_text("Green.")


async def test_another_route_answers_beside_the_first(chat: ChatPage, stage: Stage) -> None:
    stage.large.script = Script(default=say("The large one."))
    stage.small.script = Script(default=say("The small one."))
    assert await chat.asked("Who are you?") == "The large one."
    await chat.choose(chat.button("Run again"), "small")
    both = chat.page.get_by_label("Two answers side by side")
    await expect(both.get_by_text("The large one.")).to_be_visible()
    await expect(both.get_by_text("The small one.")).to_be_visible()
    await expect(both).to_contain_text("direct")
    await both.get_by_role("button", name="Go on with this one").last.click()
    await expect(chat.last_answer).to_have_text("The small one.")
    await expect(chat.answers).to_have_count(1)
    await chat.asked("And again?")
    assert "The small one." in stage.large.stats.prompts[-1]
    assert "The large one." not in stage.large.stats.prompts[-1]


async def test_effort_model_and_budget_are_the_readers(chat: ChatPage, stage: Stage) -> None:
    stage.play(ENDLESS.model_copy(update={"delay": 0.0}))
    await chat.page.get_by_text("Fast", exact=True).click()
    await chat.button("Route and budget").click()
    await chat.page.get_by_label("Model", exact=False).first.select_option("small")
    await chat.page.get_by_label("Tokens").fill("40")
    await chat.button("Done").click()
    await chat.asked("Go on and on.")
    await expect(chat.last_answer).to_contain_text("Budget spent")
    async with stage.api() as api:
        conversation = chat.page.url.partition("#/c/")[2]
        turns = (await api.get(f"/v1/conversations/{conversation}")).json()["turns"]
    assert turns[-1]["settings"] == {
        "model": "small",
        "strategy": None,
        "reasoning_effort": "low",
        "budget": {"tokens": 40},
    }
    assert turns[-1]["status"] == "budget"


async def test_feedback_and_its_reason_are_stored_with_the_run(chat: ChatPage, stage: Stage) -> None:
    stage.play(say("Fine."))
    await chat.asked("How are you?")
    await chat.answers.last.hover()
    await chat.button("Bad answer").click()
    await chat.page.get_by_label("Reason, if you like").fill("too short")
    await chat.page.keyboard.press("Enter")
    conversation = chat.page.url.partition("#/c/")[2]

    async with stage.api() as api, asyncio.timeout(10):
        while True:
            turns = (await api.get(f"/v1/conversations/{conversation}")).json()["turns"]
            if turns[-1]["feedback"] == {"rating": -1, "reason": "too short"}:
                break
            await asyncio.sleep(0.05)
    await chat.page.reload()
    await expect(chat.button("Bad answer")).to_have_attribute("aria-pressed", "true")
    await chat.button("Bad answer").click()
    await expect(chat.button("Bad answer")).to_have_attribute("aria-pressed", "false")


async def test_a_clarifying_question_is_answered_in_the_chat(chat: ChatPage, stage: Stage) -> None:
    stage.play(
        say("no", match="everything that is needed"),
        say("How many apples are in each box? I need to know.", match="short question to ask"),
        say("So it is \\boxed{48}.", match="(?s)10 in each.*step by step"),
        say("So it is \\boxed{7}.", match="step by step"),
        say("I would rather not."),
    )
    question = "Ann has 5 boxes of apples and gives 2 apples away. How many apples does she have left?"
    assert (await chat.asked(question)).startswith("How many apples are in each box?")
    assert (await chat.asked("10 in each")).startswith("48")


@pytest.mark.usefixtures("worker")
async def test_tokens_are_tinted_by_who_wrote_them(chat: ChatPage, stage: Stage) -> None:
    story = "Once upon a time there were two writers, and they took turns at one sheet of paper until it was full."
    doubts = (-0.01,) * 15 + (-1.0,) * 15
    stage.small.script = Script(default=Reply(texts=(story,), continues=True, logprobs=doubts))
    stage.large.script = Script(default=Reply(texts=(story,), continues=True))
    await chat.button("Route and budget").click()
    await chat.page.get_by_label("Strategy", exact=False).first.select_option("entropy")
    await chat.button("Done").click()
    assert await chat.asked("Tell me a story.") == story
    await chat.button("Who wrote what").click()
    tokens = chat.page.locator(".tokens")
    assert "".join(await tokens.locator(".writer").all_text_contents()) == story
    assert await tokens.locator(".writer").count() > 1
    await expect(chat.page.locator(".share-bar")).to_contain_text(re.compile(r"small .*large|large .*small"))
    await tokens.locator("[data-at='3']").hover()
    await expect(chat.page.locator(".token-detail")).to_contain_text("by small")
    assert await chat.serious() == []


async def test_an_engine_that_is_away_is_said_with_the_way_out(chat: ChatPage, stage: Stage) -> None:
    stage.play(Reply(failure="unavailable"))
    await chat.ask("Anybody there?")
    await expect(chat.last_answer).to_contain_text("try again soon", timeout=60_000)
    stage.play(say("Here again."))
    await chat.choose(chat.button("Run again"), "The same way")
    await expect(chat.page.get_by_text("Here again.").first).to_be_visible()


async def test_conversations_are_found_renamed_saved_and_deleted(chat: ChatPage, stage: Stage) -> None:
    stage.play(say("A flightless bird."))
    await chat.asked("What is a kakapo?")
    entry = chat.page.get_by_role("link", name="What is a kakapo?")
    await expect(entry).to_be_visible()
    await chat.page.get_by_placeholder("Search").fill("flightless")
    await expect(chat.page.locator("a.conversation")).to_have_count(1)
    menu = chat.button("Actions for What is a kakapo?")
    async with chat.page.expect_download() as saved:
        await chat.choose(menu, "Export as Markdown")
    text = (await (await saved.value).path()).read_text()
    assert "A flightless bird." in text
    await chat.choose(menu, "Rename")
    await chat.page.get_by_label("Title").fill("Birds")
    await chat.page.keyboard.press("Enter")
    await chat.choose(chat.button("Actions for Birds"), "Delete")
    await chat.button("Delete").click()
    await expect(chat.page.locator("a.conversation")).to_have_count(0)
