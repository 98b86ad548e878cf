"""Questions of another kind than the router learned from: it must fall back there, and not fall down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.questions import read_questions
from bench.routing.data import STRANGE, RoutingData
from bench.routing.replay import OutcomeMissing, replay
from bench.routing.report import DriftRow, DriftTaken
from bench.routing.systems import Cards, serving
from orchestrator.settings import Settings
from routers.acceptance.asked import Asked
from routers.acceptance.judgement import unknown
from routers.assessment import assess
from routers.embedding import Embedder
from routers.estimators.choice import best_route
from routers.estimators.features import Array, Features
from routers.estimators.protocol import Estimator
from routers.evaluation import difference
from routers.familiarity import Familiarity, fit_familiarity
from routers.policy import Policy
from routers.route import Effort, route_named
from routers.transfer import drift
from routers.value import UNROUTED, Valued, Weighed, has_a_say
from workers.messages import Message

_ROWS = 60
_EFFORT: Effort = "medium"


@dataclass(frozen=True, slots=True)
class _Seen:
    """A question as a request would show it, whatever its data set knows of the answer; ``no_say``: a learned router
    is not asked."""

    features: Features
    no_say: bool


@dataclass(frozen=True, slots=True)
class Drift:
    """``routers`` by name have learned from everything that may be learned from."""

    data: RoutingData
    cards: Cards
    routers: Mapping[str, Estimator]
    embedder: Embedder
    settings: Settings
    seed: int

    async def rows(self, folder: Path | None) -> list[DriftRow]:
        """One for each set of another kind: on stored outcomes, else on the questions in ``folder``, of which there is
        no more to tell than whether the router falls back. Raises ``NoQuestions``."""
        rows = []
        for dataset in STRANGE:
            asked = [one for one in self.data.strangers if one.family == dataset]
            texts = [one.question for one in asked]
            if not asked and folder is not None:
                texts = [question.question for question in read_questions(folder, dataset, _ROWS)]
            if texts:
                rows.append(self._row(dataset, asked, await self._seen(texts)))
        return rows

    async def _seen(self, texts: Sequence[str]) -> list[_Seen]:
        vectors = await self.embedder.embed(texts)
        return [_seen(text, vector) for text, vector in zip(texts, vectors, strict=True)]

    def _row(self, dataset: str, asked: Sequence[Asked], seen: Sequence[_Seen]) -> DriftRow:
        card, known = self.cards.of(self.data.tried[0]), fit_familiarity(self.data.learning, self.seed)
        found = drift(self.data.table, [one.features for one in seen], self.seed)
        forms = [one.features.form for one in seen]
        row = DriftRow(
            dataset=dataset,
            n=found.n,
            fell_back=float(np.mean([one.no_say or _strange(known, one) for one in seen])),
            unlike=found.fell_back,
            familiar=found.familiar,
            uncalibrated=float(np.mean([f in UNROUTED or unknown(card, (), f) is not None for f in forms])),
        )
        if not asked:
            return row.model_copy(update={"missing": "no outcomes of these questions are stored"})
        try:
            taken = [self._taken(name, router, known, asked, seen) for name, router in self.routers.items()]
        except OutcomeMissing as missing:
            return row.model_copy(update={"missing": str(missing)})
        return row.model_copy(update={"taken": taken})

    def _taken(
        self, name: str, router: Estimator, known: Familiarity, asked: Sequence[Asked], seen: Sequence[_Seen]
    ) -> DriftTaken:
        policy = serving(self.settings, _EFFORT)
        chosen = [self._chosen(router, one.features) for one in seen]
        guarded = [
            None if one.no_say or _strange(known, one) else route for one, route in zip(seen, chosen, strict=True)
        ]
        without, with_it, alone = (
            np.array([_right(policy, one, route) for one, route in zip(asked, routes, strict=True)])
            for routes in ([None] * len(asked), guarded, chosen)
        )
        paired = difference(with_it - without, [one.split_key for one in asked])
        best, accuracy = self._best_constant(asked)
        return DriftTaken(
            router=name,
            n=len(asked),
            policy=float(without.mean()),
            guarded=float(with_it.mean()),
            unguarded=float(alone.mean()),
            constant=best,
            constant_accuracy=accuracy,
            difference=paired.mean,
            difference_ci95=(paired.low, paired.high),
        )

    def _chosen(self, router: Estimator, features: Features) -> str | None:
        """What the router values most; None where it is not asked at all."""
        if features.form in UNROUTED:
            return None
        return best_route(router.predict(features), self.settings.acceptance.price[_EFFORT])

    def _best_constant(self, asked: Sequence[Asked]) -> tuple[str, float]:
        """Of the routes that all of these questions were tried on; "" where there is none."""
        found = {}
        for route in self.data.routes:
            places = [one.index(route) for one in asked]
            if None not in places:
                found[route] = sum(one.right[i] for one, i in zip(asked, places, strict=True) if i is not None)
        best = max(found, key=lambda route: found[route], default="")
        return best, found[best] / len(asked) if best else 0.0


def _seen(text: str, vector: Array) -> _Seen:
    assessment = assess([Message(role="user", content=text)])
    return _Seen(Features(text, assessment.form, vector), no_say=not has_a_say(assessment))


def _strange(known: Familiarity, one: _Seen) -> bool:
    return known.strange(one.features) is not None


def _right(policy: Policy, one: Asked, route: str | None) -> float:
    """Of what a reader gets who asks with this route first, and with the policy's own where there is none."""
    weighed = Weighed(route=None if route is None else route_named(route), reason="")
    return float(bool(replay(Valued(policy, weighed), one, _EFFORT).right))
