"""Beyond the training: a route added with a few outcomes, and questions of another kind."""

from collections.abc import Mapping
from pathlib import Path

from bench.questions import read_questions
from bench.routing.data import RoutingData
from bench.routing.report import DriftRow, LeftOutRow
from bench.routing.systems import Cards
from routers.acceptance.judgement import unknown
from routers.embedding import Embedder
from routers.estimators.features import Array, Features
from routers.transfer import drift, leave_one_out

STRANGE = ("humaneval", "proofwriter")
_PRICE = 0.1
_OUTCOMES = 20
_ROWS = 60


def left_out(data: RoutingData, described: Mapping[str, Array], seed: int) -> list[LeftOutRow]:
    """Every route once as the one that training has not seen, but for a strategy or model that only it has."""
    rows = []
    for route in data.routes:
        found = leave_one_out(data.table, route, described, price=_PRICE, outcomes=_OUTCOMES, seed=seed)
        rows.append(
            LeftOutRow(
                route=route,
                outcomes=found.outcomes,
                best_on=found.best_on,
                chosen=found.chosen,
                elsewhere=found.elsewhere,
                gain=found.gain.mean,
                gain_ci95=(found.gain.low, found.gain.high),
            )
        )
    return rows


async def drifted(
    data: RoutingData, cards: Cards, folder: Path | None, embedder: Embedder, seed: int
) -> list[DriftRow]:
    """Raises ``NoQuestions``. Nothing without a ``folder`` of questions."""
    if folder is None:
        return []
    card = cards.of(data.tried[0])
    rows = []
    for dataset in STRANGE:
        questions = read_questions(folder, dataset, _ROWS)
        vectors = await embedder.embed([question.question for question in questions])
        strangers = [Features(q.question, q.form, v) for q, v in zip(questions, vectors, strict=True)]
        found = drift(data.table, strangers, seed)
        rows.append(
            DriftRow(
                dataset=dataset,
                n=found.n,
                fell_back=found.fell_back,
                familiar=found.familiar,
                uncalibrated=sum(unknown(card, (), q.form) is not None for q in questions) / len(questions),
            )
        )
    return rows
