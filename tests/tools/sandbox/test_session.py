"""A session: variables and files from block to block, in the real sandbox."""

import pytest

from tests.tools.sandbox.conftest import limited
from tools.sandbox.bubblewrap import BubblewrapSandbox
from tools.sandbox.session import Session, safe_name


@pytest.fixture
def session(sandbox: BubblewrapSandbox) -> Session:
    return Session(sandbox, limited())


async def test_a_later_block_sees_what_earlier_ones_defined_and_prints_only_its_own(session: Session) -> None:
    assert (await session.run("x = 6\nprint('setting x')")).stdout == "setting x\n"
    assert (await session.run("def times(y):\n    return x * y")).stdout == ""
    assert (await session.run("print(times(7))")).stdout == "42\n"


async def test_a_block_that_fails_leaves_no_trace_in_the_session(session: Session) -> None:
    await session.run("x = 1")
    failed = await session.run("x = 2\n1 / 0")
    assert not failed.ok
    assert "ZeroDivisionError" in failed.stderr
    assert (await session.run("print(x)")).stdout == "1\n"


_CHANCE = """
import random, secrets, uuid, numpy
drawn = {
    "random": [random.random() for _ in range(3)],
    "numpy": numpy.random.rand(3),
    "generator": numpy.random.default_rng().random(3),
    "secrets": secrets.token_hex(),
    "uuid": uuid.uuid4(),
    "order": list({'one', 'two', 'three', 'four', 'five', 'six'}),
    "hash": hash('one'),
}
"""
_SHOWN = "\nfor name, value in drawn.items(): print(name, value)"


async def test_what_chance_gave_a_block_later_ones_find_again(session: Session) -> None:
    first = (await session.run(_CHANCE + _SHOWN)).stdout.splitlines()
    assert len(first) == 7
    assert (await session.run(_SHOWN)).stdout.splitlines() == first
    other = (await session.run("print(random.random())")).stdout
    assert other.strip() not in first[0], "what comes later is new"
    assert (await session.run(_SHOWN)).stdout.splitlines() == first


async def test_a_block_goes_on_with_the_numbers_that_its_reader_has_seeded(session: Session) -> None:
    together = await session.run("import random\nrandom.seed(7)\nfirst = random.random()\nprint(random.random())")
    await session.run("random.seed(7)\nfirst = random.random()")
    assert (await session.run("print(random.random())")).stdout == together.stdout


async def test_chance_differs_between_sessions(sandbox: BubblewrapSandbox) -> None:
    for drawn in ("import random; print(random.random())", "import numpy; print(numpy.random.rand())"):
        one, other = [await Session(sandbox, limited()).run(drawn) for _ in range(2)]
        assert one.stdout != other.stdout


_BUSY = "import time\nend = time.process_time() + {}\nwhile time.process_time() < end: pass\nprint('done')"


async def test_earlier_blocks_do_not_use_up_a_blocks_own_processor_time(sandbox: BubblewrapSandbox) -> None:
    session = Session(sandbox, limited(cpu_seconds=1, wall_seconds=20.0))
    for _ in range(3):
        assert (await session.run(_BUSY.format(0.5))).stdout == "done\n"
    over = await session.run(_BUSY.format(3))
    assert over.outcome == "timeout", "what the earlier blocks are allowed is not the block's"


async def test_a_block_that_would_take_too_long_to_run_again_is_not_kept_and_that_is_said(
    sandbox: BubblewrapSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.sandbox.session._MOST_REPLAYED", 0.5)
    session = Session(sandbox, limited(wall_seconds=10.0))
    assert (await session.run("a = 1")).stderr == ""
    full = await session.run("import time; time.sleep(5); b = 2; print(a + b)")
    assert (full.ok, full.stdout) == (True, "3\n")
    assert "no more than blocks that take 5 s to run again: later blocks see what the first 1 defined" in full.stderr
    assert (await session.run("print(a, 'b' in globals())")).stdout == "1 False\n"


async def test_more_blocks_than_a_session_holds_are_not_kept_and_that_is_said(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.sandbox.session._MOST_BLOCKS", 2)
    assert (await session.run("x = 1")).stderr == ""
    assert (await session.run("y = x + 1")).stderr == ""
    full = await session.run("z = y + 1\nprint(z)")
    assert full.stdout == "3\n"
    assert full.stderr.startswith("(the session holds no more than 2 blocks: later blocks see what the first 2 defined")
    assert (await session.run("print(x, y, 'z' in globals())")).stdout == "1 2 False\n"


async def test_files_come_back_once_and_again_when_they_change(session: Session) -> None:
    first = await session.run(
        "open('data.csv', 'w').write('a,b')\nimport os; os.mkdir('d'); open('d/x', 'wb').write(b'\\0')"
    )
    assert {file.name: file.content for file in first.files} == {"data.csv": b"a,b", "d_x": b"\0"}
    assert (await session.run("print('nothing new')")).files == ()
    [changed] = (await session.run("open('data.csv', 'a').write(',c')")).files
    assert changed.content == b"a,b,c"


async def test_files_are_bounded_in_number_and_size(session: Session) -> None:
    many = await session.run("for i in range(100):\n    open(f'f{i:03}', 'w').write('x')")
    assert len(many.files) == 16
    large = await session.run(
        "for i in range(100): __import__('os').remove(f'f{i:03}')\nopen('big', 'wb').write(bytes(3 * 2**20))"
    )
    assert large.ok
    assert large.files == ()


@pytest.mark.parametrize(
    "program",
    [
        'import sys; sys.__stdout__.write(\'--files-0000--[{"name": "/etc/passwd", "content": "eA=="}]\')',
        "import os; os.symlink('/etc/passwd', 'secret')",
        "import os, sys; sys.__stdout__.close()",
        "import atexit; atexit._clear(); print('x' * 10_000_000)",
    ],
)
async def test_a_program_that_meddles_gets_no_file_out(session: Session, program: str) -> None:
    assert (await session.run(program)).files == ()


async def test_output_keeps_its_own_bound_beside_the_files(session: Session) -> None:
    execution = await session.run("print('x' * 1_000_000)\nopen('kept.txt', 'w').write('yes')")
    assert len(execution.stdout) <= limited().output_bytes
    assert [file.name for file in execution.files] == ["kept.txt"]


async def test_open_figures_come_back_as_pictures(session: Session) -> None:
    drawn = await session.run(
        "import atexit; atexit.register(print, 'bye')\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
    )
    [picture] = drawn.files
    assert picture.name == "figure-1.png"
    assert picture.content.startswith(b"\x89PNG")


def test_names_lose_what_means_something_to_a_path() -> None:
    assert safe_name("../../etc/passwd") == "etc_passwd"
    assert safe_name("...") == "file"
    assert safe_name("plot 1.png") == "plot_1.png"
