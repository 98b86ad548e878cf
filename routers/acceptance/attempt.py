"""An attempt as its evidence shows it: the same whether it has just been made or was stored as an outcome."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agents.problem import Answer, AnswerForm
from routers.assessment import Assessment
from routers.outcome import Outcome
from routers.plausible import Bounds, implausible
from tools.verifiers.equality import cluster


@dataclass(frozen=True, slots=True)
class Attempt:
    """``route`` names models by their role, such as ``program(large)``. ``logprob`` is the mean natural-log probability
    of its tokens, ``length`` their number, ``agreement`` the share of votes within the strategy itself; None where the
    strategy yields no such evidence. ``plausible`` says whether it can be what was asked for, as far as is known."""

    route: str
    value: str | None
    ran: bool | None = None
    logprob: float | None = None
    length: int | None = None
    agreement: float | None = None
    plausible: bool = True


@dataclass(frozen=True, slots=True)
class Camp:
    """Attempts that gave the same answer, by their index, in the order in which they were made."""

    members: tuple[int, ...]


Roles = Mapping[str, str]
"""From the name of a configured model to its role."""


def attempt_of(answer: Answer, assessment: Assessment, roles: Roles) -> Attempt:
    evidence = answer.evidence
    return Attempt(
        route=f"{answer.strategy}({roles.get(answer.model, answer.model)})",
        value=answer.value,
        ran=evidence.program_ran,
        logprob=evidence.mean_logprob,
        length=evidence.length,
        agreement=evidence.agreement,
        plausible=implausible(answer.value, assessment.bounds) is None,
    )


def attempt_from(outcome: Outcome, bounds: Bounds, roles: Roles) -> Attempt:
    """``bounds`` are of the outcome's question."""
    evidence = outcome.evidence
    written = sum(usage.completion for usage in outcome.tokens.values())
    return Attempt(
        route=by_role(outcome.route, roles),
        value=outcome.value,
        ran=evidence.program_ran,
        logprob=evidence.mean_logprob,
        length=written if evidence.length is None else evidence.length,
        agreement=evidence.agreement,
        plausible=implausible(outcome.value, bounds) is None,
    )


def by_role(route: str, roles: Roles) -> str:
    """The name of a route with its models' roles in place of their names."""
    strategy, opened, models = route.partition("(")
    if not opened:
        return route
    named = "+".join(roles.get(model, model) for model in models.rstrip(")").split("+"))
    return f"{strategy}({named})"


def camps(values: Sequence[str | None], form: AnswerForm) -> list[Camp]:
    """The different answers among ``values``. May take tens of milliseconds to compare expressions."""
    return [Camp(tuple(group)) for group in cluster(values, form)]
