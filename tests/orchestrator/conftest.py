"""A whole Tandem over a scripted engine, with a real Redis and a database of its own."""

import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from agents.events import Event, RunFinished
from orchestrator.compose import Tandem, open_tandem
from orchestrator.runs import RunRequest
from orchestrator.settings import Settings
from orchestrator.settings_file import load_settings
from workers.engines.scripted.server import ScriptedServer
from workers.messages import Message


def settings_for(directory: Path, redis_url: str, engine_url: str, **environment: str) -> Settings:
    """The cpu profile with both models on one engine."""
    return load_settings(
        environment={
            "TANDEM__STORAGE__DIRECTORY": str(directory),
            "TANDEM__MODELS__SMALL__ENGINE__URL": engine_url,
            "TANDEM__MODELS__LARGE__ENGINE__URL": engine_url,
            "REDIS_URL": redis_url,
            **environment,
        }
    )


@pytest.fixture
def settings(tmp_path: Path, redis_url: str, scripted: ScriptedServer) -> Settings:
    return settings_for(tmp_path, redis_url, scripted.url)


@pytest.fixture
async def tandem(settings: Settings) -> AsyncIterator[Tandem]:
    async with open_tandem(settings) as opened:
        yield opened


@pytest.fixture
def owner() -> str:
    """Nobody has used this name before: runs and threads of other tests cannot be found."""
    return uuid.uuid4().hex


@pytest.fixture
def request_for(owner: str) -> Callable[..., RunRequest]:
    def build(text: str, **fields: object) -> RunRequest:
        return RunRequest.model_validate({"owner": owner, "messages": (Message(role="user", content=text),), **fields})

    return build


async def events_of(tandem: Tandem, run: str, owner: str) -> list[Event]:
    return [event async for _, event in tandem.runs.events(run, owner)]


def last_of(events: list[Event]) -> RunFinished:
    last = events[-1]
    assert isinstance(last, RunFinished)
    return last
