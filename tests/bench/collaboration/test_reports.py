"""Which reports a run of the collaboration benchmark leaves, and under which names."""

import json
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from bench.collaboration.command import main
from bench.collaboration.gpu import read_gpu
from tests.bench.collaboration.answers import SCRIPT
from workers.engines.scripted.server import ScriptedServer


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to run in, with a question and the settings of a pair whose engines are one scripted server."""
    monkeypatch.chdir(tmp_path)
    line = {"id": "gsm8k_test/1", "question": "1?", "answer": "1", "kind": "math", "answer_type": "number"}
    (tmp_path / "gsm8k_test.jsonl").write_text(json.dumps(line))
    return tmp_path


def _run(folder: Path, *options: str) -> Result:
    app = Typer()
    app.command()(main)
    with ScriptedServer(SCRIPT) as server:
        models = [
            f'[models.{role}]\nrole = "{role}"\nparameters = {billions}\n[models.{role}.engine]\nurl = "{server.url}"\n'
            for role, billions in (("small", 0.5), ("large", 1.5))
        ]
        (folder / "tandem.toml").write_text("\n".join(models))
        where = ["--data", str(folder), "--cache", str(folder / "traces.sqlite"), "--results", str(folder / "results")]
        result = CliRunner().invoke(app, [*where, "--dataset", "gsm8k_test:1", *options])
    assert result.exit_code == 0, result.output
    return result


def test_a_part_of_the_policies_is_reported_only_under_a_name_of_its_own(pair: Path) -> None:
    assert "no report" in _run(pair, "--only", "entropy").output
    assert not (pair / "results").exists()
    _run(pair, "--only", "entropy", "--name", "one-policy")
    assert [path.name for path in sorted((pair / "results").iterdir())] == ["one-policy.json", "one-policy.png"]
    report = json.loads((pair / "results/one-policy.json").read_text())
    assert (report["bench"], {row["system"] for row in report["rows"]}) == ("one-policy", {"small", "large", "entropy"})


def test_what_tokens_cost_where_answers_were_timed_is_left_as_a_gpus_costs_are_read(pair: Path) -> None:
    _run(pair, "--timing", "--only", "leader", "--name", "times")
    costs = read_gpu(pair / "results/times-costs.json")
    assert set(costs.models) == {0.5, 1.5}
    assert costs.hop >= 0
    assert all(0 < each.decode < 1 for each in costs.models.values())
