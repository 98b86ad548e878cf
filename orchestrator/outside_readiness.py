"""What the servers beside Tandem lack that the settings name: where the web is searched, where traces go."""

import asyncio
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urlsplit

from orchestrator.settings import Settings
from orchestrator.settings_observability import ObservabilitySettings
from orchestrator.settings_web_search import WebSearchSettings
from tools.searxng import SearXNG
from tools.web_search import SearchUnavailable

_PATIENCE_SECONDS = 3.0
_QUERY = "test"
_SENDING = ("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http")


async def outside_states(settings: Settings) -> list[tuple[str, bool, str]]:
    """For each that is named: what it is, whether it can be used, and what it is like or what to do."""
    states = []
    if settings.web_search.url:
        problem = await search_problem(settings.web_search)
        states.append(("web search", problem is None, problem or f"answers at {settings.web_search.url}"))
    if settings.observability.endpoint:
        problem = await traces_problem(settings.observability)
        states.append(("traces", problem is None, problem or f"go to {settings.observability.endpoint}"))
    return states


async def search_problem(settings: WebSearchSettings) -> str | None:
    """Found by searching: whether a server answers programs shows only then."""
    try:
        await SearXNG(settings.url, language=settings.language, seconds=settings.seconds).search(_QUERY, 1)
    except SearchUnavailable as error:
        return f"{error}; the server is `url` under [web_search]"
    return None


async def traces_problem(settings: ObservabilitySettings) -> str | None:
    try:
        for package in _SENDING:
            version(package)
    except PackageNotFoundError:
        return "the packages that send traces are not installed; run `pip install 'tandem[otel]'`"
    place = urlsplit(settings.endpoint)
    port = place.port or (443 if place.scheme == "https" else 80)
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            _, writer = await asyncio.open_connection(place.hostname, port)
    except (OSError, TimeoutError):
        return f"no collector answers at {settings.endpoint}; start it, or change `endpoint` under [observability]"
    writer.close()
    with suppress(OSError):  # it has answered, which is all that was asked
        await writer.wait_closed()
    return None
