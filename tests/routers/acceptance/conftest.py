"""One card for all tests that read cards."""

import pytest

from routers.acceptance.asked import asked_of
from routers.acceptance.card import AcceptanceCard
from routers.acceptance.training import Pair, train
from tests.routers.acceptance.outcomes import PARAMETERS, answering, made_up


@pytest.fixture(scope="session")
def card() -> AcceptanceCard:
    asked = asked_of(made_up(240), {})
    return train(asked, Pair("s" * 64, "l" * 64, PARAMETERS), answering(), seed=0)
