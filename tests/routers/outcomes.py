"""Outcomes with a known truth: questions of three topics, and routes that are good at one of them."""

import random
from collections.abc import Mapping, Sequence

from agents.problem import AnswerForm
from routers.embedding import WordEmbedder
from routers.estimators.table import Table, table_of, texts_of
from routers.outcome import Outcome
from workers.usage import Usage

ROLES = {"small": "small", "large": "large"}
PARAMETERS = {"small": 0.5, "large": 1.5}
TOPICS: Mapping[str, Sequence[str]] = {
    "arithmetic": (
        "A shop sells {a} apples for {b} dollars each. How much money does it take in?",
        "Tom has {a} marbles and buys {b} bags with {a} marbles each. How many marbles has he got?",
        "A train covers {a} km in {b} hours. How many km does it cover in one hour?",
        "Each of {a} workers paints {b} fences a day. How many fences are painted in a week?",
    ),
    "geography": (
        "Which river flows through the capital of country number {a}? A. Danube B. Rhine C. Nile D. route {b}",
        "On which continent lies the highest mountain of region {a}? A. Asia B. Africa C. Europe D. zone {b}",
        "Which sea borders the coast of state {a}? A. Baltic B. Black C. Red D. sector {b}",
        "What is the capital city of the island nation {a}? A. Port B. Bay C. Cape D. harbour {b}",
    ),
    "logic": (
        "If every wumpus {a} is a tumpus and Max is a wumpus, does it follow that Max is a tumpus {b}? Yes or no?",
        "All cats {a} are quiet and no quiet thing is green {b}. Is it true that some cats are green? Yes or no?",
        "Either the lamp {a} is on or the door {b} is shut. The lamp is off. Is the door shut? Yes or no?",
        "No bird {a} is blue unless it sings {b}. Rex is a blue bird. Does Rex sing? Yes or no?",
    ),
}
FORMS: Mapping[str, AnswerForm] = {"arithmetic": "number", "geography": "choice", "logic": "yes-no"}
SKILLS: Mapping[str, Mapping[str, float]] = {
    "program(large)": {"arithmetic": 0.95, "geography": 0.15, "logic": 0.3},
    "cot(large)": {"arithmetic": 0.5, "geography": 0.4, "logic": 0.95},
    "direct(large)": {"arithmetic": 0.1, "geography": 0.95, "logic": 0.4},
    "direct(small)": {"arithmetic": 0.05, "geography": 0.5, "logic": 0.3},
}
WRITTEN = {"program": 100, "cot": 250, "direct": 40}


def synthetic(
    per_topic: int, *, skills: Mapping[str, Mapping[str, float]] = SKILLS, seed: int = 0, topics: Sequence[str] = ()
) -> list[Outcome]:
    """``per_topic`` questions of each topic on every route."""
    draw = random.Random(seed)
    made = []
    for topic in topics or TOPICS:
        for number in range(per_topic):
            text = draw.choice(TOPICS[topic]).format(a=draw.randint(2, 99), b=draw.randint(2, 99))
            for route, chances in skills.items():
                made.append(_outcome(f"{topic}/{number}", topic, text, route, draw.random() < chances[topic], draw))
    return made


def _outcome(question: str, topic: str, text: str, route: str, correct: bool, draw: random.Random) -> Outcome:
    strategy, model = route.rstrip(")").split("(")
    written = int(WRITTEN[strategy] * draw.uniform(0.7, 1.3))
    return Outcome(
        id=question,
        question=text,
        family=topic,
        split_key=question,
        form=FORMS[topic],
        route=route,
        value="right" if correct else "wrong",
        correct=correct,
        tokens={model: Usage(prompt=len(text.split()) * 2, completion=written)},
        seconds=0.0,
    )


def table(outcomes: Sequence[Outcome], embedder: WordEmbedder) -> Table:
    return table_of(outcomes, embedder.embed_blocking(texts_of(outcomes)), ROLES, PARAMETERS)


def flat(skill: float = 0.5) -> dict[str, dict[str, float]]:
    """Routes between which nothing about the question tells."""
    return {route: dict.fromkeys(TOPICS, skill) for route in SKILLS}
