"""Programs that use up what they are given, and more."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from tests.tools.sandbox.conftest import limited, nothing_left
from tools.sandbox.bubblewrap import BubblewrapSandbox
from tools.sandbox.cgroup import ControlGroup
from tools.sandbox.protocol import Execution

Run = Callable[..., Awaitable[Execution]]

MEGABYTE = 1024**2

MANY_HOARDERS = """
import os, time
for _ in range(12):
    if os.fork() == 0:
        hoard = bytearray(60 * 2**20)
        for i in range(0, len(hoard), 4096): hoard[i] = 1
        time.sleep(60)
time.sleep(60)
"""


async def test_memory_beyond_the_limit(run: Run) -> None:
    execution = await run("print('before', flush=True)\nx = bytearray(2 * 2**30)", memory_bytes=512 * MEGABYTE)
    assert execution.outcome == "memory"
    assert execution.stdout == "before\n"


async def test_memory_beyond_the_limit_in_a_library(run: Run) -> None:
    execution = await run("import numpy\nnumpy.ones(10**9)", memory_bytes=512 * MEGABYTE)
    assert execution.outcome == "memory"


@pytest.mark.parametrize("groups", [True, False], ids=["with control groups if there are", "without control groups"])
async def test_memory_of_many_processes_is_bounded_in_sum(
    groups: bool, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not groups:
        monkeypatch.setattr(ControlGroup, "create", lambda *_: ControlGroup())
    execution = await run(MANY_HOARDERS, memory_bytes=256 * MEGABYTE, wall_seconds=40.0)
    assert execution.outcome == "memory"


async def test_caught_memory_error_is_the_programs_own_matter(run: Run) -> None:
    execution = await run("try:\n    bytearray(2**32)\nexcept MemoryError:\n    print('went on')")
    assert execution.ok
    assert execution.stdout == "went on\n"


async def test_processor_time(run: Run) -> None:
    execution = await run("while True: pass", cpu_seconds=1)
    assert execution.outcome == "timeout"
    assert execution.seconds < 30


async def test_a_program_can_not_put_the_processor_limit_off(run: Run) -> None:
    program = "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass"
    execution = await run(program, cpu_seconds=1, wall_seconds=60.0)
    assert execution.outcome in ("killed", "timeout")
    assert execution.seconds < 50


async def test_sleeping_past_the_wall_time_keeps_what_was_printed(run: Run) -> None:
    execution = await run("import time\nprint('half', flush=True)\ntime.sleep(600)", wall_seconds=2.0)
    assert (execution.outcome, execution.exit_code, execution.stdout) == ("timeout", None, "half\n")


async def test_output_flood(run: Run) -> None:
    program = (
        "import sys\nfor i in range(400_000): print(i, 'x' * 90)\nprint('the end')\nprint('e' * 10**7, file=sys.stderr)"
    )
    execution = await run(program, output_bytes=10_000)
    assert execution.outcome == "exited"
    assert execution.truncated
    assert len(execution.stdout.encode()) <= 10_000
    assert len(execution.stderr.encode()) <= 10_000
    assert execution.stdout.startswith("0 x")
    assert execution.stdout.endswith("the end\n")


async def test_endless_output_ends_with_the_time(run: Run) -> None:
    execution = await run("while True: print('y' * 1000)", wall_seconds=2.0, cpu_seconds=60, output_bytes=1000)
    assert execution.outcome == "timeout"
    assert len(execution.stdout.encode()) <= 1000


async def test_the_service_answers_while_a_fork_bomb_burns(sandbox: BubblewrapSandbox) -> None:
    bomb = limited(wall_seconds=4.0, processes=16)
    burning = asyncio.create_task(
        sandbox.run("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", bomb)
    )
    await asyncio.sleep(1)
    other = await sandbox.run("print(6 * 7)", limited(wall_seconds=60.0))
    assert other.stdout == "42\n"
    assert (await burning).outcome == "timeout"
    await nothing_left(bomb)


async def test_cancelling_kills_the_program(sandbox: BubblewrapSandbox) -> None:
    limits = limited(wall_seconds=600.0)
    task = asyncio.create_task(sandbox.run("import time, os\nos.fork()\ntime.sleep(600)", limits))
    await asyncio.sleep(1)
    task.cancel()
    begin = time.monotonic()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    await nothing_left(limits)
    assert time.monotonic() - begin < 60
