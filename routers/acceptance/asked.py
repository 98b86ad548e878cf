"""Outcomes as training sees them: one question with every attempt at it, and who agrees with whom."""

import hashlib
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agents.problem import AnswerForm
from routers.acceptance.attempt import Attempt, Camp, Roles, attempt_from, by_role, camps
from routers.assessment import assess
from routers.outcome import Outcome
from workers.messages import Message
from workers.usage import Usage


@dataclass(frozen=True, slots=True)
class Asked:
    """A question; ``question`` is its text, "" where that was not kept. ``attempts`` and what goes with them are sorted
    by seed and route; ``parties`` numbers the different answers, None for an attempt without one. ``seeds`` 0 is a
    route's own sampling. ``seconds`` of wall time, as it was when the outcome was made."""

    id: str
    question: str
    split_key: str
    family: str
    form: AnswerForm
    attempts: tuple[Attempt, ...]
    seeds: tuple[int, ...]
    right: tuple[bool, ...]
    tokens: tuple[dict[str, Usage], ...]
    seconds: tuple[float, ...]
    parties: tuple[int | None, ...]

    def index(self, route: str, seed: int = 0) -> int | None:
        """Of the attempt by that route with that seed."""
        found = zip(self.attempts, self.seeds, strict=True)
        return next((i for i, (a, s) in enumerate(found) if a.route == route and s == seed), None)

    def view(self, chosen: Sequence[int]) -> tuple[list[Attempt], list[Camp]]:
        """The attempts with these indices, in this order, and the camps among them, by position."""
        members: dict[int, list[int]] = {}
        for position, index in enumerate(chosen):
            party = self.parties[index]
            if party is not None:
                members.setdefault(party, []).append(position)
        groups = sorted(members.values(), key=len, reverse=True)
        return [self.attempts[index] for index in chosen], [Camp(tuple(group)) for group in groups]


def asked_of(outcomes: Iterable[Outcome], roles: Roles) -> list[Asked]:
    """Questions in the order of their ids. Of several outcomes of one route and seed the last counts."""
    found: dict[str, dict[tuple[int, str], Outcome]] = {}
    for outcome in outcomes:
        found.setdefault(outcome.id, {})[outcome.seed, by_role(outcome.route, roles)] = outcome
    return [_asked([made for _, made in sorted(found[id].items())], roles) for id in sorted(found)]


def folds_of(keys: Sequence[str], folds: int, seed: int) -> list[int]:
    """The fold of each key; equal keys share one, and the folds are of nearly equal size in distinct keys."""
    distinct = sorted(set(keys))
    random.Random(seed).shuffle(distinct)
    place = {key: number % folds for number, key in enumerate(distinct)}
    return [place[key] for key in keys]


def data_hash(asked: Sequence[Asked]) -> str:
    """A sha256 over what was learned from, which is the same for the same data in any order of files."""
    digest = hashlib.sha256()
    for one in asked:
        for attempt, seed, right in zip(one.attempts, one.seeds, one.right, strict=True):
            digest.update(f"{one.id}\0{one.split_key}\0{attempt}\0{seed}\0{right}\n".encode())
    return digest.hexdigest()


def _asked(outcomes: Sequence[Outcome], roles: Roles) -> Asked:
    first = outcomes[0]
    bounds = assess([Message(role="user", content=first.question)]).bounds
    attempts = tuple(attempt_from(outcome, bounds, roles) for outcome in outcomes)
    parties: list[int | None] = [None] * len(attempts)
    for number, camp in enumerate(camps([attempt.value for attempt in attempts], first.form)):
        for index in camp.members:
            parties[index] = number
    return Asked(
        id=first.id,
        question=first.question,
        split_key=first.split_key,
        family=first.family,
        form=first.form,
        attempts=attempts,
        seeds=tuple(outcome.seed for outcome in outcomes),
        right=tuple(outcome.correct for outcome in outcomes),
        tokens=tuple(outcome.tokens for outcome in outcomes),
        seconds=tuple(outcome.seconds for outcome in outcomes),
        parties=tuple(parties),
    )
