"""Which runs the playbook is asked for, and learns from."""

from orchestrator.offers import Offers
from orchestrator.playbook.recollection import Asked
from orchestrator.runs import RunRequest
from routers.assessment import answer_form
from routers.route import Effort

_SPARING: tuple[Effort, ...] = ("none", "minimal")
"""Efforts with too little budget for an attempt that may come to nothing."""


def asked_of(request: RunRequest, offers: Offers, run: str | None) -> Asked | None:
    """What to ask for a request; None where its route is not ours to choose, its answer cannot be checked, a risk is
    set, or the question stands in a conversation: what it means is then not in its own words."""
    if not offers.may_ask(request) or request.max_risk is not None:
        return None
    if any(message.role == "assistant" for message in request.messages):
        return None
    question = next((message.content for message in reversed(request.messages) if message.role == "user"), "")
    form = answer_form(question)
    if form in ("text", "code"):
        return None
    may_explore = request.budget is None and offers.effort(request) not in _SPARING
    return Asked(owner=request.owner, question=question, form=form, run=run, may_explore=may_explore)
