"""What a run leaves to learn from, stored with its outcome."""

from collections.abc import Collection

from pydantic import BaseModel, ConfigDict

from orchestrator.playbook.recollection import OnTrial, Recollection
from orchestrator.state import RunState
from routers.policy import Accept


class Lesson(BaseModel):
    """``used`` are the ids of the entries that the run used: behaviours and examples only where a model that was given
    them wrote an attempt. ``writer`` wrote the first attempt, whose final answer is ``first``; ``proven`` says that the
    answer was taken on a recipe's word, so that nothing is known about it."""

    model_config = ConfigDict(frozen=True)

    topic: str | None = None
    used: tuple[str, ...] = ()
    on_trial: OnTrial | None = None
    writer: str
    first: str | None
    proven: bool = False


def lesson_of(state: RunState) -> Lesson | None:
    """None where the playbook was not asked."""
    recollection = state.get("recollection")
    if recollection is None or not recollection.asked or not state["attempts"] or state.get("asked") is not None:
        return None
    attempts = state["attempts"]
    supported = isinstance(state["verdict"], Accept) and state["verdict"].supported
    return Lesson(
        topic=recollection.topic,
        used=_used(recollection, {attempt.model for attempt in attempts}),
        on_trial=recollection.on_trial,
        writer=attempts[0].model,
        first=attempts[0].value,
        proven=recollection.on_its_word(len(attempts), supported),
    )


def _used(recollection: Recollection, wrote: Collection[str]) -> tuple[str, ...]:
    """What of it these models may have read."""
    given = {"behaviour": recollection.writers, "example": recollection.pupils}
    return tuple(
        entry.id
        for entry in recollection.used
        if entry.kind == "recipe" or any(model in wrote for model in given[entry.kind])
    )
