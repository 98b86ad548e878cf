"""What was learned, at work: the problem as it is put to a strategy, and the models that it is put to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from agents.briefing import briefed, shown_how
from agents.problem import Problem
from agents.strategy import SolveContext
from orchestrator.playbook.entry import Setup
from orchestrator.playbook.recollection import Recollection
from orchestrator.runs import RunRequest

_Text = tuple[str, str]


def posed(problem: Problem, setup: Setup, request: RunRequest) -> Problem:
    """The problem as a recipe has it; what the caller asks for goes before."""
    sampling = problem.sampling
    if setup.temperature is not None and request.temperature is None:
        sampling = replace(sampling, temperature=setup.temperature)
    return problem.model_copy(update={"options": {**setup.options, **problem.options}, "sampling": sampling})


def equipped(work: SolveContext, setup: Setup, recollection: Recollection, question: str) -> SolveContext:
    """What an attempt works with: behaviours and examples for those whom the recollection names, and what is the
    recipe's own for the writers of its route."""
    own = [(worked.problem, worked.solution) for worked in setup.examples]
    examples = _for_each(recollection.examples, recollection.pupils, own, work.writers)
    told = [("", setup.instruction)] if setup.instruction else []
    behaviours = _for_each(recollection.behaviours, recollection.writers, told, work.writers)
    models = briefed(shown_how(work.models, question, examples), question, behaviours)
    step_tokens = work.step_tokens if setup.tokens is None else min(work.step_tokens, setup.tokens)
    return replace(work, models=models, step_tokens=step_tokens)


def _for_each(
    common: Sequence[_Text], readers: Iterable[str], own: Sequence[_Text], writers: Iterable[str]
) -> Mapping[str, Sequence[_Text]]:
    """By model; what is both common and a recipe's own stands there once."""
    given = dict.fromkeys(readers, tuple(common))
    for model in writers:
        given[model] = tuple(dict.fromkeys((*given.get(model, ()), *own)))
    return given
