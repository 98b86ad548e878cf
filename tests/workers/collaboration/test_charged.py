"""An answer of two models under a request's ledger, over scripted engines that count what really happened."""

import pytest

from tests.waiting import eventually
from tests.workers.collaboration.writing import Pair, request
from workers.collaboration.charged import ChargedCollaboration
from workers.collaboration.protocol import CollaborationEvent, CollaborationFinish
from workers.ledger import Budget, BudgetSpent, Ledger, Price

CHEAP, DEAR = Price(prompt=0.1, completion=1.0), Price(prompt=1.0, completion=10.0)


async def written(pair: Pair, ledger: Ledger, policy: str = "entropy", **fields: object) -> list[CollaborationEvent]:
    charged = ChargedCollaboration(pair.collaboration, ledger, {"s": CHEAP, "l": DEAR})
    return [event async for event in charged.write(request(policy, **fields))]


async def test_an_answer_ends_where_the_money_may_no_longer_suffice(pair: Pair) -> None:
    pair.say("on and on " * 100)
    ledger = Ledger(Budget(money=0.001))
    finish = (await written(pair, ledger))[-1]
    assert isinstance(finish, CollaborationFinish)
    assert finish.reason == "length"
    summary = ledger.summary()
    assert summary.spent == "money"
    assert 0 < summary.money <= 0.001
    with pytest.raises(BudgetSpent, match="money"):
        await written(pair, Ledger(Budget(money=0.00001)))


async def test_what_is_read_again_at_every_hand_over_is_paid_for_too(pair: Pair) -> None:
    # In doubt every few tokens, so that the models take turns; unbounded it comes to 0.006.
    pair.say("on and on " * 100, logprobs=(-0.01,) * 5 + (-1.0,) * 5)
    ledger = Ledger(Budget(money=0.003))
    finish = (await written(pair, ledger))[-1]
    assert isinstance(finish, CollaborationFinish)
    assert (finish.reason, ledger.summary().spent) == ("length", "money")
    assert 0.003 <= ledger.summary().money < 0.0035
    await eventually(lambda: pair.small.stats.running == pair.large.stats.running == 0)


async def test_an_answer_within_its_money_is_whole(pair: Pair) -> None:
    pair.say("on and on")
    ledger = Ledger(Budget(money=1.0))
    finish = (await written(pair, ledger))[-1]
    assert isinstance(finish, CollaborationFinish)
    assert (finish.reason, ledger.summary().spent) == ("stop", None)
