"""The gateway: one process, one event loop, every HTTP door. ``python -m web.gateway`` serves it."""

import gc
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

import uvicorn
from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from structlog.typing import FilteringBoundLogger

from orchestrator.answer_cache import AnswerCounts
from orchestrator.compose import open_tandem
from orchestrator.conversations import Conversations, UnknownTurn
from orchestrator.playbook.entry import UnknownEntry
from orchestrator.runs import Busy, RunRefused, UnknownRun
from orchestrator.settings import Settings
from orchestrator.settings_file import SettingsInvalid, load_settings
from orchestrator.storage.artifacts import ArtifactStore
from orchestrator.storage.conversation_store import UnknownConversation
from orchestrator.tracing.exporting import Tracing, TracingUnavailable, open_tracing
from web import health
from web.doors import Doors, OpenTandem
from web.errors import ApiError, answer_api_error, answer_http_error, answer_run_error, answer_unknown
from web.flights import Flights
from web.identity import Doorkeeper
from web.limits import Limits
from web.logs import configure_process_logs, open_log
from web.metrics import Metrics
from web.native_api import artifacts as artifact_files
from web.native_api import conversations, dashboard, feedback, playbook, runs, session
from web.native_api.playbook import answer_unknown_entry
from web.openai_api import chat, models
from web.request_scope import RequestScope
from web.slack import endpoint as slack
from web.slack.endpoint import open_slack
from web.static import StaticUi

Opener = Callable[[Settings], AbstractAsyncContextManager[OpenTandem]]

_SHUTDOWN_SECONDS = 5


def create_app(
    settings: Settings | None = None,
    *,
    opener: Opener = open_tandem,
    log: FilteringBoundLogger | None = None,
    tracing: Tracing | None = None,
) -> FastAPI:
    """The ASGI app. Nothing is opened before it starts; without ``settings`` the settings file is read then.

    ``opener`` builds what stands behind the doors; ``tracing`` makes a span of every request.
    """
    metrics = Metrics()
    log = log or open_log()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        chosen = settings or load_settings()
        async with opener(chosen) as tandem:
            limits = Limits(tandem.redis)
            artifacts = ArtifactStore(chosen.storage.directory / "artifacts")
            async with Flights(tandem.runs, limits, metrics, log).open() as flights:
                app.state.started = time.time()
                app.state.doors = Doors(
                    runs=tandem.runs,
                    settings=chosen,
                    database=tandem.database,
                    artifacts=artifacts,
                    conversations=Conversations(
                        tandem.database,
                        tandem.runs,
                        artifacts,
                        tandem.teacher.ended,
                        tandem.answers,
                        tandem.forgetting,
                    ),
                    doorkeeper=Doorkeeper(tandem.database, chosen.gateway),
                    limits=limits,
                    flights=flights,
                    metrics=metrics,
                    log=log,
                    answers=AnswerCounts(tandem.redis, chosen.answer_cache) if chosen.answer_cache.enabled else None,
                    playbook=tandem.playbook,
                    teacher=tandem.teacher,
                )
                async with open_slack(app.state.doors, tandem.redis) as app.state.slack:
                    # What was built by now stays: without this every full collection looks at all of it again, for
                    # tens of milliseconds in which no stream goes on.
                    gc.collect()
                    gc.freeze()
                    try:
                        yield
                    finally:
                        gc.unfreeze()

    app = FastAPI(title="Tandem", lifespan=lifespan, redirect_slashes=False, telemetry=_telemetry(tracing))
    for door in (conversations.router, session.router, feedback.router, artifact_files.router, dashboard.router):
        app.include_router(door)
    for door in (chat.router, models.router, runs.router, playbook.router, health.router, slack.router):
        app.include_router(door)
    app.add_exception_handler(ApiError, answer_api_error)
    for refusal in (RunRefused, UnknownRun, Busy):
        app.add_exception_handler(refusal, answer_run_error)
    for unknown in (UnknownConversation, UnknownTurn):
        app.add_exception_handler(unknown, answer_unknown)
    app.add_exception_handler(UnknownEntry, answer_unknown_entry)
    app.add_exception_handler(HTTPException, answer_http_error)
    app.router.default = StaticUi()
    app.add_middleware(RequestScope, metrics=metrics, log=log)
    return app


def _telemetry(tracing: Tracing | None) -> TelemetryConfig:
    """Spans of requests and nothing else: metrics and logs are our own, and hold nobody's words."""
    if tracing is None:
        return {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
    return {
        "tracer_provider": tracing.provider,
        "metrics": False,
        "logs": False,
        "operation_spans": False,
        "auto_configure": False,
    }


def serve(settings: Settings) -> None:
    """Serve on the settings' host and port until interrupted."""
    configure_process_logs()
    tracing = open_tracing(settings.observability)
    uvicorn.run(
        create_app(settings, opener=partial(open_tandem, tracing=tracing), tracing=tracing),
        host=settings.gateway.host,
        port=settings.gateway.port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        # A client's word on who it is must not decide whether it counts as this machine.
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        log_level="warning",
    )


def main() -> None:
    """What ``python -m web.gateway`` runs; settings that cannot be used end it with every problem, one a line."""
    try:
        settings = load_settings()
    except SettingsInvalid as error:
        sys.exit(str(error))
    try:
        serve(settings)
    except TracingUnavailable as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
