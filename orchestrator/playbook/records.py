"""Outcomes, added to topics and entries by one script: all of a run or nothing of it, and each run once."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, cast

from pydantic import BaseModel, ConfigDict
from redis.asyncio import Redis

from orchestrator.playbook.entry import PROVENANCE
from orchestrator.playbook.evidence import Gain, increments
from orchestrator.playbook.keys import keys_of
from orchestrator.playbook.scripts import script_of


class Part(BaseModel):
    """What an outcome adds to one entry. An entry that was left out by chance has a gain and no trial: ``won`` is
    None then; without either it was used, and nobody knows whether the answer was right. ``tokens`` and ``cost`` are
    those of the whole outcome; ``alone`` is what a recipe's model won with nothing learned in its prompt; ``pooled``
    says that the gain counts for the same recipe in other topics too."""

    model_config = ConfigDict(frozen=True)

    entry: str
    won: float | None = None
    tokens: int = 0
    cost: float = 0.0
    gain: Gain | None = None
    alone: float | None = None
    pooled: bool = False

    @property
    def is_outcome(self) -> bool:
        return self.won is not None or self.gain is not None


class Records:
    """``days`` after which an entry or topic that nothing was learned of expires. What a run added is remembered for
    ``remembered`` seconds, so that it is not added twice; older runs are not to be added at all."""

    def __init__(self, redis: Redis, *, days: float = 180, remembered: int = 60 * 86_400) -> None:
        self.remembered = remembered
        self._redis = redis
        self._seconds = int(days * 86_400)
        self._script = script_of(redis, "record")

    async def add(
        self,
        owner: str,
        trial: str,
        topic: str,
        counts: Mapping[str, float],
        parts: Sequence[Part],
        run: str = "",
        *,
        word: float | None = None,
        there: bool = False,
    ) -> bool:
        """Add an outcome under the name ``trial``, a run's id or what else happens once.

        A second time under the same name adds only what has changed, as after feedback; returns whether anything did.
        ``counts`` go to the topic; ``run`` is remembered as the provenance of the entries. ``word`` is what was known
        of the run's answer. ``there`` says that the entries have what ``parts`` add, as after they were restored.
        """
        update = {
            "about": topic,
            "word": word,
            "topic": dict(sorted(counts.items())),
            "entries": [_amounts(part, run) for part in parts],
        }
        return await self._record(owner, trial, topic, json.dumps(update, sort_keys=True), there)

    async def take_back(self, owner: str, trial: str) -> list[str]:
        """Undo what an outcome added, as far as that is known; the entries that it was added to."""
        stored = await self._stored(owner, trial)
        if stored is None:
            return []
        await self._record(owner, trial, stored["about"], "", False)
        return [entry["id"] for entry in stored["entries"]]

    async def seal(self, owner: str, trial: str, topic: str, entry: str, run: str) -> None:
        """Say that an entry has an outcome already, of which nobody knows any more what it added: it is never added
        again, nor taken back."""
        known = _amounts(Part(entry=entry), run)
        update = {"about": topic, "topic": {}, "entries": [known], "sealed": True}
        await self._redis.set(keys_of(owner).trial(trial), json.dumps(update), ex=self.remembered)

    async def topic_of(self, owner: str, trial: str) -> str | None:
        """The topic that an outcome was added to; None where it was not."""
        stored = await self._stored(owner, trial)
        return None if stored is None else str(stored["about"])

    async def is_known(self, owner: str, trial: str, word: float | None) -> bool:
        """Whether an outcome was added when this was known of the run's answer, or cannot be replaced."""
        stored = await self._stored(owner, trial)
        return stored is not None and (bool(stored.get("sealed")) or stored.get("word") == word)

    async def _stored(self, owner: str, trial: str) -> Any:
        """What ``record.lua`` keeps of an outcome, or None."""
        stored = cast(bytes | None, await self._redis.get(keys_of(owner).trial(trial)))
        return None if stored is None else json.loads(stored)

    async def _record(self, owner: str, trial: str, topic: str, update: str, there: bool) -> bool:
        keys = keys_of(owner)
        done = await self._script(
            keys=[*keys.renewed(topic), keys.trial(trial)],
            args=[
                topic,
                self._seconds,
                keys.entry(""),
                update,
                self.remembered,
                time.time(),
                PROVENANCE,
                int(there),
            ],
        )
        return bool(done)


def _amounts(part: Part, run: str) -> dict[str, object]:
    add: dict[str, float] = {}
    floored: dict[str, float] = {}
    if part.won is not None:
        add |= {"trials": 1, "wins": part.won, "tokens": part.tokens, "cost": part.cost}
    if part.alone is not None:
        add |= {"alone_trials": 1, "alone_wins": part.alone}
    if part.gain is not None:
        up, down = increments(part.gain)
        add |= {"compared": 1, "edge": part.gain.right}
        add |= {f"gain{index}": amount for index, amount in enumerate(up)}
        floored = {f"loss{index}": amount for index, amount in enumerate(down)}
        if part.pooled:
            add |= {f"pool{index}": amount for index, amount in enumerate(up)}
    return {"id": part.entry, "add": add, "floored": floored, "run": run}
