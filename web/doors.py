"""What every endpoint finds at hand."""

from dataclasses import dataclass, field
from typing import Protocol, cast

from redis.asyncio import Redis
from starlette.requests import Request
from structlog.typing import FilteringBoundLogger

from orchestrator.answer_cache import AnswerCache, AnswerCounts
from orchestrator.conversations import Conversations
from orchestrator.playbook.forgetting import Forgetting
from orchestrator.playbook.jobs import NoTeacher, Teacher
from orchestrator.playbook.protocol import Playbook
from orchestrator.runs import Runs
from orchestrator.settings import Settings
from orchestrator.storage.artifacts import ArtifactStore
from orchestrator.storage.database import Database
from web.flights import Flights
from web.identity import Doorkeeper, Identity
from web.limits import Limits
from web.metrics import Metrics


class OpenTandem(Protocol):
    """What the composition root opens."""

    @property
    def runs(self) -> Runs: ...

    @property
    def settings(self) -> Settings: ...

    @property
    def database(self) -> Database: ...

    @property
    def redis(self) -> Redis: ...

    @property
    def playbook(self) -> Playbook | None: ...

    @property
    def answers(self) -> AnswerCache | None: ...

    @property
    def teacher(self) -> Teacher: ...

    @property
    def forgetting(self) -> Forgetting | None: ...


@dataclass(frozen=True, slots=True)
class Doors:
    """Built once, when the app starts. ``answers`` is None where the answer cache is off, ``playbook`` where
    this server keeps none; ``teacher`` is told what owners say about their runs."""

    runs: Runs
    settings: Settings
    database: Database
    artifacts: ArtifactStore
    conversations: Conversations
    doorkeeper: Doorkeeper
    limits: Limits
    flights: Flights
    metrics: Metrics
    log: FilteringBoundLogger
    answers: AnswerCounts | None = None
    playbook: Playbook | None = None
    teacher: Teacher = field(default_factory=NoTeacher)


def doors_of(request: Request) -> Doors:
    return cast(Doors, request.app.state.doors)


async def identify(request: Request) -> Identity:
    """The caller, who is then named in the request's log line. Raises ``ApiError`` 401 or 403."""
    who = await doors_of(request).doorkeeper.identify(request)
    request.state.owner = who.owner
    return who
