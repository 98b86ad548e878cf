"""Who can use the page: by keyboard alone, on a phone, in the dark, with a screen reader, behind a login."""

import pytest
from playwright.async_api import Browser, expect

from orchestrator.storage.database import Database
from tests.web.conftest import served
from tests.web.ui.chat_page import ChatPage
from tests.web.ui.conftest import Stage, opened, settings_for
from web.gateway import create_app
from workers.engines.scripted.script import Reply, say

pytestmark = pytest.mark.asyncio(loop_scope="session")

RICH = """## Two ways

| way | steps |
|---|---:|
| fast | 3 |

```python
def twice(x: int) -> int:
    return 2 * x  # doubled
```

Then $x^2 + \\frac{1}{2}$ and

$$\\int_0^1 x\\,dx = \\tfrac12$$

> Quoted, with `code` and [a link](https://example.com/).

1. one
2. two
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_page_has_a_serious_fault_for_a_screen_reader(browser: Browser, stage: Stage, scheme: str) -> None:
    stage.play(say(RICH))
    async with opened(browser, stage.url, color_scheme=scheme) as chat:
        await expect(chat.field).to_be_visible()
        assert await chat.serious() == []
        await chat.asked("Show me everything.")
        await expect(chat.last_answer.locator("table")).to_be_visible()
        await expect(chat.last_answer.locator(".katex, math").first).to_be_attached()
        await expect(chat.last_answer.locator("pre code")).to_contain_text("def twice")
        background = await chat.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (_brightness(background) < 0.5) == (scheme == "dark")
        assert await chat.serious() == []
        await chat.button("Route and budget").click()
        assert await chat.serious() == []
        async with stage.api() as api:
            # A service without a playbook has nothing to show there.
            learns = (await api.get("/v1/playbook")).status_code == 200
        for page in ("Dashboard", "Playbook") if learns else ("Dashboard",):
            await chat.page.get_by_role("link", name=page).click()
            await expect(chat.page.get_by_role("heading", name=page, exact=True)).to_be_visible()
            await expect(chat.page.locator(".loading")).to_have_count(0)
            assert await chat.serious() == []


def _brightness(colour: str) -> float:
    """Of ``rgb(r, g, b)``, between 0 and 1."""
    return sum(float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]) / 3 / 255


async def test_everything_can_be_done_by_keyboard(chat: ChatPage, stage: Stage) -> None:
    keyboard = chat.page.keyboard
    stage.play(Reply(texts=("and on ",), delay=0.02, endless=True))
    await chat.page.locator("body").focus()
    await keyboard.press("/")
    await expect(chat.field).to_be_focused()
    await keyboard.type("Two lines")
    await keyboard.press("Shift+Enter")
    await keyboard.type("of question")
    await keyboard.press("Enter")
    await expect(chat.questions.last).to_contain_text("Two lines\nof question")
    await expect(chat.last_answer).to_contain_text("and on and on")
    await keyboard.press("Escape")
    await chat.ended()
    stage.play(say("Again."))
    await chat.button("Run again").focus()
    await keyboard.press("Enter")
    await expect(chat.page.get_by_role("menuitem").first).to_be_focused()
    await keyboard.press("ArrowDown")
    await keyboard.press("Escape")
    await expect(chat.button("Run again")).to_be_focused()
    await keyboard.press("Enter")
    await keyboard.press("Enter")
    await expect(chat.page.locator(".answer").get_by_text("Again.", exact=True)).to_be_visible()
    await chat.page.evaluate("document.activeElement.blur()")
    for key, shown in (("t", False), ("t", True)):
        await keyboard.press(key)
        await expect(chat.page.get_by_label("Trace", exact=True)).to_be_visible(visible=shown)
    await keyboard.press("?")
    await expect(chat.page.get_by_role("dialog")).to_contain_text("new chat")
    await keyboard.press("Escape")
    await keyboard.press("s")
    await expect(chat.page.get_by_placeholder("Search")).to_be_focused()


async def test_every_place_that_takes_the_focus_shows_it(chat: ChatPage, stage: Stage) -> None:
    stage.play(say("Here."))
    await chat.asked("Where is the focus?")
    await chat.field.focus()
    seen = set()
    for _ in range(40):
        await chat.page.keyboard.press("Tab")
        marked = await chat.page.evaluate(
            """() => {
                const element = document.activeElement;
                if (!element || element === document.body) return null;
                const drawn = [element, element.parentElement, element.closest("label, form")].filter(Boolean);
                const shows = drawn.some((each) => {
                    const style = getComputedStyle(each);
                    return style.outlineStyle !== "none" || style.boxShadow !== "none";
                });
                return [element.outerHTML.slice(0, 120), shows];
            }"""
        )
        if marked is not None:
            seen.add(tuple(marked))
    assert len(seen) > 8
    assert [html for html, shows in seen if not shows] == []


async def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Browser, stage: Stage) -> None:
    stage.play(say(RICH + "\n" + "long" * 100 + "\n\n```\n" + "x" * 300 + "\n```\n"))
    phone = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
    async with opened(browser, stage.url, **phone) as chat:
        await chat.asked("Show me everything.")
        width = "Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"
        assert await chat.page.evaluate(width) <= 360
        assert await chat.serious() == []
        box = await chat.field.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 740
        await chat.button("Open the list").click()
        await expect(chat.page.get_by_role("link", name="New chat")).to_be_in_viewport()
        await chat.page.get_by_role("link", name="Dashboard").click()
        await expect(chat.page.get_by_role("heading", name="Dashboard")).to_be_in_viewport()
        await expect(chat.page.locator(".loading")).to_have_count(0)
        assert await chat.page.evaluate(width) <= 360


async def test_a_key_opens_the_page_and_hides_what_it_may_not_see(
    browser: Browser, stage: Stage, own_redis: object, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stage.play(say("So it is \\boxed{7}.", match="step by step"), say("I would rather not."))
    assert callable(own_redis)
    settings = settings_for(tmp_path_factory.mktemp("keyed"), own_redis(7), stage.small.url, stage.large.url)
    async with served(create_app(settings)) as url:
        async with Database.open(f"sqlite:///{settings.storage.directory / 'tandem.db'}") as database:
            key = (await database.create_key("reader", may_see_reasoning=False)).plain
        async with opened(browser, url) as chat:
            chat.allowed = ("Failed to load resource: the server responded with a status of 401",)
            field = chat.page.get_by_label("API key")
            await field.fill("tandem-wrong")
            await chat.button("Log in").click()
            await expect(chat.page.get_by_text("not in force")).to_be_visible()
            assert await chat.serious() == []
            await field.fill(key)
            await chat.button("Log in").click()
            await chat.button("Route and budget").click()
            await chat.page.get_by_label("Strategy", exact=False).first.select_option("cot")
            await chat.button("Done").click()
            assert (await chat.asked("What is 3 + 4?")).startswith("7")
            await expect(chat.page.get_by_label("Trace", exact=True)).to_contain_text("may not see the text of steps")
            assert "So it is" not in await chat.page.content()
            await chat.page.reload()
            await expect(chat.last_answer).to_contain_text("7")
            await chat.button("Log out").click()
            await expect(field).to_be_visible()
            await chat.page.reload()
            await expect(field).to_be_visible()
