"""The real gateway with the bot on, and a local Slack."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.waiting import eventually
from tests.web.conftest import Gateway, Start
from tests.web.scripted_runs import Run, ScriptedRuns
from tests.web.slack.posted import Json, Posted
from tests.web.slack.slack_delivery import Delivery
from tests.web.slack.slack_server import SECRET, TOKEN, SlackServer, slack_server


@dataclass
class Bot:
    """A workspace, and the gateway that answers in it."""

    slack: SlackServer
    gateway: Gateway
    deliver: Delivery

    @property
    def runs(self) -> ScriptedRuns:
        return self.gateway.runs

    async def ask(self, text: str, **more: Any) -> Json:
        """Say something and deliver it; returns the event."""
        event = self.slack.say(text, **more)
        assert (await self.deliver.event(event)).status_code == 200
        return event

    async def under_way(self) -> Run:
        """The only run, once it has begun."""
        run = self.runs.runs[await self.gateway.the_only_run()]
        await eventually(lambda: len(run.events) > 1)
        return run

    async def answered(self, event: Json, count: int = 1, seconds: float = 15) -> Posted:
        """The last of ``count`` answers in the thread of an event, once it is whole."""
        thread, channel = event.get("thread_ts", event["ts"]), event["channel"]

        def there() -> bool:
            found = self.slack.answers(thread, channel)
            return len(found) == count and not found[-1].streaming and bool(found[-1].footer)

        await eventually(there, seconds)
        return self.slack.answers(thread, channel)[-1]

    async def written(self, event: Json, what: str) -> Posted:
        """The last answer in the thread of an event, once it has ``what`` in it."""
        thread, channel = event.get("thread_ts", event["ts"]), event["channel"]
        await eventually(lambda: any(what in answer.text for answer in self.slack.answers(thread, channel)), 15)
        return self.slack.answers(thread, channel)[-1]


StartBot = Callable[..., AbstractAsyncContextManager[Bot]]


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with slack_server() as server:
        yield server


@pytest.fixture
def start_bot(start: Start, slack: SlackServer, monkeypatch: pytest.MonkeyPatch) -> StartBot:
    """Start a gateway with the bot; its settings are HTTP and one workspace unless said otherwise."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    monkeypatch.setenv("SLACK_SIGNING_SECRET", SECRET)
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-test")
    for variable in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(variable, raising=False)

    @asynccontextmanager
    async def started(gateway: dict[str, Any] | None = None, **settings: Any) -> AsyncIterator[Bot]:
        chosen = {"enabled": True, "mode": "http", "api_url": f"{slack.url}/api/", **settings}
        async with start(slack=chosen, **(gateway or {})) as running, running.client() as client:
            yield Bot(slack, running, Delivery(client, slack))

    return started


@pytest.fixture
async def bot(start_bot: StartBot) -> AsyncIterator[Bot]:
    async with start_bot() as bot:
        yield bot
