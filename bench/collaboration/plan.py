"""Which policies at which settings on which questions the collaboration benchmark compares."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.questions import Question
from workers.collaboration.protocol import Option

ALONE = ("small", "large")
"""The policies that never hand over: both ends of the line."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One policy with the options that differ from its defaults. ``draft`` is what drafts in the large model's engine
    and is verified there; "" where nothing does."""

    policy: str
    options: tuple[tuple[str, Option], ...] = ()
    draft: str = ""

    @property
    def label(self) -> str:
        """For example "threshold=0.5"; "" for the defaults."""
        drafts = (("draft", self.draft),) if self.draft else ()
        return " ".join(f"{name}={value}" for name, value in (*self.options, *drafts))

    @property
    def name(self) -> str:
        return f"{self.policy} {self.label}".strip()

    @property
    def by_head(self) -> bool:
        """Whether a trained head has a say, where there is one."""
        return self.policy == "divergence" and bool(dict(self.options).get("use_head", True))


@dataclass(frozen=True, slots=True)
class Part:
    """The first ``rows`` questions of a data set."""

    dataset: str
    rows: int


PARTS = (Part("gsm8k_test", 40), Part("math500", 20))
TIMED = (Part("gsm8k_test", 3), Part("math500", 3))
_HARDEST = 3


def wanted(question: Question) -> bool:
    """Levels 1 to 3 of math500, and everything that has no level of that kind."""
    return not question.id.startswith("math500") or int(question.level or 0) <= _HARDEST


def setting(policy: str, **options: Option) -> Setting:
    return Setting(policy, tuple(options.items()))


def settings_of_policies(with_head: bool) -> tuple[Setting, ...]:
    """Three points of every policy with a knob. ``with_head``: a head was trained for the pair; its ablation, which
    judges by entropy alone, is measured in any case, and at two points where it is all there is."""
    entropy = [setting("entropy", threshold=threshold) for threshold in (0.3, 0.5, 0.8)]
    leader = [setting("leader", gate=gate) for gate in (0.3, 0.6, 1.0)]
    head = [setting("divergence"), *(setting("divergence", threshold=at) for at in (0.5, 0.8)), _by_entropy(0.45)]
    divergence = head if with_head else [_by_entropy(0.45), _by_entropy(0.9)]
    others = [setting("stepwise"), setting("stepwise", threshold=8.0), setting("reflection"), setting("hawkeye")]
    return (*map(setting, ALONE), *entropy, *leader, *divergence, *others)


def ablations() -> tuple[Setting, ...]:
    """What tells why the policies do as they do, beside both models alone: whether it is the single token or the
    stretch that makes ``divergence`` by entropy better than ``entropy``, the latter at a larger share; the strictest
    grade, and mean grades at two thresholds; and entropy alone at the shares of large tokens that the head takes at
    two thresholds."""
    token = [setting("entropy", threshold=0.45, window=window, stay=1) for window in (1, 5)]
    # The default pair's mean grades lie between 4 and 6.1: of 68 steps 53 reach 5.0, and 19 reach 5.5.
    averages = [setting("stepwise", threshold=threshold, score="average") for threshold in (5.0, 5.5)]
    steps = [setting("stepwise", threshold=9.0), *averages]
    at_the_heads_shares = [_by_entropy(0.2), _by_entropy(0.33)]
    return (*map(setting, ALONE), *token, setting("entropy", threshold=0.15), *steps, *at_the_heads_shares)


def one_of_each(with_head: bool) -> tuple[Setting, ...]:
    """One point of every policy, the one it is used at, and of a head's ablation: for a first look, or where time is
    short."""
    return (
        *map(setting, ALONE),
        setting("entropy", threshold=0.5),
        setting("leader", gate=1.0),
        *((setting("divergence"),) if with_head else ()),
        _by_entropy(0.45),
        *map(setting, ("stepwise", "reflection", "hawkeye")),
    )


def _by_entropy(even: float) -> Setting:
    return setting("divergence", use_head=False, even_entropy=even)


def only(settings: Sequence[Setting], policies: Sequence[str]) -> tuple[Setting, ...]:
    """Those of ``policies``, and both models alone: without them there is no line."""
    return tuple(one for one in settings if not policies or one.policy in (*ALONE, *policies))
