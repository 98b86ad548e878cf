"""What the playbook keeps: entries with their measured outcomes, and the topics that they belong to."""

import hashlib
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, model_validator

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
WORKED_EXAMPLES = 2
"""How many examples a recipe may have."""


def _name(text: str) -> str:
    return plain(text, NAME_CHARACTERS)


def _text(text: str, info: ValidationInfo) -> str:
    if info.data.get("kind") == "example":
        return plain_lines(text, EXAMPLE_CHARACTERS)
    return plain(text, TEXT_CHARACTERS)


def _problem(text: str) -> str:
    return plain(text, PROBLEM_CHARACTERS)


def _instruction(text: str) -> str:
    return plain(text, TEXT_CHARACTERS)


def _solution(text: str) -> str:
    return plain_lines(text, EXAMPLE_CHARACTERS)


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Worked(_Kept):
    """A problem and a solution of it, quoted from a run that was right."""

    problem: Annotated[str, AfterValidator(_problem)]
    solution: Annotated[str, AfterValidator(_solution)]


class Setup(_Kept):
    """What a recipe gives the models that write on its route, and nobody else. ``options`` are the strategy's own, as
    in a request; ``instruction`` is one sentence and ``examples`` are solved problems, before the question;
    ``temperature`` is that of an attempt, where the strategy has none of its own, and ``tokens`` bounds one call."""

    options: dict[str, Option] = Field(default_factory=dict, max_length=16)
    instruction: Annotated[str, AfterValidator(_instruction)] = ""
    examples: tuple[Worked, ...] = Field(default=(), max_length=WORKED_EXAMPLES)
    temperature: float | None = Field(default=None, ge=0, le=2)
    tokens: int | None = Field(default=None, ge=16, le=8192)

    @property
    def in_prompts(self) -> bool:
        """Whether anything of it stands in a prompt."""
        return bool(self.instruction or self.examples)


class Recipe(Setup):
    """A complete strategy. ``models`` are roles (``small``, ``large``) or configured names; the writer comes first."""

    strategy: str = Field(min_length=1, max_length=64)
    models: tuple[str, ...] = Field(min_length=1, max_length=4)

    @property
    def name(self) -> str:
        """Like a route's: ``program(small)``, with what is unusual behind it. Of texts it has a digest, so that no two
        recipes have the same name."""
        texts = [self.instruction, *(text for worked in self.examples for text in (worked.problem, worked.solution))]
        count = len(self.examples)
        said = [f"{count} example{'s' * (count > 1)}"] if count else []
        said += ["instruction"] if self.instruction else []
        digest = [f"#{hashlib.sha256(chr(0).join(texts).encode()).hexdigest()[:8]}"] if said else []
        numbers = {**self.options, "temperature": self.temperature, "tokens": self.tokens}
        extra = [f"{key}={value}" for key, value in sorted(numbers.items()) if value is not None]
        return " ".join([f"{self.strategy}({'+'.join(self.models)})", *digest, *said, *extra])

    @property
    def setup(self) -> dict[str, Any]:
        """All but the route, by name."""
        return {name: getattr(self, name) for name in Setup.model_fields}


class Evidence(_Kept):
    """What speaks for and against an entry beside its plain counts; see ``orchestrator.playbook.evidence``.

    ``gains`` and ``losses`` are natural-log capitals, one for each thing that is bet on and each bet, and ``pooled``
    are the gains of those outcomes that count for the same recipe in other topics too; ``edge`` is the sum of the
    differences in right answers against the default, over ``compared`` outcomes.
    """

    gains: tuple[float, ...] = ()
    losses: tuple[float, ...] = ()
    pooled: tuple[float, ...] = ()
    edge: float = 0.0
    compared: int = Field(default=0, ge=0)


class Entry(_Kept):
    """A recipe, a behaviour or an example of one owner.

    ``text`` is a behaviour's instruction, an example's solution, or one sentence on a recipe, whose name is also the
    entry's; ``problem`` a typical question that it is for, by which it is found: an example's own. ``pair`` is the
    digest of the model pair and ``version`` that of the prompts and settings it was measured with. ``wins`` of
    ``trials`` outcomes were right; ``tokens`` and ``cost`` are sums over the trials (cost in parameter-weighted tokens,
    see ``routers.cost``). ``alone_wins`` of ``alone_trials`` were a recipe's whose model had nothing learned in its
    prompt. ``rank`` is its number among the candidates of its kind in its topic, from 1: later ones need more evidence.
    Times are Unix seconds.
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
    alone_wins: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    alone_trials: int = Field(default=0, ge=0)
    evidence: Evidence = Evidence()
    created: float
    used: float
    provenance: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _named_by_its_recipe(self) -> "Entry":
        if self.recipe is not None:
            object.__setattr__(self, "name", _name(self.recipe.name))
        return self

    @property
    def win_rate(self) -> float:
        """Mean of the Beta posterior over its win rate, from a uniform prior."""
        return (self.wins + 1) / (self.trials + 2)

    def quotes(self, question: str) -> bool:
        """Whether an example of it would answer this very question."""
        asked = plain(question, PROBLEM_CHARACTERS)
        if self.recipe is not None:
            return any(worked.problem == asked for worked in self.recipe.examples)
        return self.kind == "example" and self.problem == asked


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """A topic's entries by kind, each kind as it was proposed: what models are shown and chance decides of them must
    follow from the questions alone, not from ids or from the order in which a search finds what is equally near. Only
    where an import left the same twice do ids decide, so that a run that is resumed chooses the same."""
    return sorted(entries, key=lambda entry: (entry.kind, entry.rank, entry.name, entry.id))


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
