"""What a report says of where it was made."""

from pathlib import Path

import pytest

from bench.record import machine
from bench.solving import build_of
from orchestrator.settings import EngineSettings


def _driver(folder: Path, prints: str) -> None:
    tool = folder / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{prints}\n")
    tool.chmod(0o755)


def test_a_machine_names_its_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    plain = machine()
    assert "cores" in plain and plain.endswith("GiB")
    _driver(tmp_path, "echo NVIDIA H100; echo NVIDIA L4")
    assert machine() == f"{plain}, NVIDIA H100, NVIDIA L4"
    _driver(tmp_path, "echo no devices were found; exit 9")
    assert machine() == plain


def test_a_server_of_ones_own_is_not_taken_for_the_engine_that_would_be_started_here() -> None:
    here, elsewhere = build_of(EngineSettings()), build_of(EngineSettings(url="http://127.0.0.1:9000"))
    assert here != elsewhere != build_of(EngineSettings(url="http://127.0.0.1:9001"))
