"""The controller's state, checkpointed after every node, and what a run works with beside it."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, TypedDict

from agents.asking import Question
from agents.problem import Answer, Problem
from agents.strategy import Emit, GetToolbox, KeepFile
from orchestrator.playbook.recollection import Recollection
from orchestrator.runs import RunRequest
from routers.assessment import Assessment
from routers.policy import Abstain, Accept
from routers.route import Decision, Effort
from routers.sticky import Turn
from routers.value import Weighed
from workers.collaboration.protocol import Collaboration
from workers.ledger import Ledger
from workers.messages import Message
from workers.models.protocol import ChatModel


class RunState(TypedDict, total=False):
    """What a run knows. ``attempts`` grows by one with every route that was tried.

    ``inherited`` is the difficulty of the thread's ``turn`` before this one, ``weighed`` what a
    learned router says of the question.
    ``asked`` is the clarifying question, ``asked_about`` the messages it is about and ``reply`` what the reader
    answered; ``just_asked`` says that the thread's run before this one asked already. ``recalled`` is the run whose
    answer is given again, ``recollection`` what the playbook gave.
    """

    request: RunRequest
    effort: Effort
    inherited: float | None
    turn: Turn | None
    weighed: Weighed | None
    assessment: Assessment
    decision: Decision
    attempts: Annotated[list[Answer], operator.add]
    verdict: Accept | Abstain | Decision
    budget_spent: bool
    just_asked: bool
    asked: Question | None
    asked_about: tuple[Message, ...]
    reply: str | None
    recalled: str
    recollection: Recollection


@dataclass(frozen=True, slots=True)
class RunContext:
    """What the nodes of one run share and never checkpoint: the ledger, the models that draw on it, the way out."""

    run: str
    emit: Emit
    ledger: Ledger
    models: Mapping[str, ChatModel]
    problem: Callable[[RunRequest, Assessment], Problem]
    collaboration: Collaboration | None = None
    toolbox: GetToolbox | None = None
    keep_file: KeepFile | None = None


CHECKPOINTED = (
    RunRequest,
    Assessment,
    Decision,
    Answer,
    Accept,
    Abstain,
    Message,
    Question,
    Turn,
    Weighed,
    Recollection,
)
