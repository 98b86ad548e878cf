"""The commands that the settings make of engines."""

from pathlib import Path

import pytest

from orchestrator.settings import EngineSettings, ModelSettings, Settings
from orchestrator.stack.parts import engine_parts, worker_parts


def _settings(small: Path, large: Path, draft: str) -> Settings:
    return Settings(
        models={
            "little": ModelSettings(role="small", parameters=0.5, engine=EngineSettings(file=str(small))),
            "big": ModelSettings(role="large", parameters=1.5, engine=EngineSettings(file=str(large), draft=draft)),
        }
    )


@pytest.mark.parametrize("named", [True, False])
def test_an_engine_drafts_with_a_configured_model_or_a_file(tmp_path: Path, named: bool) -> None:
    small, large = tmp_path / "small.gguf", tmp_path / "large.gguf"
    small.write_bytes(b"GGUF")
    large.write_bytes(b"GGUF")
    settings = _settings(small, large, "little" if named else str(small))
    commands = {part.name: list(part.command) for part in engine_parts(settings)}
    flags = commands["engine big"]
    assert flags[flags.index("--draft") + 1] == str(small)
    assert "--draft" not in commands["engine little"]


def test_every_queue_has_a_worker_and_learning_does_not_keep_programs_waiting(tmp_path: Path) -> None:
    config = tmp_path / "tandem.toml"
    parts = worker_parts(_settings(tmp_path, tmp_path, ""), config)
    queues = {part.name: part.command[part.command.index("--queues") + 1] for part in parts}
    assert queues == {"worker collaborate": "collaborate", "worker sandbox": "sandbox", "worker learn": "learn"}
    learn = next(part for part in parts if part.name == "worker learn")
    assert learn.environment["TANDEM_CONFIG"] == str(config)
