"""Runs hostile programs in the real sandbox and sees that nothing of them is left."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tools.sandbox.bubblewrap import BubblewrapSandbox
from tools.sandbox.protocol import Execution, Limits

Run = Callable[..., Awaitable[Execution]]


def limited(**changes: Any) -> Limits:
    """Small limits; the size of files is a mark by which the processes of one run are told from all others."""
    own = {"cpu_seconds": 10, "wall_seconds": 30.0, "file_bytes": 16 * 1024**2 + secrets.randbelow(2**20)}
    return Limits.model_validate(own | changes)


def left_of(limits: Limits) -> list[int]:
    """Processes on the host that were started for a program with these limits."""
    mark = f'"file_bytes": {limits.file_bytes}'.encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            # in the launcher's arguments the same object is quoted once more
            if mark in (folder / "cmdline").read_bytes().replace(b"\\", b""):
                found.append(int(folder.name))
    return found


async def nothing_left(limits: Limits) -> None:
    """The kernel clears a killed tree away in its own time, so wait for it."""
    deadline = time.monotonic() + 20
    while left := left_of(limits):
        assert time.monotonic() < deadline, f"still running: {left}"
        await asyncio.sleep(0.05)


@pytest.fixture
async def sandbox() -> BubblewrapSandbox:
    """The sandbox; where it can not isolate, these tests fail with its reason instead of passing unseen."""
    sandbox = BubblewrapSandbox()
    assert await sandbox.check() is None
    return sandbox


@pytest.fixture
def run(sandbox: BubblewrapSandbox) -> Run:
    """Run a program with small limits; fails if a process of it is left."""

    async def run(program: str, **changes: Any) -> Execution:
        limits = limited(**changes)
        execution = await sandbox.run(program, limits)
        await nothing_left(limits)
        return execution

    return run
