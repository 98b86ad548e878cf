"""The README's examples are run as they stand, against a real gateway over a scripted engine."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import processes
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer

_ROOT = Path(__file__).parents[2]
_README = (_ROOT / "README.md").read_text(encoding="utf-8")
_ADDRESS = "http://127.0.0.1:8000"


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", _README, re.DOTALL)


@pytest.fixture(scope="module")
def gateway(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("gateway")
    port = processes.free_port()
    with ScriptedServer(Script(default=say("Therefore it is \\boxed{420}."))) as engine:
        environment = {
            "TANDEM__STORAGE__DIRECTORY": str(folder / "data"),
            "TANDEM__GATEWAY__PORT": str(port),
            "TANDEM__MODELS__SMALL__ENGINE__URL": engine.url,
            "TANDEM__MODELS__LARGE__ENGINE__URL": engine.url,
            "REDIS_URL": redis_url,
        }
        command = [sys.executable, "-m", "web.gateway"]
        url = f"http://127.0.0.1:{port}"
        with processes.running(
            command, lambda: processes.answers(f"{url}/healthz"), folder / "log", environment=environment
        ):
            yield url


def test_the_curl_example_streams_an_answer(gateway: str) -> None:
    example = next(block for block in _blocks("sh") if block.startswith("curl"))
    done = subprocess.run(
        ["bash", "-c", example.replace(_ADDRESS, gateway)], capture_output=True, text=True, timeout=60, check=True
    )
    chunks = [json.loads(line[6:]) for line in done.stdout.splitlines() if line.startswith("data: {")]
    content = "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])
    assert content == "420"
    assert done.stdout.rstrip().endswith("data: [DONE]")


def test_the_python_example_prints_the_answer(gateway: str) -> None:
    (example,) = _blocks("python")
    done = subprocess.run(
        [sys.executable, "-c", example.replace(_ADDRESS, gateway)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == "420"


def test_the_terminal_example_prints_answer_and_trace(gateway: str) -> None:
    example = next(block for block in _blocks("sh") if "tandem ask" in block)
    arguments = (
        example.replace(".venv/bin/tandem", str(Path(sys.executable).with_name("tandem"))).strip() + f" --url {gateway}"
    )
    done = subprocess.run(["bash", "-c", arguments], capture_output=True, text=True, timeout=60, check=True, cwd=_ROOT)
    assert done.stdout.strip() == "420"
    assert "route    program(large)" in done.stderr
    assert re.search(r"tokens written: large \d+ · \d+\.\d s", done.stderr)


def test_every_document_the_readme_names_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", _README)
    assert links
    assert [link for link in links if not (_ROOT / link).exists()] == []
