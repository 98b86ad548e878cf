"""Runs inside the sandbox ahead of a session's block: replays the earlier ones, and at the end reports the files.

Its globals ``MARKER``, ``BLOCKS``, ``SEED``, ``CPU_SECONDS`` (the block's own), ``FILES_BYTES``, ``MOST_FILES`` and
``SPACE`` (the program's own) are given to it.
Only the standard library: it runs where nothing of Tandem can be imported.
"""
# ruff: noqa: F821
# mypy: ignore-errors

import atexit
import base64
import contextlib
import io
import json
import math
import os
import random
import resource
import sys
import time

_HOME = os.getcwd()


def report() -> None:
    plots = sys.modules.get("matplotlib.pyplot")
    if plots is not None:
        for number in plots.get_fignums():
            plots.figure(number).savefig(os.path.join(_HOME, f"figure-{number}.png"))
    found, left = [], FILES_BYTES
    for folder, folders, names in os.walk(_HOME):
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
        for name in sorted(names):
            path = os.path.join(folder, name)
            shown = os.path.relpath(path, _HOME)
            if name.startswith(".") or shown == "program.py" or os.path.islink(path) or not os.path.isfile(path):
                continue
            size = os.path.getsize(path)
            if size > left or len(found) >= MOST_FILES:
                continue
            left -= size
            with open(path, "rb") as file:
                content = base64.b64encode(file.read(size)).decode()
            found.append({"name": shown, "content": content})
    if found:
        sys.__stdout__.write(MARKER + json.dumps(found))
        sys.__stdout__.flush()


def register(function, *arguments, **named):
    # Ours stays the one that runs first: matplotlib's own would have closed the figures by then.
    atexit.unregister(report)
    registered(function, *arguments, **named)
    registered(report)
    return function


os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("MPLCONFIGDIR", "/tmp")
registered, atexit.register = atexit.register, register
registered(report)
# What an earlier block drew it draws again. numpy, secrets and uuid begin with what the system gives them.
random.seed(SEED)
os.urandom = random._urandom = random.Random(SEED + 1).randbytes
for _block in BLOCKS:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        exec(compile(_block, "earlier block", "exec"), SPACE)
# The time of the earlier blocks was granted beside the block's own, which is no longer for that.
_soft, _hard = resource.getrlimit(resource.RLIMIT_CPU)
resource.setrlimit(resource.RLIMIT_CPU, (min(math.ceil(time.process_time()) + CPU_SECONDS, _soft), _hard))
