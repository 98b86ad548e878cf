"""A benchmark over two sets of questions and the scripted engine."""

import json
from pathlib import Path

import pytest

from bench.collaboration.command import Bench
from bench.collaboration.gpu import GpuModel
from bench.collaboration.plan import Part
from tests.bench.collaboration.answers import settings_of


@pytest.fixture
def two_sets(tmp_path: Path) -> Bench:
    """Without the engines' addresses, which a test adds."""
    for name in ("gsm8k_test", "other"):
        lines = [
            {"id": f"{name}/{number}", "question": f"{number}?", "answer": "1", "kind": "math", "answer_type": "number"}
            for number in range(2)
        ]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    return Bench(
        settings=settings_of(""),
        parts=(Part("gsm8k_test", 2), Part("other", 1)),
        policies=("entropy", "leader"),
        data=tmp_path,
        cache=tmp_path / "traces.sqlite",
        results=tmp_path,
        head=None,
        gpu=GpuModel(),
        at_once=2,
    )
