"""What `tandem doctor` says of the servers beside Tandem."""

from pathlib import Path

from orchestrator.outside_readiness import outside_states
from tests.orchestrator.conftest import settings_for
from tests.processes import free_port
from tests.tools.searxng_server import searxng


async def test_nothing_is_asked_that_the_settings_do_not_name(tmp_path: Path) -> None:
    assert await outside_states(settings_for(tmp_path, "redis://x", "http://x")) == []


async def test_servers_that_answer_are_well(tmp_path: Path) -> None:
    with searxng() as server:
        settings = settings_for(
            tmp_path,
            "redis://x",
            "http://x",
            TANDEM__WEB_SEARCH__URL=server.url,
            TANDEM__OBSERVABILITY__ENDPOINT=f"{server.url}/v1/traces",
        )
        states = await outside_states(settings)
    assert [(part, ok) for part, ok, _ in states] == [("web search", True), ("traces", True)]


async def test_servers_that_do_not_are_named_with_what_to_do(tmp_path: Path) -> None:
    with searxng() as server:
        server.status = 403
        settings = settings_for(
            tmp_path,
            "redis://x",
            "http://x",
            TANDEM__WEB_SEARCH__URL=server.url,
            TANDEM__OBSERVABILITY__ENDPOINT=f"http://127.0.0.1:{free_port()}/v1/traces",
        )
        search, traces = await outside_states(settings)
    assert not search[1]
    assert "add json to `formats`" in search[2]
    assert not traces[1]
    assert "no collector answers" in traces[2]
