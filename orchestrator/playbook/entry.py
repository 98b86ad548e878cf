"""What the playbook keeps: entries with their measured outcomes, and the topics that they belong to."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

from agents.problem import AnswerForm
from orchestrator.playbook.text import (
    EXAMPLE_CHARACTERS,
    NAME_CHARACTERS,
    PROBLEM_CHARACTERS,
    TEXT_CHARACTERS,
    plain,
    plain_lines,
)
from workers.collaboration.protocol import Option

Kind = Literal["recipe", "behaviour", "example"]
Status = Literal["candidate", "promoted", "demoted", "disabled"]
KINDS: tuple[Kind, ...] = ("recipe", "behaviour", "example")
STATUSES: tuple[Status, ...] = ("candidate", "promoted", "demoted", "disabled")
PROVENANCE = 20
"""How many run ids an entry keeps, the newest."""


def _name(text: str) -> str:
    return plain(text, NAME_CHARACTERS)


def _text(text: str, info: ValidationInfo) -> str:
    if info.data.get("kind") == "example":
        return plain_lines(text, EXAMPLE_CHARACTERS)
    return plain(text, TEXT_CHARACTERS)


def _problem(text: str) -> str:
    return plain(text, PROBLEM_CHARACTERS)


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Recipe(_Kept):
    """A complete strategy. ``models`` are roles (``small``, ``large``) or configured names; the writer comes first.
    ``options`` are the strategy's own, as in a request."""

    strategy: str = Field(min_length=1, max_length=64)
    models: tuple[str, ...] = Field(min_length=1, max_length=4)
    options: dict[str, Option] = Field(default_factory=dict, max_length=16)

    @property
    def name(self) -> str:
        """Like a route's: ``program(small)``, with what is unusual behind it."""
        extra = "".join(f" {key}={value}" for key, value in sorted(self.options.items()))
        return f"{self.strategy}({'+'.join(self.models)}){extra}"


class Evidence(_Kept):
    """What speaks for and against an entry beside its plain counts; see ``orchestrator.playbook.evidence``.

    ``gains`` and ``losses`` are natural-log capitals, one for each thing that is bet on and each bet; ``edge`` is the
    sum of the differences in right answers against the default, over ``compared`` outcomes.
    """

    gains: tuple[float, ...] = ()
    losses: tuple[float, ...] = ()
    edge: float = 0.0
    compared: int = Field(default=0, ge=0)


class Entry(_Kept):
    """A recipe, a behaviour or an example of one owner.

    ``text`` is a behaviour's instruction, an example's solution, or one sentence on a recipe; ``problem`` a typical
    question that it is for, by which it is found: an example's own. ``pair`` is the digest of the model pair and
    ``version`` that of the prompts it was measured with. ``wins`` of ``trials`` outcomes were right; ``tokens`` and
    ``cost`` are sums over the trials (cost in parameter-weighted tokens, see ``routers.cost``). ``rank`` is its number
    among the candidates of its kind in its topic, from 1: later ones need more evidence. Times are Unix seconds.
    """

    id: str = Field(pattern=r"^[0-9a-f]{32}$")
    owner: str
    kind: Kind
    name: Annotated[str, AfterValidator(_name)]
    text: Annotated[str, AfterValidator(_text)] = ""
    recipe: Recipe | None = None
    problem: Annotated[str, AfterValidator(_problem)]
    topic: str
    form: AnswerForm
    pair: str
    version: str
    status: Status = "candidate"
    pinned: bool = False
    rank: int = Field(default=1, ge=1)
    wins: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    trials: int = Field(default=0, ge=0)
    tokens: int = Field(default=0, ge=0)
    cost: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    evidence: Evidence = Evidence()
    created: float
    used: float
    provenance: tuple[str, ...] = ()

    @property
    def win_rate(self) -> float:
        """Mean of the Beta posterior over its win rate, from a uniform prior."""
        return (self.wins + 1) / (self.trials + 2)

    def quotes(self, question: str) -> bool:
        """Whether it is an example that would answer this very question."""
        return self.kind == "example" and self.problem == plain(question, PROBLEM_CHARACTERS)


class Topic(_Kept):
    """A kind of problem of one owner, and how the default does on it.

    ``problem`` is the question that it began with, or a later one where that was deleted; empty where all were.
    ``wins`` of ``trials`` runs without the playbook were right, at ``cost`` in sum; ``writers`` maps a model to (wins,
    trials) of its own first attempts, ``routes`` a route's name to (wins, trials, cost) of the runs that it ended.
    ``candidates`` counts the entries ever proposed, by kind.
    """

    id: str
    owner: str
    problem: str
    form: AnswerForm
    seen: int = 0
    wins: float = 0.0
    trials: int = 0
    tokens: int = 0
    cost: float = 0.0
    writers: dict[str, tuple[float, int]] = {}
    routes: dict[str, tuple[float, int, float]] = {}
    candidates: dict[str, int] = {}
    created: float
    used: float

    def does_badly(self, model: str, below: float, least: int) -> bool:
        """Whether ``model`` is known, from at least ``least`` attempts of its own, to be right less often than
        ``below`` (AdaptMI: examples and instructions help there, and harm where it does well)."""
        wins, trials = self.writers.get(model, (0.0, 0))
        return trials >= least and (wins + 1) / (trials + 2) < below


class Found(_Kept):
    """An entry with the cosine similarity (-1 to 1) of the problem it is about."""

    entry: Entry
    similarity: float


class UnknownEntry(Exception):
    """No entry of that id belongs to that owner. Doors answer with a 404."""


class Listing(_Kept):
    """Entries, the most valuable first; ``after`` is given back for the next page, None on the last."""

    entries: tuple[Entry, ...]
    after: str | None = None
