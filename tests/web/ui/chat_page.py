"""The chat as its reader works with it, and what must hold of the page whatever is done."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, expect

from web.static import BUILT

SECONDS = 15_000


@dataclass
class ChatPage:
    """``allowed`` are beginnings of console errors that a test provokes."""

    page: Page
    context: BrowserContext
    url: str
    errors: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    allowed: tuple[str, ...] = ()

    @classmethod
    @asynccontextmanager
    async def opened(cls, browser: Browser, url: str, **options: Any) -> AsyncIterator["ChatPage"]:
        context = await browser.new_context(**options)
        context.set_default_timeout(SECONDS)
        try:
            chat = cls(await context.new_page(), context, url)
            chat._watch(chat.page)
            await chat.page.goto(url)
            yield chat
            unexpected = [error for error in chat.errors if not error.startswith(chat.allowed or ("\0",))]
            assert not unexpected, f"the console says: {unexpected}"
            assert not chat.elsewhere, f"other hosts were asked: {chat.elsewhere}"
        finally:
            await context.close()

    async def another_tab(self) -> "ChatPage":
        tab = ChatPage(await self.context.new_page(), self.context, self.url, self.errors, self.elsewhere)
        tab._watch(tab.page)
        await tab.page.goto(self.page.url)
        return tab

    def _watch(self, page: Page) -> None:
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._asked)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _asked(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.netloc != urlsplit(self.url).netloc:
            self.elsewhere.append(request.url)

    @property
    def field(self) -> Locator:
        return self.page.get_by_label("Your question")

    @property
    def questions(self) -> Locator:
        return self.page.locator("article.turn-user")

    @property
    def answers(self) -> Locator:
        return self.page.locator("article.turn-assistant")

    @property
    def last_answer(self) -> Locator:
        return self.answers.last.locator(".answer")

    async def ask(self, question: str) -> None:
        await self.field.fill(question)
        await self.button("Send").click()

    async def asked(self, question: str) -> str:
        """Ask, wait for the whole answer, and say what it is."""
        before = await self.answers.count()
        await self.ask(question)
        await expect(self.answers).to_have_count(before + 1)
        return await self.ended()

    async def ended(self) -> str:
        """Wait until no answer is being written; the text of the last one."""
        await expect(self.button("Send")).to_be_visible(timeout=60_000)
        await expect(self.last_answer).to_have_attribute("aria-busy", "false")
        return await self.last_answer.inner_text()

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    async def choose(self, menu: Locator, entry: str) -> None:
        await menu.click()
        await self.page.get_by_role("menuitem").filter(has_text=entry).first.click()

    async def serious(self) -> list[str]:
        """What axe finds wrong with the page as it is, of serious or critical impact."""
        # Through the debugger, which the page's content security policy does not bind.
        await self.page.evaluate(_axe())
        found = await self.page.evaluate("async () => (await axe.run(document)).violations")
        return [
            f"{each['id']}: {node['html'][:200]} {node['failureSummary'][:200]}"
            for each in found
            if each["impact"] in ("serious", "critical")
            for node in each["nodes"]
        ]


@cache
def _axe() -> str:
    return (BUILT.parent / "node_modules" / "axe-core" / "axe.min.js").read_text()
