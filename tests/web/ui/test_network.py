"""The chat where the network goes away in the middle of an answer and comes back: no word lost, and the reader told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, expect

from orchestrator.storage.database import Database
from tests.waiting import eventually
from tests.web.conftest import served
from tests.web.ui.chat_page import ChatPage
from tests.web.ui.conftest import ELSEWHERE, Stage, opened, settings_for
from web.gateway import create_app
from workers.engines.scripted.script import Reply, say

pytestmark = pytest.mark.asyncio(loop_scope="session")

NUMBERS = " ".join(str(number) for number in range(1, 121)) + " done"
SLOW = Reply(texts=(NUMBERS,), delay=0.02)
BROKEN = ("Failed to load resource: net::ERR_", "Failed to load resource: the server responded with a status of 401")


class Line:
    """The network between a browser and a gateway: bytes pass, until it is cut."""

    def __init__(self, gateway: str) -> None:
        self._gateway = urlsplit(gateway)
        self._pairs: set[asyncio.Task[None]] = set()
        self.whole = True

    @asynccontextmanager
    async def laid(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            self.cut()

    def cut(self) -> None:
        """Every connection breaks where it is, and none can be made."""
        self.whole = False
        for pair in self._pairs:
            pair.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.whole:
            writer.transport.abort()
            return
        pair = asyncio.create_task(self._relay(reader, writer))
        self._pairs.add(pair)
        pair.add_done_callback(self._pairs.discard)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._gateway.hostname, self._gateway.port)
        try:
            await asyncio.gather(_pump(reader, back), _pump(there, writer))
        finally:
            back.transport.abort()
            writer.transport.abort()


async def _pump(source: asyncio.StreamReader, drain: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await source.read(65_536):
            drain.write(data)
            await drain.drain()
        drain.write_eof()


async def test_an_answer_survives_a_network_that_goes_and_comes_back(chat: ChatPage, stage: Stage) -> None:
    chat.allowed = BROKEN
    stage.play(SLOW)
    await chat.ask("Count.")
    await expect(chat.last_answer).to_contain_text("3 4 5")
    await chat.context.set_offline(True)
    await expect(chat.last_answer).to_contain_text("Connection lost; trying again")
    await expect(chat.last_answer).to_contain_text("3 4 5")
    await chat.context.set_offline(False)
    assert await chat.ended() == NUMBERS


async def test_cuts_in_mid_answer_lose_and_repeat_nothing(browser: Browser, stage: Stage) -> None:
    stage.play(SLOW)
    line = Line(stage.url)
    async with line.laid() as url, opened(browser, url) as chat:
        chat.allowed = BROKEN
        await chat.ask("Count.")
        for reached in ("10 11", "40 41", "70 71"):
            await expect(chat.last_answer).to_contain_text(reached)
            line.cut()
            await expect(chat.last_answer).to_contain_text("Connection lost; trying again")
            line.whole = True
        assert await chat.ended() == NUMBERS


async def test_what_was_written_while_the_network_was_away_is_there_when_it_is_back(
    browser: Browser, stage: Stage
) -> None:
    stage.play(SLOW)
    line = Line(stage.url)
    async with line.laid() as url, opened(browser, url) as chat:
        chat.allowed = BROKEN
        await chat.ask("Count.")
        await expect(chat.last_answer).to_contain_text("3 4 5")
        line.cut()
        await eventually(lambda: stage.running == 0, seconds=20)
        line.whole = True
        assert await chat.ended() == NUMBERS


async def test_a_question_that_could_not_be_sent_is_still_there_to_send(chat: ChatPage, stage: Stage) -> None:
    chat.allowed = BROKEN
    stage.play(say("Here again."))
    await expect(chat.field).to_be_visible()
    await chat.context.set_offline(True)
    await chat.ask("Anybody there?")
    await expect(chat.page.locator("#content").get_by_role("alert")).to_contain_text(
        "Check its network, then try again"
    )
    await expect(chat.field).to_have_value("Anybody there?")
    await chat.context.set_offline(False)
    await chat.button("Send").click()
    assert await chat.ended() == "Here again."


async def test_away_from_the_gateways_machine_a_banner_says_what_to_do(
    browser: Browser, stage: Stage, own_redis: object, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stage.play(SLOW)
    assert callable(own_redis)
    settings = settings_for(tmp_path_factory.mktemp("elsewhere"), own_redis(8), stage.small.url, stage.large.url)
    async with served(create_app(settings)) as url:
        async with Database.open(f"sqlite:///{settings.storage.directory / 'tandem.db'}") as database:
            key = (await database.create_key("reader")).plain
        async with opened(browser, f"http://{ELSEWHERE}:{urlsplit(url).port}") as chat:
            chat.allowed = (*BROKEN, "The Cross-Origin-Opener-Policy header has been ignored")  # without TLS
            await chat.page.get_by_label("API key").fill(key)
            await chat.button("Log in").click()
            await chat.ask("Count.")
            await expect(chat.last_answer).to_contain_text("3 4 5")
            await chat.context.set_offline(True)
            banner = chat.page.get_by_role("alert").filter(has_text="You are offline")
            await expect(banner).to_contain_text("Check this device’s network")
            assert await chat.serious() == []
            await chat.context.set_offline(False)
            await expect(banner).to_have_count(0)
            assert await chat.ended() == NUMBERS
