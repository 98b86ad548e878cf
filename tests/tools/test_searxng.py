"""Web search over a server that speaks SearXNG's JSON."""

from collections.abc import Iterator

import pytest

from tests.processes import free_port
from tests.tools.searxng_server import Searched, searxng
from tools.searxng import SearXNG
from tools.web_search import Found, SearchUnavailable, WebSearch

PAGE = {
    "url": "https://example.org/tides",
    "title": "Tides",
    "content": "The Moon pulls.",
    "engine": "one",
    "engines": ["one", "two"],
    "score": 2.0,
    "category": "general",
}


@pytest.fixture
def server() -> Iterator[Searched]:
    with searxng() as server:
        yield server


async def test_pages_come_in_the_servers_order_and_no_more_than_asked_for(server: Searched) -> None:
    server.finds(PAGE, {**PAGE, "title": "Ebb"}, {**PAGE, "title": "Flood"})
    found = await SearXNG(f"{server.url}/", language="en").search("why tides?", 2)
    assert found == [
        Found("Tides", "https://example.org/tides", "The Moon pulls."),
        Found("Ebb", "https://example.org/tides", "The Moon pulls."),
    ]
    assert server.queries == [{"q": ["why tides?"], "format": ["json"], "language": ["en"]}]


async def test_what_strangers_wrote_comes_back_as_bounded_plain_text(server: Searched) -> None:
    server.finds(
        {**PAGE, "url": "javascript:alert(1)"},
        {**PAGE, "url": None},
        {**PAGE, "title": "<b>Ti</b>des &amp; more\n\n\x1b[31m", "content": "hid\u200bden \u202eover " + "x" * 10_000},
        {"url": "http://example.org/bare"},
    )
    tides, bare = await SearXNG(server.url).search("tides", 5)
    assert tides.title == "Tides & more [31m"
    assert tides.excerpt.startswith("hid den over xxx")
    assert len(tides.excerpt) == 600
    assert bare == Found("http://example.org/bare", "http://example.org/bare", "")


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (403, b"", "add json to `formats`"),
        (429, b"", "limits the rate"),
        (500, b"", "answered with 500"),
        (200, b"<html>", "something else than JSON"),
        (200, b"[]", "is it a SearXNG"),
        (200, b"{" + b" " * 5 * 2**20, "longer than"),
    ],
)
async def test_a_server_that_does_not_answer_says_what_to_do(
    server: Searched, status: int, body: bytes, said: str
) -> None:
    server.status, server.body = status, body
    with pytest.raises(SearchUnavailable, match=said):
        await SearXNG(server.url).search("tides", 5)


async def test_engines_that_are_all_silent_are_no_empty_web(server: Searched) -> None:
    server.finds(unresponsive_engines=[["one", "timeout"]])
    with pytest.raises(SearchUnavailable, match="timeout"):
        await SearXNG(server.url).search("tides", 5)


async def test_a_query_is_sent_nowhere_else(server: Searched) -> None:
    with searxng() as other:
        server.status, server.location = 302, f"{other.url}/search"
        with pytest.raises(SearchUnavailable, match="302"):
            await SearXNG(server.url).search("tides", 5)
        assert other.queries == []


async def test_the_model_is_told_when_the_server_is_slow_or_away(server: Searched) -> None:
    server.wait.clear()
    slow = await WebSearch(SearXNG(server.url, seconds=0.2)).call({"query": "tides"})
    assert (slow.ok, "within 0.2 s" in slow.text) == (False, True)
    away = await WebSearch(SearXNG(f"http://127.0.0.1:{free_port()}")).call({"query": "tides"})
    assert (away.ok, "cannot be reached" in away.text) == (False, True)
