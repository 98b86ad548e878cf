"""One bubblewrap process: what it inherits, how it is started, how it is stopped."""

import asyncio
import json
import os
import secrets
import signal
from contextlib import ExitStack, suppress
from pathlib import Path

from tools.sandbox import launcher, layout, seccomp
from tools.sandbox.cgroup import ControlGroup
from tools.sandbox.protocol import Limits

_HERE = Path(__file__).parent
# Above what distributions and container runtimes hand out; a uid for each run, so that its processes are counted alone.
_FIRST_UID, _UIDS = 1_880_000_000, 2**20


class Sandboxed:
    """A started program. Use `start`; `close` after the end, whatever the end was."""

    def __init__(self, process: asyncio.subprocess.Process, info: int, status: int) -> None:
        self.process = process
        self._info = info
        self._status = status
        self._init_pid: int | None = None

    @classmethod
    async def start(
        cls,
        bwrap: str,
        interpreter: layout.Interpreter,
        program: str,
        limits: Limits,
        group: ControlGroup,
    ) -> "Sandboxed":
        """Start ``program``. Raises OSError where not even bubblewrap can be started."""
        with ExitStack() as inherited, ExitStack() as kept:
            info, info_end = _pipe(kept, inherited)
            status, status_end = _pipe(kept, inherited)
            descriptors = layout.Descriptors(
                program=_content(inherited, program.encode("utf-8", errors="replace")),
                bootstrap=_content(inherited, (_HERE / "bootstrap.py").read_bytes()),
                passwd=_content(inherited, layout.passwd().encode()),
                seccomp=_content(inherited, seccomp.program()),
                info=info_end,
                status=status_end,
            )
            process = await asyncio.create_subprocess_exec(
                *_command(bwrap, interpreter, descriptors, limits, group),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                pass_fds=descriptors.all(),
                # not only cleared inside: /proc/1/environ is what bubblewrap itself was started with
                env={},
                cwd="/",
                process_group=0,
            )
            kept.pop_all()
        return cls(process, info, status)

    def started(self) -> bool:
        """Whether the program itself began to run, which is not before all isolation is in place."""
        with suppress(BlockingIOError):
            return os.read(self._status, 1) == b"1"
        return False

    def init_pid(self) -> int | None:
        """The host's number of the first process in the sandbox; None until it is there."""
        if self._init_pid is None:
            with suppress(BlockingIOError, ValueError, KeyError):
                self._init_pid = int(json.loads(os.read(self._info, 4096))["child-pid"])
        return self._init_pid

    def kill(self) -> None:
        """Kill the outer bubblewrap; the kernel then kills the sandbox's init and with it the whole tree.

        Where the init has not yet asked for that, it is still in the outer one's process group, which dies as a whole.
        """
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def close(self) -> None:
        os.close(self._info)
        os.close(self._status)


def _command(
    bwrap: str,
    interpreter: layout.Interpreter,
    descriptors: layout.Descriptors,
    limits: Limits,
    group: ControlGroup,
) -> list[str]:
    settings = limits.model_dump() | {"packages": interpreter.packages}
    # What -I is for, but with the environment, which holds nothing but what the layout puts there.
    python = [interpreter.executable, "-P", "-s", "-B", layout.BOOTSTRAP]
    python += [str(descriptors.status), json.dumps(settings), layout.PROGRAM]
    shown = interpreter.read_only()
    root = os.geteuid() == 0
    hidden = [path for path in shown if root and not _reachable(path)]
    binds = [(f"{launcher.STAGING}/{hidden.index(p)}" if p in hidden else p, p) for p in shown]
    command = [bwrap, *layout.arguments(binds, descriptors, limits, python)]
    if not root:
        # Joining needs no privilege beyond owning the group, but a process can only be moved from outside bubblewrap.
        return command
    plan = {
        "uid": _FIRST_UID + secrets.randbelow(_UIDS),
        "stage": [[path, str(number)] for number, path in enumerate(hidden)],
        "groups": group.entrances(),
        "command": command,
    }
    return [
        interpreter.executable,
        "-I",
        "-S",
        str(_HERE / "launcher.py"),
        json.dumps(plan),
    ]


def _reachable(path: str) -> bool:
    """Whether any user can get to ``path``."""
    return all(folder.stat().st_mode & 0o001 for folder in Path(path).parents)


def _pipe(kept: ExitStack, inherited: ExitStack) -> tuple[int, int]:
    reading, writing = os.pipe()
    kept.callback(os.close, reading)
    inherited.callback(os.close, writing)
    os.set_blocking(reading, False)
    return reading, writing


def _content(inherited: ExitStack, data: bytes) -> int:
    """A descriptor that reads as ``data``."""
    descriptor = os.memfd_create("sandbox")
    inherited.callback(os.close, descriptor)
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
