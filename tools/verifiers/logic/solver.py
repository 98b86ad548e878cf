"""Runs inside the sandbox below a line that sets ``MARKER``, ``SCRIPTS`` and ``MILLISECONDS``: decides each script."""
# ruff: noqa: F821
# mypy: ignore-errors

import json

import z3


def check(text):
    solver = z3.Solver(ctx=z3.Context())
    solver.set("timeout", MILLISECONDS)
    solver.from_string(text)
    return str(solver.check())


results = []
for given, conclusion in SCRIPTS:
    try:
        # Is its opposite impossible, and is it itself?
        results.append([check(f"{given}\n(assert (not {conclusion}))"), check(f"{given}\n(assert {conclusion})")])
    except z3.Z3Exception:
        results.append(["unknown", "unknown"])
print(MARKER + json.dumps(results))
