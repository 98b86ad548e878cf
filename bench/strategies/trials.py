"""Which strategies are measured on which questions, and with what in common so that they can be compared."""

from collections.abc import Callable
from dataclasses import dataclass

from agents.code import CodeOptions
from agents.sampling import Format
from bench.questions import Question
from orchestrator.settings import Settings
from orchestrator.settings_strategies import VerifierName

TEMPERATURE = 0.7
TOP = 5
"""Alternatives of every token in the pool: enough for confidences, and a quarter of what twenty take to store."""

SINGLE = "single sample"

_LOGIC = {
    "boolean_expressions",
    "logical_deduction_three_objects",
    "logical_deduction_five_objects",
    "logical_deduction_seven_objects",
    "navigate",
    "temporal_sequences",
    "tracking_shuffled_objects_three_objects",
    "tracking_shuffled_objects_five_objects",
    "tracking_shuffled_objects_seven_objects",
    "web_of_lies",
}


@dataclass(frozen=True, slots=True)
class Preparation:
    """What the settings say of how a strategy solves: fields as in ``Trial``."""

    format: Format
    plain: bool = True
    verifier: VerifierName = "none"


@dataclass(frozen=True, slots=True)
class Trial:
    """A strategy as it is measured. ``format`` is how its samples are written, ``sampled`` whether another seed gives
    another answer, and ``seeds`` how many it is given at least; ``temperature`` None is the strategy's own. ``plain``:
    whether ``logic`` may read sentences without the model; ``verifier`` what chooses among the answers of ``parallel``;
    ``called`` is its name where that is not the strategy's."""

    strategy: str
    format: Format = "cot"
    sampled: bool = False
    seeds: int = 1
    temperature: float | None = None
    plain: bool = True
    verifier: VerifierName = "none"
    called: str = ""

    @property
    def name(self) -> str:
        if self.verifier != "none":
            return f"{self.strategy} with {self.verifier}"
        return self.called or (f"{self.strategy} of programs" if self.format == "program" else self.strategy)

    @property
    def preparation(self) -> Preparation:
        """Trials that share it run under the same settings."""
        return Preparation(self.format, self.plain, self.verifier)


@dataclass(frozen=True, slots=True)
class Kind:
    """A data set and what is tried on it. ``pools`` are the formats in which its samples are drawn: every strategy is
    set beside the votes of each, and costs are in samples of the first one. None where single answers cannot vote."""

    dataset: str
    trials: tuple[Trial, ...]
    pools: tuple[Format, ...] = ("cot",)
    wanted: Callable[[Question], bool] = lambda question: True


def _easy(question: Question) -> bool:
    return isinstance(question.level, int) and question.level <= 3


def _logical(question: Question) -> bool:
    return question.subtask in _LOGIC


_VOTING = (
    Trial("self-consistency", sampled=True),
    Trial("confidence", sampled=True),
    Trial("short-m", sampled=True),
    Trial("parallel", sampled=True),
    Trial("parallel", sampled=True, verifier="judge"),
    Trial("consensus"),
)
_DRAFTING = (Trial("refine", sampled=True), Trial("plan"), Trial("critique"))
_CHECKED = Trial("parallel", sampled=True, verifier="constraints")
_COMPUTING = (Trial("plan-tools"), Trial("tool-loop"), Trial("toolmaker"), Trial("tools"), _CHECKED)
_PROGRAMS = (Trial("program"), Trial("self-consistency", "program", sampled=True))
# What verified resampling draws, without the verifying: three seeds of one short answer are cheap.
_SINGLE = Trial("direct", sampled=True, seeds=3, temperature=CodeOptions().temperature, called=SINGLE)
# What the models have part in, where a grammar reads all or nothing.
_TRANSLATED = Trial("logic", sampled=True, plain=False, called="logic by translation")
_ENTAILED = Trial("parallel", sampled=True, verifier="entailment")
_LOGICAL = (Trial("cot"), Trial("self-consistency", sampled=True), Trial("logic", sampled=True), _TRANSLATED, _ENTAILED)

KINDS = (
    Kind(
        "gsm8k_test", (Trial("cot"), *_PROGRAMS, *_VOTING, *_DRAFTING, *_COMPUTING, Trial("auto")), ("cot", "program")
    ),
    Kind("math500", (Trial("cot"), *_PROGRAMS, *_VOTING, *_DRAFTING, *_COMPUTING), ("cot", "program"), _easy),
    Kind("humaneval", (Trial("direct"), _SINGLE, Trial("code", sampled=True)), ()),
    Kind("proofwriter", _LOGICAL),
    Kind("prontoqa", _LOGICAL),
    Kind("folio", (*_LOGICAL, Trial("plan"), Trial("critique"))),
    Kind("bbh", (*_LOGICAL, Trial("program"), Trial("plan"), Trial("short-m", sampled=True)), ("cot",), _logical),
    Kind("umwp", (Trial("cot"), Trial("auto")), ()),
)


def prepared(settings: Settings, samples: int, how: Preparation) -> Settings:
    """The settings with every voting strategy drawing from the same pool of ``samples``."""
    shared = {"temperature": TEMPERATURE, "format": how.format}
    options = settings.strategies
    update = {
        "self_consistency": options.self_consistency.model_copy(update={**shared, "n": samples, "at_once": 1}),
        "confidence": options.confidence.model_copy(
            update={**shared, "n": samples, "warmup": max(1, samples // 2), "top": TOP, "top_p": 1.0}
        ),
        "short_m": options.short_m.model_copy(
            update={**shared, "k": min(5, samples), "m": min(options.short_m.m, samples)}
        ),
        "logic": options.logic.model_copy(update={"plain": how.plain}),
        "parallel": options.parallel.model_copy(update={"n": min(5, samples), "top": TOP}),
        "verifier": how.verifier,
    }
    return settings.model_copy(update={"strategies": options.model_copy(update=update)})
