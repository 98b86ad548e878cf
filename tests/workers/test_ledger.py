"""The ledger: hard limits, reservations, charges that count once."""

import pytest

from workers.ledger import Budget, BudgetSpent, Charge, Ledger, Price
from workers.usage import Usage


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def charge(call: str, completion: int, model: str = "small", prompt: int = 10, money: float = 0.0) -> Charge:
    return Charge(call=call, model=model, usage=Usage(prompt=prompt, completion=completion), money=money)


def test_tokens_are_granted_until_none_is_left() -> None:
    ledger = Ledger(Budget(tokens=100))
    first = ledger.open(60)
    assert (first.tokens, first.limit) == (60, None)
    ledger.close(first, charge("a", 50))
    second = ledger.open(60)
    assert (second.tokens, second.limit) == (50, "tokens")
    ledger.close(second, charge("b", 50))
    with pytest.raises(BudgetSpent, match="tokens") as spent:
        ledger.open(1)
    assert spent.value.limit == "tokens"
    assert ledger.summary().spent == "tokens"


def test_parallel_calls_cannot_overdraw() -> None:
    ledger = Ledger(Budget(tokens=100))
    grants = [ledger.open(40) for _ in range(3)]
    assert [grant.tokens for grant in grants] == [40, 40, 20]
    with pytest.raises(BudgetSpent):
        ledger.open(40)
    ledger.close(grants[0], charge("a", 5))
    assert ledger.open(40).tokens == 35, "what a call did not use is free again"


def test_calls_that_are_open_count() -> None:
    ledger = Ledger(Budget(calls=2))
    first = ledger.open(10)
    ledger.open(10)
    with pytest.raises(BudgetSpent, match="calls"):
        ledger.open(10)
    ledger.close(first, charge("a", 1))
    with pytest.raises(BudgetSpent, match="calls"):
        ledger.open(10)


def test_seconds_include_what_a_resumed_run_had_used() -> None:
    clock = Clock()
    ledger = Ledger(Budget(seconds=10), clock=clock, elapsed=4)
    assert ledger.seconds_left() == pytest.approx(6)
    clock.now += 6
    with pytest.raises(BudgetSpent, match="seconds"):
        ledger.open(1)
    assert ledger.summary().seconds == pytest.approx(10)


def test_money_adds_up_from_prices() -> None:
    price = Price(prompt=1.0, completion=2.0)
    usage = Usage(prompt=1_000_000, completion=500_000)
    assert price.of(usage) == pytest.approx(2.0)
    ledger = Ledger(Budget(money=1.5))
    ledger.record(charge("a", 1, money=price.of(usage)))
    with pytest.raises(BudgetSpent, match="money"):
        ledger.open(1)


def test_a_call_may_write_what_is_left_of_the_money_once_its_prompt_is_paid() -> None:
    ledger = Ledger(Budget(money=0.001))
    grant = ledger.open(2048, Price(prompt=1.0, completion=10.0), prompt=200)
    assert (grant.tokens, grant.limit) == (80, "money")
    assert grant.money == pytest.approx(0.001)
    few = Ledger(Budget(money=0.001, tokens=50)).open(2048, Price(completion=10.0))
    assert (few.tokens, few.limit) == (50, "tokens"), "the tightest limit binds"


def test_a_prompt_that_costs_more_than_there_is_opens_no_call() -> None:
    ledger = Ledger(Budget(money=0.001))
    with pytest.raises(BudgetSpent, match="money"):
        ledger.open(1, Price(prompt=10.0), prompt=101)
    assert ledger.open(7, Price(prompt=10.0), prompt=100).tokens == 7, "writing costs nothing here"


def test_parallel_calls_cannot_overdraw_the_money() -> None:
    ledger, price = Ledger(Budget(money=0.001)), Price(completion=10.0)
    opened = [ledger.open(40, price) for _ in range(3)]
    with pytest.raises(BudgetSpent, match="money"):
        ledger.open(40, price)
    assert [grant.tokens for grant in opened] == [40, 40, 20]
    assert ledger.remaining().money == pytest.approx(0)
    assert ledger.remaining_share() == pytest.approx(0)
    ledger.close(opened[0], charge("a", 5, prompt=0, money=price.of(Usage(completion=5))))
    assert ledger.open(40, price).tokens == 35, "what a call did not use is free again"


def test_a_model_that_costs_nothing_goes_on_while_the_money_is_reserved() -> None:
    ledger = Ledger(Budget(money=0.001))
    assert ledger.open(2048, Price(completion=10.0)).tokens == 100
    free = ledger.open(2048)
    assert (free.tokens, free.limit) == (2048, None)


def test_a_charge_counts_once() -> None:
    heard: list[Charge] = []
    ledger = Ledger(Budget(), listener=heard.append)
    for _ in range(2):
        ledger.close(ledger.open(10), charge("same", 7))
    summary = ledger.summary()
    assert (summary.calls, summary.tokens["small"].completion) == (1, 7)
    assert len(heard) == 1


def test_the_summary_splits_by_model() -> None:
    ledger = Ledger(Budget())
    ledger.record(charge("a", 5))
    ledger.record(charge("b", 6, model="large", prompt=20))
    ledger.record(charge("c", 7))
    tokens = ledger.summary().tokens
    assert tokens == {"small": Usage(prompt=20, completion=12), "large": Usage(prompt=20, completion=6)}
    assert ledger.summary().spent is None


def test_the_remaining_share_is_that_of_the_tightest_limit() -> None:
    clock = Clock()
    ledger = Ledger(Budget(tokens=100, calls=10, seconds=100), clock=clock)
    assert ledger.remaining_share() == 1
    ledger.record(charge("a", 50))
    assert ledger.remaining_share() == pytest.approx(0.5)
    clock.now += 80
    assert ledger.remaining_share() == pytest.approx(0.2)
    clock.now += 80
    assert ledger.remaining_share() == 0


def test_an_unlimited_budget_never_ends() -> None:
    ledger = Ledger(Budget())
    for call in range(50):
        ledger.close(ledger.open(10**6), charge(str(call), 10**6))
    assert ledger.remaining_share() == 1
