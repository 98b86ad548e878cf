"""Opens the Slack bot: everything it is made of, over HTTP or Socket Mode."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from redis.asyncio import Redis
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.async_app import AsyncApp, AsyncBoltContext
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth.installation_store.sqlalchemy import AsyncSQLAlchemyInstallationStore
from slack_sdk.signature import SignatureVerifier
from starlette.requests import Request
from starlette.responses import Response

from orchestrator.storage.records import Feedback
from web.doors import Doors
from web.errors import ApiError
from web.slack.answering import Answerer
from web.slack.buttons import Buttons, FeedbackSink
from web.slack.conversation import Conversations
from web.slack.desk import Desk
from web.slack.documents import Documents
from web.slack.errands import Errands
from web.slack.inbox import Inbox
from web.slack.installations import REDIRECT_PATH, installation_store, oauth_flow
from web.slack.intake import Intake
from web.slack.quiet import slack_logger
from web.slack.reception import Reception, authorization
from web.slack.start import Starter
from web.slack.web_api import NETWORK_ERRORS, Clients, open_session
from web.slack.workspaces import InstalledWorkspaces, OneWorkspace, Workspaces

_ERRANDS = 256
_TIMESTAMP_DIGITS = 16


class Door:
    """The bot's HTTP side. ``verifier`` is None in Socket Mode, ``flow`` where there is one workspace only."""

    def __init__(self, app: AsyncApp, verifier: SignatureVerifier | None, flow: AsyncOAuthFlow | None) -> None:
        self._app = app
        self._verifier = verifier
        self._flow = flow

    async def event(self, request: Request, body: bytes) -> Response:
        """Raises ``ApiError`` 401 for what Slack has not signed within five minutes, 400 for what is not its shape."""
        if self._verifier is None:
            raise ApiError(404, "the Slack bot uses Socket Mode: events do not come here", code="not_found")
        timestamp = request.headers.get("x-slack-request-timestamp", "")
        signature = request.headers.get("x-slack-signature", "")
        if not _signed(self._verifier, body, timestamp, signature):
            raise ApiError(
                401,
                "the request is not signed by Slack, or older than five minutes; is the signing secret that of this "
                "app, and this machine's clock right?",
                kind="authentication_error",
                code="invalid_signature",
            )
        try:
            bolt_request = to_async_bolt_request(request, body)
        except ValueError as error:
            raise ApiError(400, f"the body cannot be read: {error}", code="invalid_json") from error
        return to_starlette_response(await self._app.async_dispatch(bolt_request))

    async def install(self, request: Request) -> Response:
        if self._flow is None:
            raise ApiError(
                404,
                'the Slack bot serves one workspace; set `workspaces = "many"` under [slack] to let others install it',
                code="not_found",
            )
        bolt_request = to_async_bolt_request(request, b"")
        if request.url.path == REDIRECT_PATH:
            return to_starlette_response(await self._flow.handle_callback(bolt_request))
        return to_starlette_response(await self._flow.handle_installation(bolt_request))


@asynccontextmanager
async def open_door(doors: Doors, redis: Redis) -> AsyncIterator[Door]:
    """Start the bot as the settings say; nothing of it is left behind afterwards."""
    settings = doors.settings.slack
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(open_session())
        clients = Clients(session, settings.api_url)
        store = flow = None
        if settings.workspaces == "many":
            store, flow = _installing(doors, redis, clients)
            workspaces: Workspaces = InstalledWorkspaces(store)
        else:
            workspaces = OneWorkspace(clients, os.environ[settings.bot_token_variable])
        inbox = Inbox(redis)
        errands = await stack.enter_async_context(Errands(_ERRANDS, doors.log).open())
        answerer = Answerer(
            runs=doors.runs,
            flights=doors.flights,
            starter=_starter(doors, clients),
            inbox=inbox,
            workspaces=workspaces,
            clients=clients,
            settings=settings,
            log=doors.log,
        )
        desk = await stack.enter_async_context(Desk(inbox, answerer.answer, settings.answers_at_once, doors.log).open())
        buttons = Buttons(
            runs=doors.runs, desk=desk, inbox=inbox, clients=clients, feedback=_feedback(doors), log=doors.log
        )
        reception = Reception(
            intake=Intake(inbox), desk=desk, buttons=buttons, errands=errands, clients=clients, installations=store
        )
        app = _app(workspaces, reception)
        if isinstance(workspaces, OneWorkspace):
            errands.run(_introduce(workspaces, doors))
        if settings.mode == "socket":
            await stack.enter_async_context(_socket(app, os.environ[settings.app_token_variable], clients))
            yield Door(app, None, flow)
        else:
            yield Door(app, SignatureVerifier(os.environ[settings.signing_secret_variable]), flow)


def _app(workspaces: Workspaces, reception: Reception) -> AsyncApp:
    app = AsyncApp(
        name="tandem",
        logger=slack_logger(),
        authorize=authorization(workspaces),
        # The signature is checked before anything is parsed, by the door.
        request_verification_enabled=False,
    )

    async def receive(body: dict[str, Any], context: AsyncBoltContext) -> BoltResponse:
        return await reception.receive(body, context)

    app.use(receive)
    return app


def _installing(
    doors: Doors, redis: Redis, clients: Clients
) -> tuple[AsyncSQLAlchemyInstallationStore, AsyncOAuthFlow]:
    settings = doors.settings.slack
    client_id = os.environ[settings.client_id_variable]
    store = installation_store(doors.database.engine, client_id)
    flow = oauth_flow(
        clients=clients,
        redis=redis,
        store=store,
        client_id=client_id,
        client_secret=os.environ[settings.client_secret_variable],
        api_url=settings.api_url,
        redirect_url=settings.redirect_url,
    )
    return store, flow


def _starter(doors: Doors, clients: Clients) -> Starter:
    slack, gateway = doors.settings.slack, doors.settings.gateway
    documents = Documents(clients.session, slack.api_url, slack.file_bytes, slack.document_characters)
    return Starter(
        runs=doors.runs,
        flights=doors.flights,
        conversations=Conversations(doors.runs, documents, slack.history_messages),
        settings=slack,
        default_effort=doors.settings.default_effort,
        runs_per_minute=gateway.runs_per_minute,
        concurrent_runs=gateway.concurrent_runs_per_key,
    )


def _feedback(doors: Doors) -> FeedbackSink:
    async def store(run: str, owner: str, good: bool) -> None:
        await doors.runs.get(run, owner)
        await doors.database.save_feedback(run, owner, Feedback(rating=1 if good else -1))
        doors.teacher.ended(run, owner)

    return store


async def _introduce(workspaces: OneWorkspace, doors: Doors) -> None:
    """Ask Slack who the bot is before anybody waits for it, and say so where it does not know."""
    try:
        await workspaces.find(None, None)
    except (SlackApiError, *NETWORK_ERRORS) as error:
        doors.log.error("slack does not take the bot token", error=str(error))


@asynccontextmanager
async def _socket(app: AsyncApp, app_token: str, clients: Clients) -> AsyncIterator[None]:
    """Hold a connection to Slack; it is made, and made again when it breaks, in the background."""
    handler = AsyncSocketModeHandler(app, app_token, logger=slack_logger(), web_client=clients.of(None))
    connecting = asyncio.create_task(handler.client.connect())  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
        await handler.client.close()  # type: ignore[no-untyped-call]


def _signed(verifier: SignatureVerifier, body: bytes, timestamp: str, signature: str) -> bool:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < _TIMESTAMP_DIGITS and signature.isascii()):
        return False
    try:
        return verifier.is_valid(body, timestamp, signature)
    except UnicodeDecodeError:  # a body that is no text
        return False
