"""``tandem train divergence``: from questions to a head that serves its pair, with a scripted large model and a small
one of a few thousand weights in torch."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.processes import free_port
from tests.tiny_model import write_tiny_model
from web.cli.main import build
from workers.divergence.shelf import HeadShelf
from workers.engines.scripted.script import Reply, Script, say
from workers.engines.scripted.server import ScriptedServer

pytest.importorskip("torch", reason="training needs the extra `worker`")

LARGE = "b" * 64
SCRIPT = Script(
    context=4096,
    # Every second pair of sentences means the same.
    replies=(Reply(match="Compare two phrases", texts=("same", "different")),),
    default=say("It is 4. "),
)


@dataclass
class Bench:
    """A folder of questions and the settings of a pair."""

    folder: Path
    large: ScriptedServer
    small: str

    @property
    def head(self) -> Path:
        return self.folder / "head.npz"

    def train(self, *arguments: str) -> Result:
        common = ("--data", str(self.folder), "--dataset", "easy", "--folder", str(self.folder / "work"))
        return CliRunner().invoke(build(), ["train", "divergence", *common, "--out", str(self.head), *arguments])


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    model = write_tiny_model(tmp_path / "tiny.gguf")
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    rows = [
        {"id": f"easy/{number}", "question": f"{number} + 2?", "answer": "4", "kind": "math", "answer_type": "number"}
        for number in range(6)
    ]
    (tmp_path / "easy.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with ScriptedServer(SCRIPT) as large:
        environment = {
            "STORAGE__DIRECTORY": str(tmp_path),
            "STORAGE__MODELS": str(tmp_path / "models"),
            "MODELS__SMALL__SHA256": digest,
            "MODELS__SMALL__ENGINE__FILE": str(model),
            # Nothing is asked of it: the small model is read in torch.
            "MODELS__SMALL__ENGINE__URL": large.url,
            "MODELS__SMALL__ENGINE__THREADS": "1",
            "MODELS__LARGE__SHA256": LARGE,
            "MODELS__LARGE__ENGINE__URL": large.url,
        }
        for name, value in environment.items():
            monkeypatch.setenv(f"TANDEM__{name}", value)
        monkeypatch.chdir(tmp_path)
        yield Bench(tmp_path, large, digest)


def test_a_head_is_trained_and_serves_its_pair(bench: Bench) -> None:
    trained = bench.train("--labels", "1000")
    assert trained.exit_code == 0, trained.output
    assert "readings: 6 of 6" in trained.output
    assert "large_share_entropy" in trained.output
    head = HeadShelf().find(bench.small, LARGE, str(bench.head))
    assert head is not None
    assert head.card.metrics["questions"] == 6
    assert 0 < head.card.metrics["divergent"] < head.card.labels


def test_labels_alone_are_made_first_and_trained_on_without_any_engine(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    labelled = bench.train("--labels", "1000", "--labels-only")
    assert labelled.exit_code == 0, labelled.output
    assert "labels of 6 answers" in " ".join(labelled.output.split())
    assert not bench.head.exists()
    asked = bench.large.stats.requests
    monkeypatch.setenv("TANDEM__MODELS__LARGE__ENGINE__URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("TANDEM__MODELS__SMALL__ENGINE__FILE", "gone.gguf")
    trained = bench.train("--labels", "1000")
    assert trained.exit_code == 0, trained.output
    assert HeadShelf().find(bench.small, LARGE, str(bench.head)) is not None
    assert bench.large.stats.requests == asked


def test_too_few_labels_and_the_folder_of_another_pair_are_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    few = bench.train("--rows", "2")
    assert (few.exit_code, bench.head.exists()) == (1, False)
    assert "label more" in few.output
    monkeypatch.setenv("TANDEM__MODELS__LARGE__SHA256", "c" * 64)
    other = bench.train()
    assert other.exit_code == 1
    assert "give another folder" in " ".join(other.output.split())
