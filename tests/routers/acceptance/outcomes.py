"""Outcomes of a made-up pair whose laws are known: each question has a difficulty, each route a skill, and a
log-probability that tells right from wrong as well as ``signal`` says."""

import math
import random

from agents.problem import Evidence
from routers.acceptance.answering import Answering
from routers.ladder import Ladder
from routers.outcome import Outcome
from routers.route import route_named
from workers.usage import Usage

PARAMETERS = {"small": 0.5, "large": 1.5}
_SKILL = {"program(small)": -0.6, "cot(small)": -0.8, "program(large)": 0.7, "cot(large)": 0.6}
_DIRECT = {"direct(small)": -2.0, "direct(large)": -0.5}
_LENGTH = {
    "program(small)": 140,
    "cot(small)": 250,
    "program(large)": 100,
    "cot(large)": 260,
    "direct(small)": 15,
    "direct(large)": 20,
}


def made_up(
    questions: int,
    seed: int = 0,
    signal: float = 1.0,
    variants: int = 1,
    direct: bool = False,
    family: str = "made-up",
    wording: str = "How much are {0} and {1} together?",
) -> list[Outcome]:
    """``variants`` questions in a row share a split key; ``direct`` adds the routes that answer at once."""
    skills = _SKILL | _DIRECT if direct else _SKILL
    chance = random.Random(seed)
    found = []
    for number in range(questions):
        ease = chance.gauss(0.0, 1.0)
        for route, skill in skills.items():
            right = ease + skill + chance.gauss(0.0, 0.7) > 0
            model = route[:-1].split("(")[1]
            wrong = str(1000 + chance.randrange(6))
            found.append(
                Outcome(
                    id=f"{family}/{number:04}",
                    question=wording.format(number, number + 1),
                    family=family,
                    split_key=f"{family}/{number // variants:04}",
                    form="number",
                    route=route,
                    value="7" if right else wrong,
                    correct=right,
                    tokens={model: Usage(prompt=50, completion=_LENGTH[route])},
                    seconds=1.0,
                    evidence=Evidence(
                        program_ran=True if route.startswith("program") else None,
                        mean_logprob=-0.2 + 0.05 * (signal * (1.0 if right else -1.0) + chance.gauss(0.0, 1.0)),
                        length=_LENGTH[route],
                    ),
                )
            )
    return found


def answering() -> Answering:
    """A program whose answer is always followed where it is not sure enough: by a chain of thought, and no more."""
    program, cot = route_named("program(large)"), route_named("cot(large)")
    ladder = Ladder(
        {"medium": (program, cot)},
        talker=cot,
        clerk=program,
        enough={"program": {"medium": -math.inf}},
        agreeing=2,
        scales={},
    )
    return Answering(ladder, (program, cot), "medium", {})
