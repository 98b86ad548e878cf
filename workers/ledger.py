"""One hard ledger per request: every model call draws from it; when it is spent the run ends with its best answer."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from workers.usage import Usage

Limit = Literal["tokens", "calls", "seconds", "money"]
# dollars that the arithmetic of floating point may be off by
_ROUNDING = 1e-12


class Budget(BaseModel):
    """Limits of one request; None means unlimited. ``tokens`` counts completion tokens, ``money`` is in US dollars."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tokens: int | None = Field(default=None, ge=0)
    calls: int | None = Field(default=None, ge=0)
    seconds: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    money: float | None = Field(default=None, ge=0, allow_inf_nan=False)


class Price(BaseModel):
    """US dollars per million tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    completion: float = Field(default=0.0, ge=0, allow_inf_nan=False)

    def of(self, usage: Usage) -> float:
        return (usage.prompt * self.prompt + usage.completion * self.completion) / 1e6


class Charge(BaseModel):
    """One model call as it was charged. ``call`` makes a charge idempotent: a node that runs again charges once.
    ``calls`` is 0 where a further model had part in a call that is counted already."""

    model_config = ConfigDict(frozen=True)

    call: str
    model: str
    usage: Usage
    money: float = 0.0
    calls: int = 1


@dataclass(frozen=True, slots=True)
class Grant:
    """What an open call may use: completion ``tokens``, and the ``money`` that is kept for them and for its prompt.
    ``limit`` is what keeps the tokens below what was wanted; None where nothing does."""

    tokens: int
    money: float = 0.0
    limit: Limit | None = None


class LedgerSummary(BaseModel):
    """What a request has drawn so far."""

    model_config = ConfigDict(frozen=True)

    tokens: dict[str, Usage]
    calls: int
    seconds: float
    money: float
    spent: Limit | None


class BudgetSpent(Exception):
    """Control flow: a call was opened on a spent ledger. The controller ends the run with its best answer."""

    def __init__(self, limit: Limit) -> None:
        super().__init__(f"the request's budget of {limit} is spent")
        self.limit = limit


class Ledger:
    """Counts what a request draws against its budget.

    ``clock`` returns seconds; ``elapsed`` and ``earlier`` are what a resumed run had used before.
    ``listener`` hears every new charge.
    """

    def __init__(
        self,
        budget: Budget,
        *,
        clock: Callable[[], float] = time.monotonic,
        elapsed: float = 0.0,
        listener: Callable[[Charge], None] | None = None,
        earlier: tuple[Charge, ...] = (),
    ) -> None:
        self.budget = budget
        self._clock = clock
        self._started = clock() - elapsed
        self._charges = {charge.call: charge for charge in earlier}
        self._open: list[Grant] = []
        self._listener = listener
        self._spent: Limit | None = None

    def open(self, wanted: int, price: Price = Price(), prompt: int = 0) -> Grant:
        """Reserve one call of at most ``wanted`` completion tokens after ``prompt`` tokens, as far as these are known.

        Raises ``BudgetSpent`` when nothing is left. Parallel calls see each other's reservations, so that a fan-out
        cannot overdraw. Every ``open`` is followed by one ``close``.
        """
        limit = self._exhausted()
        if limit is None:
            grant = self._grant(wanted, price, prompt)
            if grant.tokens > 0 or grant.limit is None:
                self._open.append(grant)
                return grant
            limit = grant.limit
        self._spent = limit
        raise BudgetSpent(limit)

    def close(self, grant: Grant, charge: Charge) -> None:
        """Replace a reservation by what the engine counted."""
        self._open.remove(grant)
        self.record(charge)

    def record(self, charge: Charge) -> None:
        """Charge a call, once: a second charge with the same ``call`` changes nothing."""
        if charge.call in self._charges:
            return
        self._charges[charge.call] = charge
        if self._listener is not None:
            self._listener(charge)

    def mark_spent(self, limit: Limit) -> None:
        """A call was cut short by this limit; the run says so at its end."""
        self._spent = limit

    def seconds_left(self) -> float | None:
        return None if self.budget.seconds is None else self.budget.seconds - (self._clock() - self._started)

    def tokens_left(self) -> int | None:
        """Completion tokens that nobody has written or reserved yet; None where they are not limited."""
        return None if self.budget.tokens is None else self._tokens_left()

    def money_left(self) -> float | None:
        """US dollars that nobody has drawn or reserved yet; None where they are not limited."""
        if self.budget.money is None:
            return None
        return self.budget.money - self._money() - sum(grant.money for grant in self._open)

    def remaining(self) -> Budget:
        """What is left of each limit, nothing below 0; None where there is no limit."""
        limits, seconds, money = self.budget, self.seconds_left(), self.money_left()
        return Budget(
            tokens=None if limits.tokens is None else max(0, self._tokens_left()),
            calls=None if limits.calls is None else max(0, limits.calls - self._calls() - len(self._open)),
            seconds=None if seconds is None else max(0.0, seconds),
            money=None if money is None else max(0.0, money),
        )

    def remaining_share(self) -> float:
        """Smallest remaining fraction over all limits, between 0 and 1."""
        shares = [1.0]
        if self.budget.tokens:
            shares.append(self._tokens_left() / self.budget.tokens)
        if self.budget.calls:
            shares.append((self.budget.calls - self._calls() - len(self._open)) / self.budget.calls)
        left = self.seconds_left()
        if left is not None and self.budget.seconds:
            shares.append(left / self.budget.seconds)
        money = self.money_left()
        if money is not None and self.budget.money:
            shares.append(money / self.budget.money)
        return max(0.0, min(shares))

    def summary(self) -> LedgerSummary:
        tokens: dict[str, Usage] = {}
        for charge in self._charges.values():
            tokens[charge.model] = tokens.get(charge.model, Usage()) + charge.usage
        return LedgerSummary(
            tokens=tokens,
            calls=self._calls(),
            seconds=round(self._clock() - self._started, 4),
            money=self._money(),
            spent=self._spent,
        )

    def _grant(self, wanted: int, price: Price, prompt: int) -> Grant:
        bounds: list[tuple[int, Limit | None]] = [(wanted, None)]
        if self.budget.tokens is not None:
            bounds.append((self._tokens_left(), "tokens"))
        money = self.money_left()
        if money is not None:
            bounds.append((_affordable(money, price, prompt, wanted), "money"))
        tokens, limit = min(bounds, key=lambda bound: bound[0])
        return Grant(tokens, price.of(Usage(prompt=prompt, completion=max(tokens, 0))), limit)

    def _calls(self) -> int:
        return sum(charge.calls for charge in self._charges.values())

    def _tokens_left(self) -> int:
        assert self.budget.tokens is not None
        written = sum(charge.usage.completion for charge in self._charges.values())
        return self.budget.tokens - written - sum(grant.tokens for grant in self._open)

    def _money(self) -> float:
        return sum(charge.money for charge in self._charges.values())

    def _exhausted(self) -> Limit | None:
        if self.budget.tokens is not None and self._tokens_left() <= 0:
            return "tokens"
        if self.budget.calls is not None and self._calls() + len(self._open) >= self.budget.calls:
            return "calls"
        left = self.seconds_left()
        if left is not None and left <= 0:
            return "seconds"
        if self.budget.money is not None and self._money() >= self.budget.money:
            return "money"
        return None


def _affordable(money: float, price: Price, prompt: int, wanted: int) -> int:
    """How many of the ``wanted`` completion tokens ``money`` pays for once it has paid for the prompt."""
    left = money - price.of(Usage(prompt=prompt)) + _ROUNDING
    if left < 0:
        return 0
    return wanted if price.completion <= 0 else min(wanted, int(left * 1e6 / price.completion))
