"""Runs inside the sandbox below a line that sets ``MARKER``, ``CANDIDATE`` and ``CHECKS``; prints which checks passed.

Only the standard library: it runs where nothing of Tandem can be imported.
"""
# ruff: noqa: F821
# mypy: ignore-errors

import json
import math
import sys


def same(left, right):
    if isinstance(left, float) or isinstance(right, float):
        assert math.isclose(left, right, rel_tol=1e-6, abs_tol=1e-6)
    else:
        assert left == right


space = {"__name__": "candidate", "same": same}
exec(compile(CANDIDATE, "candidate.py", "exec"), space)
results = []
for check in CHECKS:
    try:
        exec(compile(check, "check.py", "exec"), space)
        results.append(True)
    except BaseException as error:  # noqa: BLE001 - a check may end in anything, also in SystemExit
        results.append(False)
        print(f"{check} failed: {type(error).__name__} {error}"[:400], file=sys.stderr)
print(MARKER + json.dumps(results))
