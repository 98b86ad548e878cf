"""Which part of all that could be measured a run measures."""

from dataclasses import dataclass, replace
from pathlib import Path

from bench.questions import NoQuestions, Question, spread_questions
from bench.strategies.trials import KINDS, Kind, Trial
from orchestrator.settings import Settings

# More samples of the large model cost more time than a benchmark has.
_LARGE_SAMPLES = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run. ``rows`` of each data set; pools of ``samples`` for each of ``seeds`` seeds; ``only`` these
    strategies (empty: all)."""

    data: Path
    cache: Path
    results: Path
    datasets: tuple[str, ...]
    models: tuple[str, ...]
    only: tuple[str, ...]
    rows: int
    samples: int
    seeds: int
    concurrency: int

    def check(self) -> None:
        """Raises ``NoQuestions``, before anything is started, for what could not be measured."""
        for kind in self.kinds():
            if not self.questions(kind):
                raise NoQuestions(f"data set {kind.dataset!r} in {self.data} has no questions of its kind")

    def kinds(self) -> list[Kind]:
        """The data sets of the plan, each with what is tried on it."""
        wanted = [kind for kind in KINDS if not self.datasets or kind.dataset in self.datasets]
        kinds = [replace(kind, trials=tuple(filter(self._wanted, kind.trials))) for kind in wanted]
        return [kind for kind in kinds if kind.trials]

    def questions(self, kind: Kind) -> list[Question]:
        return spread_questions(self.data, kind.dataset, self.rows, kind.wanted)

    def samples_of(self, model: str, settings: Settings) -> int:
        """How many a pool of that model has."""
        return min(self.samples, _LARGE_SAMPLES) if model == settings.named("large") else self.samples

    def _wanted(self, trial: Trial) -> bool:
        if not self.only or trial.name in self.only:
            return True
        return trial.verifier == "none" and not trial.called and trial.strategy in self.only


def asked_as(trial: Trial, model: str, settings: Settings) -> str | None:
    """The name a request gives; None for ``auto`` beside the small model, because it chooses its models itself and is
    measured once."""
    if trial.strategy != "auto":
        return f"{trial.strategy}({model})"
    return "auto" if model == settings.named("large") else None
