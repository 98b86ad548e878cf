"""A model that draws on a ledger, over a scripted engine that counts what really happened."""

import asyncio
from contextlib import aclosing

import pytest

from tests.waiting import eventually
from workers.engines.errors import EngineUnavailable
from workers.engines.protocol import Finish, Sampling, Token
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.ledger import Budget, BudgetSpent, Ledger, Price
from workers.messages import Message
from workers.models.charged import Charged
from workers.models.engine_chat import EngineChat
from workers.models.protocol import ChatRequest, Completion, complete

PRICE = Price(prompt=1.0, completion=10.0)
PROMPT = 3 + len("user\nhi\nassistant\n")


def request(call: str = "a", max_tokens: int = 50) -> ChatRequest:
    return ChatRequest((Message(role="user", content="hi"),), Sampling(max_tokens=max_tokens), call * 32)


async def test_charges_what_the_engine_counted(chat: EngineChat, scripted: ScriptedServer) -> None:
    scripted.script = Script(default=say("hello"))
    ledger = Ledger(Budget())
    answer = await complete(Charged(chat, ledger, PRICE), request())
    summary = ledger.summary()
    assert summary.tokens == {"small": answer.usage}
    assert (answer.usage.prompt, answer.usage.completion) == (PROMPT, 6)
    assert summary.money == pytest.approx((PROMPT + 60) / 1e6)


async def test_an_answer_is_cut_where_the_tokens_end_and_the_next_call_is_not_opened(
    chat: EngineChat, scripted: ScriptedServer
) -> None:
    scripted.script = Script(default=say("on and on ", endless=True))
    ledger = Ledger(Budget(tokens=20))
    model = Charged(chat, ledger, PRICE)
    answer = await complete(model, request())
    assert (answer.reason, answer.text) == ("length", "on and on on and on ")
    assert ledger.summary().spent == "tokens"
    with pytest.raises(BudgetSpent):
        await complete(model, request("b"))
    assert scripted.stats.requests == 1


async def test_an_answer_is_cut_where_the_money_ends(chat: EngineChat, scripted: ScriptedServer) -> None:
    scripted.script = Script(default=say("on and on ", endless=True))
    ledger = Ledger(Budget(money=0.0002))
    model = Charged(chat, ledger, PRICE)
    answer = await complete(model, request(max_tokens=4000))
    assert answer.reason == "length"
    assert 0 < answer.usage.completion < 20
    summary = ledger.summary()
    assert summary.spent == "money"
    # The prompt was not counted before the call but estimated.
    assert summary.money == pytest.approx(0.0002, rel=0.15)
    with pytest.raises(BudgetSpent, match="money"):
        await complete(model, request("b", max_tokens=4000))


async def test_a_fan_out_stays_within_the_money(chat: EngineChat, scripted: ScriptedServer) -> None:
    scripted.script = Script(default=say("on and on ", endless=True, delay=0.005), slots=16)
    ledger = Ledger(Budget(money=0.001))
    model = Charged(chat, ledger, Price(completion=10.0))
    calls = [complete(model, request(hex(number)[2:], max_tokens=30)) for number in range(16)]
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(one, BudgetSpent) for one in ended) == 12
    assert sum(one.usage.completion for one in ended if isinstance(one, Completion)) == 100
    assert ledger.summary().money == pytest.approx(0.001)


async def test_a_long_prompt_that_nobody_can_pay_is_not_sent(chat: EngineChat, scripted: ScriptedServer) -> None:
    ledger = Ledger(Budget(money=0.001))
    long = ChatRequest((Message(role="user", content="word " * 4000),), Sampling(max_tokens=10), "c" * 32)
    with pytest.raises(BudgetSpent, match="money"):
        await complete(Charged(chat, ledger, PRICE), long)
    assert scripted.stats.requests == 0


async def test_a_callers_own_limit_is_no_spent_budget(chat: EngineChat, scripted: ScriptedServer) -> None:
    scripted.script = Script(default=say("on and on ", endless=True))
    ledger = Ledger(Budget(tokens=1000))
    assert (await complete(Charged(chat, ledger, PRICE), request(max_tokens=5))).reason == "length"
    assert ledger.summary().spent is None


async def test_the_deadline_ends_a_generation_on_the_engine_and_keeps_what_was_written(
    chat: EngineChat, scripted: ScriptedServer
) -> None:
    scripted.script = Script(default=say("on and on ", delay=0.02, endless=True))
    ledger = Ledger(Budget(seconds=0.5))
    answer = await complete(Charged(chat, ledger, PRICE), request(max_tokens=4000))
    assert answer.reason == "length"
    assert answer.text.startswith("on ")
    summary = ledger.summary()
    assert summary.spent == "seconds"
    assert summary.tokens["small"].completion == len(answer.tokens)
    assert summary.tokens["small"].prompt == PROMPT, "a call that is cut short has read its prompt all the same"
    await eventually(lambda: scripted.stats.aborted == 1)


async def test_a_reader_who_leaves_is_charged_for_what_was_read_and_written(
    chat: EngineChat, scripted: ScriptedServer
) -> None:
    scripted.script = Script(default=say("on and on ", delay=0.01, endless=True))
    ledger = Ledger(Budget(tokens=100))
    stream = Charged(chat, ledger, PRICE).generate(request())
    async with aclosing(stream):
        for _ in range(3):
            assert isinstance(await anext(stream), Token)
    usage = ledger.summary().tokens["small"]
    assert (usage.prompt, usage.completion) == (PROMPT, 3)
    assert ledger.open(1000).tokens == 97, "the reservation is given back"
    await eventually(lambda: scripted.stats.aborted == 1)


async def test_a_call_that_fails_gives_its_reservation_back(chat: EngineChat, scripted: ScriptedServer) -> None:
    scripted.script = Script(default=say("abc", failure="unavailable"))
    ledger = Ledger(Budget(tokens=100, calls=5))
    with pytest.raises(EngineUnavailable):
        await complete(Charged(chat, ledger, PRICE), request())
    assert ledger.open(1000).tokens == 100
    assert ledger.summary().tokens["small"].total == 0


async def test_the_charge_is_there_when_the_finish_is_shown(chat: EngineChat, scripted: ScriptedServer) -> None:
    scripted.script = Script(default=say("hello"))
    ledger = Ledger(Budget())
    async with aclosing(Charged(chat, ledger, PRICE).generate(request())) as stream:
        async for event in stream:
            if isinstance(event, Finish):
                assert ledger.summary().tokens["small"] == event.usage
