"""What the playbook gives a run, and what of it was left to chance."""

from pydantic import BaseModel, ConfigDict

from agents.events import Recalled, RecalledEntry
from agents.problem import AnswerForm
from orchestrator.playbook.entry import Entry, Setup
from routers.route import Route


class OnTrial(BaseModel):
    """The entry that this run is an outcome of: ``used`` with probability ``share``, decided by chance.
    ``default_rate`` and ``default_cost`` is what was known of the default by then. Not ``compared``: an answer taken on
    a recipe's word has no verdict to compare; trials in shadow compare it, and leaving it out only refreshes what is
    known of the default."""

    model_config = ConfigDict(frozen=True)

    entry: str
    used: bool
    share: float
    default_rate: float
    default_cost: float
    compared: bool = True


class Advice(Setup):
    """A recipe for this run. A ``proven`` one is taken at its word where it has an answer."""

    route: Route
    reason: str
    proven: bool


class Recollection(BaseModel):
    """``asked``: whether the playbook was asked at all. ``used`` are the entries that this run uses; ``behaviours``
    (name, text) go to the models ``writers``, ``examples`` (problem, solution) to the models ``pupils``."""

    model_config = ConfigDict(frozen=True)

    asked: bool = False
    topic: str | None = None
    used: tuple[RecalledEntry, ...] = ()
    advice: Advice | None = None
    behaviours: tuple[tuple[str, str], ...] = ()
    writers: tuple[str, ...] = ()
    examples: tuple[tuple[str, str], ...] = ()
    pupils: tuple[str, ...] = ()
    on_trial: OnTrial | None = None
    reason: str = ""
    problem: str | None = None

    def on_its_word(self, attempts: int, supported: bool) -> bool:
        """Whether the answer is taken on a proven recipe's word: the first attempt, which no evidence supports."""
        return self.advice is not None and self.advice.proven and attempts == 1 and not supported

    def event(self) -> Recalled | None:
        """For the trace; None where there is nothing to tell."""
        if not self.used and self.on_trial is None and self.problem is None:
            return None
        left_out = self.on_trial.entry if self.on_trial is not None and not self.on_trial.used else None
        return Recalled(
            topic=self.topic, entries=self.used, reason=self.reason, left_out=left_out, problem=self.problem
        )


NOTHING = Recollection()


class Asked(BaseModel):
    """What is asked of the playbook. Only with ``may_explore`` may anything unproven be tried; ``run`` None is for
    showing a decision without running it: nothing is left to chance then."""

    model_config = ConfigDict(frozen=True)

    owner: str
    question: str
    form: AnswerForm
    run: str | None = None
    may_explore: bool = False


def shown(entry: Entry) -> RecalledEntry:
    return RecalledEntry(
        id=entry.id,
        kind=entry.kind,
        name=entry.name,
        status=entry.status,
        win_rate=round(entry.win_rate, 3),
        trials=entry.trials,
    )
