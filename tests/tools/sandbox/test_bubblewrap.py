"""What a well-meaning program finds in the sandbox."""

import asyncio
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.waiting import eventually
from tools.sandbox.bubblewrap import BubblewrapSandbox
from tools.sandbox.protocol import Execution, Sandbox

Run = Callable[..., Awaitable[Execution]]


async def test_output_and_exit_code(run: Run) -> None:
    execution = await run("import sys\nprint('out')\nprint('err', file=sys.stderr)\nsys.exit(3)")
    assert execution.outcome == "exited"
    assert (execution.exit_code, execution.stdout, execution.stderr) == (3, "out\n", "err\n")
    assert not execution.ok
    assert not execution.truncated


@pytest.mark.parametrize(
    ("program", "output"),
    [
        ("import numpy; print(round(numpy.linalg.det(numpy.eye(3) * 2)))", "8"),
        ("import sympy; print(sympy.factor('x**2 - 1'))", "(x - 1)*(x + 1)"),
        ("import z3; x = z3.Int('x'); s = z3.Solver(); s.add(x > 3, x < 5); s.check(); print(s.model()[x])", "4"),
        ("import math, itertools, fractions, datetime, decimal, re, json, random; print(math.comb(5, 2))", "10"),
        ("print('ünï ∑')", "ünï ∑"),
        ("import multiprocessing\nwith multiprocessing.Pool(2) as p: print(p.map(abs, [-1, -2]))", "[1, 2]"),
        ("import subprocess, sys; print(subprocess.check_output([sys.executable, '-c', 'print(1)'], text=True))", "1"),
        ("import tempfile\nwith tempfile.TemporaryFile() as f: print(f.write(b'abc'))", "3"),
        ("open('notes', 'w').write('kept'); print(open('notes').read())", "kept"),
        ("from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\nprint(P(1))", "P(x=1)"),
        ("if __name__ == '__main__': print('main')", "main"),
        ("print(input() if False else 'no input needed')", "no input needed"),
        ("import threading; t = threading.Thread(target=print, args=('thread',)); t.start(); t.join()", "thread"),
    ],
)
async def test_ordinary_programs_run(program: str, output: str, run: Run) -> None:
    execution = await run(program)
    assert execution.ok, execution
    assert execution.stdout.strip() == output


async def test_a_traceback_shows_the_program_and_nothing_of_the_sandbox(run: Run) -> None:
    execution = await run("def f():\n    return 1 / 0\nf()")
    assert execution.exit_code == 1
    assert execution.stderr.splitlines()[:2] == [
        "Traceback (most recent call last):",
        '  File "/home/sandbox/program.py", line 3, in <module>',
    ]
    assert execution.stderr.endswith("ZeroDivisionError: division by zero\n")
    assert "bootstrap" not in execution.stderr


async def test_a_syntax_error_is_the_programs(run: Run) -> None:
    execution = await run("def f(:\n")
    assert (execution.outcome, execution.exit_code) == ("exited", 1)
    assert "SyntaxError" in execution.stderr
    assert "bootstrap" not in execution.stderr


async def test_there_is_no_standard_input_to_wait_for(run: Run) -> None:
    execution = await run("input()")
    assert "EOFError" in execution.stderr


async def test_a_crash_reads_as_killed(run: Run) -> None:
    execution = await run("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    assert (execution.outcome, execution.exit_code) == ("killed", 139)


@pytest.mark.parametrize("program", ["", "\ud800", "print('\x00')", "#" * 1_000_000])
async def test_odd_sources_do_not_upset_it(program: str, run: Run) -> None:
    assert (await run(program)).outcome == "exited"


async def test_programs_share_nothing(run: Run) -> None:
    await run("open('/tmp/left', 'w').write('here'); open('left', 'w').write('here')")
    execution = await run("import os; print(os.path.exists('/tmp/left'), os.path.exists('left'))")
    assert execution.stdout == "False False\n"


async def test_many_at_once(sandbox: BubblewrapSandbox) -> None:
    executions = await asyncio.gather(*(sandbox.run(f"print({n})") for n in range(6)))
    assert [e.stdout for e in executions] == [f"{n}\n" for n in range(6)]


async def test_without_bubblewrap_nothing_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    sandbox: Sandbox = BubblewrapSandbox()
    execution = await sandbox.run(f"open({str(tmp_path / 'ran')!r}, 'w')")
    assert execution.outcome == "refused"
    assert "`bubblewrap`" in execution.stderr
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("bwrap: No permissions to create new namespace", "user namespaces"),
        ("bwrap: Can't mount proc on /newroot/proc: Operation not permitted", "systempaths=unconfined"),
        ("bwrap: Unknown option --disable-userns", "0.8"),
    ],
)
async def test_a_bubblewrap_that_fails_is_a_refusal_with_advice(said: str, advice: str, open_folder: Path) -> None:
    """Machines that forbid namespaces can not be had here, so a script says what bubblewrap says there."""
    failing = _script(open_folder, f'echo "{said}" >&2\nexit 1')
    execution = await BubblewrapSandbox(str(failing)).run("print(1)")
    assert execution.outcome == "refused"
    assert said in execution.stderr
    assert advice in execution.stderr


@pytest.mark.parametrize("said", ["echo 1", "exec /bin/sh -c 'exit 0'"])
async def test_a_bubblewrap_that_does_not_isolate_is_a_refusal(said: str, open_folder: Path) -> None:
    fake = _script(open_folder, said)
    assert (await BubblewrapSandbox(str(fake)).run("print(1)")).outcome == "refused"


async def test_what_bubblewrap_had_begun_when_it_was_killed_is_not_left_over(open_folder: Path) -> None:
    """Bubblewrap's inner half asks to die with the outer one only after it was made; here it never does."""
    seconds = str(600 + secrets.randbelow(10**6) / 10**6)
    slow = _script(open_folder, f"sleep {seconds} & wait")

    def sleeping() -> bool:
        return any(_called(process) == ["sleep", seconds] for process in Path("/proc").glob("[0-9]*"))

    running = asyncio.create_task(BubblewrapSandbox(str(slow)).run("print(1)"))
    await eventually(sleeping)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await eventually(lambda: not sleeping())


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that the sandbox's own user can reach; pytest's are closed to it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def _called(process: Path) -> list[str]:
    with suppress(OSError):
        return (process / "cmdline").read_text().rstrip("\0").split("\0")
    return []


def _script(folder: Path, body: str) -> Path:
    script = folder / "bwrap"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)
    return script


async def test_it_can_be_imported_and_run_outside_of_a_terminal() -> None:
    sandboxed = "asyncio.run(BubblewrapSandbox().run('print(5)'))"
    code = f"import asyncio\nfrom tools.sandbox.bubblewrap import BubblewrapSandbox\nprint({sandboxed}.stdout)"
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        cwd=Path(__file__).parents[3],
    )
    assert done.stdout.strip() == "5", done.stderr
