"""The sandbox: bubblewrap around a Python of our own choosing, with limits, a filter and a clock."""

import asyncio
import os
import shutil
import time
from contextlib import suppress

from tools.sandbox import diagnosis, footprint, layout, seccomp
from tools.sandbox.cgroup import ControlGroup
from tools.sandbox.outcome import outcome_of
from tools.sandbox.output import BoundedOutput
from tools.sandbox.process import Sandboxed
from tools.sandbox.protocol import Execution, Limits, Outcome

# What a program that is well isolated finds: no network socket, a loaded filter, no way to gain privileges.
_PROBE = """
import socket, sys
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
wanted = {"Seccomp": "2", "NoNewPrivs": "1", "CapEff": "0000000000000000"}
wrong = [name for name, value in wanted.items() if status[name].strip() != value]
try:
    socket.socket(socket.AF_INET)
    wrong.append("network sockets")
except PermissionError:
    pass
sys.exit("not isolated: " + ", ".join(wrong) if wrong else 0)
"""
# A busy machine may take long over it, which says nothing about isolation.
_PROBE_LIMITS = Limits(cpu_seconds=30, wall_seconds=120.0)
_MEMORY_CHECK_SECONDS = 0.1
# how long the pipes may stay open after the sandbox was killed
_GRACE_SECONDS = 2.0
# how often, and how many seconds apart, to try to remove a control group in which processes are still dying
_DISSOLVE_ATTEMPTS, _DISSOLVE_SECONDS = 400, 0.005


class BubblewrapSandbox:
    """Runs programs one by one or many at once; it holds nothing between runs but the knowledge that isolation works.

    Limits beyond those of `Limits`: no network, no files of the machine but the system's libraries and the
    interpreter with its packages, two temporary file systems of ``file_bytes`` each, and ``memory_bytes`` for each
    process and for all of them together.
    """

    def __init__(self, bwrap: str = "bwrap") -> None:
        """``bwrap`` is the name or path of bubblewrap, looked up at each check."""
        self._bwrap = bwrap
        self._path: str | None = None

    async def check(self) -> str | None:
        """Run a probe: None if programs are isolated here, else why not and what to do about it."""
        self._path = None
        path = shutil.which(self._bwrap)
        if path is None:
            return diagnosis.MISSING
        if not seccomp.supported():
            return f"there is no system call filter for this machine ({os.uname().machine}): use x86_64 or aarch64"
        probe = await self._execute(path, _PROBE, _PROBE_LIMITS)
        if not probe.ok:
            said = probe.stderr or f"the probe ended with {probe.outcome} {probe.exit_code}"
            return said if probe.outcome == "refused" else f"the isolation has a gap: {said}"
        self._path = path
        return None

    async def run(self, program: str, limits: Limits = Limits()) -> Execution:
        """Run ``program``. ``exit_code`` is 128 + N for signal N, and None when it was stopped for time or refused.

        When cancelled, the program is killed before the cancellation goes on.
        """
        if self._path is None and (reason := await self.check()) is not None:
            return Execution(outcome="refused", stderr=reason)
        assert self._path is not None  # set by a check that found nothing wrong
        return await self._execute(self._path, program, limits)

    async def _execute(self, bwrap: str, program: str, limits: Limits) -> Execution:
        begin = time.monotonic()
        group = ControlGroup.create(limits.processes, limits.memory_bytes)
        try:
            try:
                interpreter = layout.Interpreter.current()
                sandboxed = await Sandboxed.start(bwrap, interpreter, program, limits, group)
            except (OSError, ModuleNotFoundError) as error:
                return Execution(
                    outcome="refused",
                    stderr=f"the sandbox could not be started: {error}",
                )
            try:
                return await self._follow(sandboxed, limits, group, begin)
            finally:
                sandboxed.kill()
                await sandboxed.process.wait()
                sandboxed.close()
        finally:
            await _dissolve(group)

    async def _follow(self, sandboxed: Sandboxed, limits: Limits, group: ControlGroup, begin: float) -> Execution:
        process = sandboxed.process
        assert process.stdout is not None and process.stderr is not None  # both were asked for as pipes
        out, err = (
            BoundedOutput(limits.output_bytes),
            BoundedOutput(limits.output_bytes),
        )
        reading = asyncio.gather(out.drain(process.stdout), err.drain(process.stderr))
        watching = asyncio.create_task(_outgrow(sandboxed, limits.memory_bytes, group))
        ending = asyncio.create_task(process.wait())
        try:
            await asyncio.wait(
                {ending, watching},
                timeout=limits.wall_seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
            stopped: Outcome | None = None
            if not ending.done():
                stopped = "memory" if watching.done() else "timeout"
                sandboxed.kill()
            code = await ending
            # A left-over child may hold the pipes until the kernel has killed it.
            with suppress(TimeoutError):
                await asyncio.wait_for(reading, _GRACE_SECONDS)
        finally:
            for task in (reading, watching, ending):
                task.cancel()
            await asyncio.gather(reading, watching, ending, return_exceptions=True)
        stderr = err.text()
        if not sandboxed.started():
            reason = diagnosis.explain(stderr, diagnosis.switches())
            return Execution(outcome="refused", stderr=reason, seconds=time.monotonic() - begin)
        outcome: Outcome = "memory" if group.out_of_memory() else stopped or outcome_of(code, stderr)
        return Execution(
            outcome=outcome,
            exit_code=None if stopped else code,
            stdout=out.text(),
            stderr=stderr,
            truncated=out.truncated or err.truncated,
            seconds=time.monotonic() - begin,
        )


async def _outgrow(sandboxed: Sandboxed, memory_bytes: int, group: ControlGroup) -> None:
    """Return when the processes together hold more than ``memory_bytes``, or the kernel killed one for that."""
    while True:
        await asyncio.sleep(_MEMORY_CHECK_SECONDS)
        if group.bounds_memory:
            # It kills one process only, and the others may wait for that one to the end of their time.
            if group.out_of_memory():
                return
            continue
        pid = sandboxed.init_pid()
        # a walk through /proc: file reads, off the event loop
        if pid is not None and await asyncio.to_thread(footprint.resident_bytes, pid) > memory_bytes:
            return


async def _dissolve(group: ControlGroup) -> None:
    """Remove the control group as soon as the kernel has cleared the last process out of it."""
    group.kill()
    for _ in range(_DISSOLVE_ATTEMPTS):
        if group.remove():
            return
        await asyncio.sleep(_DISSOLVE_SECONDS)
