"""Readers in the process that writes a run see every event once, in order, or are sent on to Redis."""

import asyncio

from agents.events import Event, ReasoningDelta
from orchestrator.live_events import LiveEvents


def _event(number: int) -> tuple[str, Event]:
    return f"{number}-0", ReasoningDelta(step="s", text=str(number))


async def _read(live: LiveEvents) -> list[str]:
    return [identifier async for identifier, _ in live.read()]


async def test_a_reader_gets_what_was_there_and_what_comes() -> None:
    live = LiveEvents()
    live.add([_event(1), _event(2)])
    reading = asyncio.create_task(_read(live))
    await asyncio.sleep(0)
    live.add([_event(3)])
    await asyncio.sleep(0)
    live.add([_event(4)])
    live.close()
    assert await reading == ["1-0", "2-0", "3-0", "4-0"]


async def test_two_readers_do_not_take_from_each_other() -> None:
    live = LiveEvents()
    readers = [asyncio.create_task(_read(live)) for _ in range(2)]
    for number in range(10):
        live.add([_event(number)])
        await asyncio.sleep(0)
    live.close()
    first, second = await asyncio.gather(*readers)
    assert first == second == [f"{number}-0" for number in range(10)]


async def test_a_reader_whom_the_window_has_passed_ends_without_a_gap() -> None:
    live = LiveEvents(kept=3)
    live.add([_event(1), _event(2)])
    seen: list[str] = []
    async for identifier, _ in live.read():
        seen.append(identifier)
        if identifier == "1-0":
            live.add([_event(number) for number in range(3, 20)])
    assert seen == ["1-0", "2-0"]
    assert await _read(live) == [], "a late reader starts in Redis"
