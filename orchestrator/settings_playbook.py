"""Settings of the playbook."""

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.playbook.evidence import Stakes
from orchestrator.settings_addresses import RedisAddress


class PlaybookSettings(BaseModel):
    """What worked is kept and recalled for similar problems of the same owner; nothing that was learned is used before
    it has beaten the default, except in the share ``explore`` of the runs and in trials behind the scenes.

    ``behaviours`` and ``examples`` are how many go into a prompt at most. The small model gets them where it is known,
    from ``attempts`` of its own, to be right less often than ``badly``; the large one gets behaviours everywhere and
    examples nowhere. Of the runs that would use a promoted entry the share ``control`` goes without, so that it is
    noticed when it stops helping; for the same reason the share ``recheck`` of the runs that used promoted behaviours
    or examples is repeated behind the scenes, with one of them and without. ``shadow`` is how many trials of candidates
    behind the scenes follow a run, while no run is under way; 0 turns off all of that.
    ``recall_milliseconds`` is how long a run waits for the playbook. ``near`` and ``akin`` are similarities: of a
    topic's questions, and of questions that are like something seen. ``recipes`` are the routes proposed for every
    topic first; the large model proposes more, and distils behaviours, after every ``consolidate`` runs of a topic (0:
    never), at most ``candidates`` of a kind on trial at once. ``entries`` of a kind are kept for an owner, each for
    ``days`` after it was last of use. ``url`` is a Redis of its own for the playbook.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    behaviours: int = Field(default=5, ge=0, le=20)
    examples: int = Field(default=1, ge=0, le=5)
    badly: float = Field(default=0.7, ge=0, le=1)
    attempts: int = Field(default=5, ge=1)
    explore: float = Field(default=0.0, ge=0, le=1)
    control: float = Field(default=0.05, ge=0, le=0.5)
    recheck: float = Field(default=0.2, ge=0, le=1)
    shadow: int = Field(default=1, ge=0, le=10)
    recall_milliseconds: float = Field(default=50, gt=0)
    near: float = Field(default=0.5, ge=-1, le=1)
    akin: float = Field(default=0.3, ge=-1, le=1)
    recipes: tuple[str, ...] = ("program(large)", "direct(large)", "program(small)")
    consolidate: int = Field(default=10, ge=0)
    candidates: int = Field(default=6, ge=1)
    entries: int = Field(default=10_000, ge=10)
    days: float = Field(default=180, gt=0)
    url: RedisAddress = ""
    guard: Stakes = Stakes()
