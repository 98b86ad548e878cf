"""Web search through a SearXNG of one's own, by its JSON API (``/search?format=json``)."""

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
import orjson

from tools.web_search import Found, SearchUnavailable

_LONGEST_ANSWER = 4 * 2**20
_LONGEST_TITLE = 200
_LONGEST_ADDRESS = 500
_LONGEST_EXCERPT = 600
_TAG = re.compile(r"<[^<>]{0,200}>")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]+")


class SearXNG:
    """Implements ``SearchProvider`` over the server at ``url``. What it answers was written by strangers: it comes back
    as plain text of bounded length, without what a reader would not see, and only with addresses of web pages.

    ``language`` as SearXNG names it ("" is the server's own); ``seconds`` bounds one search.
    """

    def __init__(self, url: str, *, language: str = "", seconds: float = 10.0) -> None:
        self._url = f"{url.rstrip('/')}/search"
        self._language = language
        self._timeout = aiohttp.ClientTimeout(total=seconds)
        self._seconds = seconds

    async def search(self, query: str, results: int) -> Sequence[Found]:
        answer = await self._ask(query)
        listed = answer.get("results")
        if not isinstance(listed, list):
            raise SearchUnavailable(f"{self._url} answered without results; is it a SearXNG?")
        found = [page for entry in listed if isinstance(entry, dict) and (page := _page(entry)) is not None]
        if not found and (silent := answer.get("unresponsive_engines")):
            raise SearchUnavailable(f"none of the search engines behind {self._url} answered: {str(silent)[:300]}")
        return found[:results]

    async def _ask(self, query: str) -> Mapping[str, Any]:
        wanted = {"q": query, "format": "json", **({"language": self._language} if self._language else {})}
        try:
            async with (
                aiohttp.ClientSession(timeout=self._timeout) as session,
                # A server of one's own has no reason to send the query elsewhere.
                session.get(self._url, params=wanted, allow_redirects=False) as response,
            ):
                if response.status != 200:
                    raise SearchUnavailable(_refusal(self._url, response.status))
                body = await _bounded(response)
        except TimeoutError as error:
            raise SearchUnavailable(f"{self._url} did not answer within {self._seconds:g} s") from error
        except aiohttp.ClientError as error:
            raise SearchUnavailable(f"{self._url} cannot be reached ({error})") from error
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise SearchUnavailable(f"{self._url} answered with something else than JSON") from error
        return value if isinstance(value, dict) else {}


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for part in response.content.iter_any():
        body += part
        if len(body) > _LONGEST_ANSWER:
            raise SearchUnavailable(f"the answer is longer than {_LONGEST_ANSWER} bytes")
    return bytes(body)


def _refusal(url: str, status: int) -> str:
    match status:
        case 403:
            return f"{url} answers no programs (403): add json to `formats` under `search` in SearXNG's settings.yml"
        case 429:
            return f"{url} limits the rate (429): search less often, or allow this machine in SearXNG's limiter.toml"
        case _:
            return f"{url} answered with {status}"


def _page(entry: Mapping[str, Any]) -> Found | None:
    url = _plain(entry.get("url"), _LONGEST_ADDRESS)
    if not url.startswith(("http://", "https://")):
        return None
    return Found(
        title=_plain(entry.get("title"), _LONGEST_TITLE) or url,
        url=url,
        excerpt=_plain(entry.get("content"), _LONGEST_EXCERPT),
    )


def _plain(value: object, longest: int) -> str:
    """What a reader would see of ``value``, on one line."""
    if not isinstance(value, str):
        return ""
    text = html.unescape(_TAG.sub("", value[: 10 * longest]))
    return " ".join(_UNPRINTABLE.sub(" ", text).split())[:longest]
