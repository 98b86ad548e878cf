"""Engine clients that answers share: how many stay open, and that none is closed under its user."""

import asyncio

import pytest

from workers.engines.address import EngineAddress
from workers.engines.errors import EngineUnavailable
from workers.engines.pool import EnginePool
from workers.engines.protocol import Engine


def address(name: str) -> EngineAddress:
    """An engine that nothing is loaded for until it is asked; closing it waits for its thread."""
    return EngineAddress(name=name, kind="torch", source=f"/nowhere/{name}.gguf")


async def borrowed(pool: EnginePool, *names: str) -> dict[str, Engine]:
    async with pool.borrow(map(address, names)) as engines:
        return engines


async def is_open(engine: Engine) -> bool:
    with pytest.raises((EngineUnavailable, RuntimeError)) as refusal:
        await engine.describe()
    return isinstance(refusal.value, EngineUnavailable)


async def test_answers_of_one_pair_share_its_engines() -> None:
    pool = EnginePool(kept=2)
    async with pool.borrow([address("s"), address("l")]) as first, pool.borrow([address("s")]) as second:
        assert first["s"] is second["s"]
    assert (await borrowed(pool, "l"))["l"] is first["l"]


async def test_those_that_nobody_uses_are_closed_beyond_so_many_the_oldest_first() -> None:
    pool = EnginePool(kept=4)
    engines = [(await borrowed(pool, f"{number}"))[f"{number}"] for number in range(20)]
    assert [await is_open(engine) for engine in engines] == [False] * 16 + [True] * 4


async def test_eight_answers_on_pairs_of_their_own_keep_what_they_use_and_no_more_afterwards() -> None:
    pool = EnginePool(kept=4)
    writing = asyncio.Event()
    used: list[Engine] = []

    async def answer(number: int) -> None:
        async with pool.borrow([address(f"s{number}"), address(f"l{number}")]) as engines:
            used.extend(engines.values())
            await writing.wait()
            assert all([await is_open(engine) for engine in engines.values()])

    answers = asyncio.gather(*map(answer, range(8)))
    while len(used) < 16:
        await asyncio.sleep(0)
    writing.set()
    await answers
    assert [await is_open(engine) for engine in used].count(True) == 4


async def test_an_engine_that_is_borrowed_while_others_are_closed_stays_open() -> None:
    pool = EnginePool(kept=0)
    async with pool.borrow([address("s"), address("l")]) as pair:
        pass_on = asyncio.create_task(_use(pool, "l"))
    engine, was_open = await pass_on
    assert was_open
    assert not await is_open(engine)
    assert not await is_open(pair["s"])


async def _use(pool: EnginePool, name: str) -> tuple[Engine, bool]:
    """Borrow it for as long as closing others takes."""
    async with pool.borrow([address(name)]) as engines:
        await asyncio.sleep(0.2)
        return engines[name], await is_open(engines[name])
