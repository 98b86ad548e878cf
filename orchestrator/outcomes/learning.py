"""Which of the stored outcomes a router for the configured pair may learn from, as a table."""

import re
from collections.abc import Iterable, Sequence

from orchestrator.outcomes.store import OutcomeStore
from orchestrator.settings import Settings
from routers.acceptance.selection import unselected
from routers.embedding import WordEmbedder
from routers.estimators.table import Table, TooFewOutcomes, table_of, texts_of
from routers.outcome import Outcome

_MODELS = re.compile(r"\((?P<models>[^()]+)\)$")


def learnable(store: OutcomeStore, settings: Settings, embedder: WordEmbedder, routes: Sequence[str] = ()) -> Table:
    """Benchmark outcomes of the configured models on ``routes`` (all, if none is named). Raises ``OutcomesUnreadable``
    or ``TooFewOutcomes``."""
    roles = {name: model.role for name, model in settings.models.items()}
    outcomes = of_these_models(store.read(), settings)
    parameters = {name: model.parameters for name, model in settings.models.items()}
    table = table_of(outcomes, embedder.embed_blocking(texts_of(outcomes)), roles, parameters)
    missing = [route for route in routes if route not in table.routes]
    if missing:
        raise TooFewOutcomes(
            f"there are too few outcomes of {', '.join(missing)}; known: {', '.join(table.routes)}. Collect them with "
            f"`tandem bench collect --route '{missing[0]}'`"
        )
    return table.only(routes) if routes else table


def of_these_models(outcomes: Iterable[Outcome], settings: Settings) -> list[Outcome]:
    """What may be learned from, of the configured models alone; of several builds of one attempt that which comes
    last."""
    latest: dict[tuple[str, str, int], Outcome] = {}
    for outcome in outcomes:
        if _names_these_models(outcome, settings):
            latest[outcome.id, outcome.route, outcome.seed] = outcome
    return unselected(latest.values())


def _names_these_models(outcome: Outcome, settings: Settings) -> bool:
    """Whether the outcome's route names configured models, and the build is of just those files where it names any."""
    named = _MODELS.search(outcome.route)
    if named is None:
        return False
    models = [settings.models.get(name) for name in named["models"].split("+")]
    return all(model is not None and (not outcome.build or model.sha256[:12] in outcome.build) for model in models)
