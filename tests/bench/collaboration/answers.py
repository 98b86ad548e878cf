"""Answers as the collaboration benchmark sees them, made up."""

from itertools import pairwise
from typing import Literal

from bench.collaboration.costs import EngineCosts
from bench.collaboration.line import Outcome
from bench.collaboration.rows import Graded, Sizes
from bench.collaboration.traces import BenchPair, Trace
from bench.questions import Question
from bench.record import Row
from orchestrator.settings import EngineSettings, ModelSettings, Settings
from workers.engines.scripted.script import Script, say
from workers.usage import Usage

PAIR = BenchPair(small="small", large="large", small_sha256="a", large_sha256="b", build="x", head="")
SIZES = Sizes(PAIR, 0.5, 1.5)
SCRIPT = Script(context=2048, default=say("It is one. So the answer is \\boxed{1}.", continues=True))
COSTS = {
    "small": EngineCosts(decode=0.02, read={1: 0.02, 100: 0.002}),
    "large": EngineCosts(decode=0.08, read={1: 0.08, 100: 0.008}),
}


def question(number: int) -> Question:
    return Question(id=f"gsm8k_test/{number}", question=f"{number}?", answer="1", kind="math", answer_type="number")


def trace(
    authors: str, *, seconds: float = 1.0, usage: dict[str, Usage] | None = None, grades: tuple[float, ...] = ()
) -> Trace:
    return Trace(
        text="",
        authors=authors,
        handovers=sum(a != b for a, b in pairwise(authors)),
        usage=usage or {"small": Usage(completion=authors.count("s")), "large": Usage(completion=authors.count("l"))},
        calls={"small": 1, "large": 1},
        reason="stop",
        seconds=seconds,
        costs=COSTS,
        grades=grades,
    )


def graded(authors: str, right: int, n: int = 10) -> list[Graded]:
    return [Graded(question(number), trace(authors), number < right) for number in range(n)]


def row(system: str, accuracy: float, share: float, label: str = "") -> Row:
    bounds = {"above_line": 0.0, "above_line_low": -0.1, "above_line_high": 0.1}
    return Row(
        system=system,
        setting=label,
        dataset="all",
        n=10,
        seeds=[0],
        accuracy=accuracy,
        ci95=(0.0, 1.0),
        tokens={},
        large_share=share,
        cost=1.0,
        seconds=1.0,
        extra={**bounds, "mixing_share": share},
    )


def outcomes_with(right: int, share: int, n: int = 100) -> list[Outcome]:
    return [Outcome(index < right, 100, share) for index in range(n)]


def settings_of(url: str) -> Settings:
    def model(role: Literal["small", "large"], parameters: float) -> ModelSettings:
        return ModelSettings(role=role, parameters=parameters, engine=EngineSettings(url=url))

    return Settings(models={"small": model("small", 0.5), "large": model("large", 1.5)})
