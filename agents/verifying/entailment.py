"""Step by step: does each step of a derivation follow from what is given and from the steps before it?

After VeriCoT (Feng et al. 2025), section 3: premises and steps are translated into logic, and a solver says of every
step whether it is entailed, contradicted or neither; the first one that fails is named.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from agents.events import Verdict
from agents.formalise import formalised
from agents.problem import Answer, Problem
from agents.strategy import SolveContext
from tools.verifiers.logic.controlled_english import read_all
from tools.verifiers.logic.formula import Formula
from tools.verifiers.logic.prover import Decision, decide
from tools.verifiers.logic.question import find_logic
from tools.verifiers.logic.theory import Theory, well_typed

Standing = Literal["entailed", "contradicted", "ungrounded", "unread"]
"""``ungrounded``: neither it nor its opposite follows; ``unread``: its translation is no formula or uses a name for two
things, or time ran out."""

_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_NUMBERING = re.compile(r"^(?:step\s*)?\d+[.):]\s*|^[-*#]+\s*", re.IGNORECASE)
_FINAL = re.compile(r"\\boxed|\b(?:answer|statement) is\b", re.IGNORECASE)
_MOST_STEPS = 16


@dataclass(frozen=True, slots=True)
class Step:
    """One sentence of a derivation and how it stands."""

    text: str
    standing: Standing


class Entailment:
    """Scores derivations of questions that say what is given; for others it cannot tell."""

    name = "entailment"

    async def score(self, problem: Problem, answer: Answer, context: SolveContext) -> float | None:
        """0 if a step contradicts what is given, else the share of entailed steps among those that could be read."""
        steps = await self.steps(problem, answer, context)
        read = [step for step in steps if step.standing != "unread"]
        if not read:
            return None
        failing = next((step for step in read if step.standing != "entailed"), None)
        await context.emit(
            Verdict(
                verifier=self.name,
                accepted=failing is None,
                reason=f"all {len(read)} steps follow" if failing is None else f"{failing.standing}: {failing.text}",
            )
        )
        if any(step.standing == "contradicted" for step in read):
            return 0.0
        return sum(step.standing == "entailed" for step in read) / len(read)

    async def steps(self, problem: Problem, answer: Answer, context: SolveContext) -> tuple[Step, ...]:
        """Every step with its standing; empty where the question has no premises or the answer no steps."""
        question = await asyncio.to_thread(find_logic, problem.question)
        sentences = steps_in(answer.text)
        if question is None or not sentences:
            return ()
        sampling = replace(problem.sampling, max_tokens=context.step_tokens, stop=())
        said = (*question.premises, *sentences)
        formulas, _ = await formalised(said, await asyncio.to_thread(read_all, said), context, sampling)
        given, claimed = formulas[: len(question.premises)], formulas[len(question.premises) :]
        decisions = await self._decisions(given, claimed, context)
        return tuple(Step(text, _standing(decision)) for text, decision in zip(sentences, decisions, strict=True))

    async def _decisions(
        self, given: Sequence[Formula | None], claimed: Sequence[Formula | None], context: SolveContext
    ) -> list[Decision | None]:
        """A decision for each claim, all in one visit to the sandbox; None for what could not be read."""
        known = [formula for formula in given if formula is not None]
        theories: list[Theory | None] = []
        for claim in claimed:
            theory = _theory(known, claim)
            theories.append(theory)
            if theory is not None:
                # A step stands on the earlier ones; a wrong one is named there and not again in all that follow it.
                known.append(theory.conclusion)
        read = [theory for theory in theories if theory is not None]
        decided = iter(await decide(context.sandbox, context.limits, read) if read else ())
        return [None if theory is None else next(decided) for theory in theories]


def _theory(known: Sequence[Formula], claim: Formula | None) -> Theory | None:
    theory = None if claim is None else Theory(tuple(known), claim)
    return theory if theory is not None and well_typed(theory) else None


def steps_in(text: str) -> tuple[str, ...]:
    """The sentences of a derivation, without numbering and without the final verdict, at most 16."""
    found = [_NUMBERING.sub("", sentence).strip() for sentence in _SENTENCE.split(text)]
    kept = [s for s in found if len(s.split()) > 2 and not s.endswith((":", "?")) and not _FINAL.search(s)]
    return tuple(kept[:_MOST_STEPS])


def _standing(decision: Decision | None) -> Standing:
    match decision:
        case "true":
            return "entailed"
        case "false":
            return "contradicted"
        case "uncertain":
            return "ungrounded"
        case _:
            return "unread"
