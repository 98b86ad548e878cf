"""What became of one attempt at one question: what routers and acceptance are trained on and judged by."""

from pydantic import BaseModel, ConfigDict

from agents.problem import AnswerForm, Evidence
from workers.usage import Usage


class Outcome(BaseModel):
    """One attempt of ``route`` (a name like ``program(large)``) with ``seed`` (0 is the route's own sampling, mostly
    greedy). ``family`` names the data set or the kind of problem; questions with one ``split_key`` must stay on one
    side of a split. ``tokens`` by model; ``seconds`` of wall time, of a benchmark's attempt those of its generations
    when they were made; ``value`` is None where no answer came.

    ``correct`` is a verdict: against a key on benchmark questions, from a verifier or a reader's feedback on runs.
    ``build`` names what decides the answer beside these: the models' digests and their engines' builds.
    ``question`` is empty where the owner did not consent to keep it; such an outcome counts, but has no neighbours.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    question: str
    family: str
    split_key: str
    form: AnswerForm
    route: str
    seed: int = 0
    value: str | None
    correct: bool
    tokens: dict[str, Usage]
    seconds: float
    evidence: Evidence = Evidence()
    build: str = ""
    source: str = "bench"
    created: float = 0.0
