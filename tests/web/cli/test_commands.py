"""The commands as processes, as a person types them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import processes


def _tandem(*arguments: str, folder: Path, text: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    known = {"TANDEM__STORAGE__DIRECTORY": str(folder / "data"), "COLUMNS": "300"}
    return subprocess.run(
        [str(Path(sys.executable).with_name("tandem")), *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=90,
        cwd=folder,
        check=False,
        env={**os.environ, **known, **environment},
    )


def test_init_writes_a_file_that_loads_and_never_overwrites_one(tmp_path: Path) -> None:
    assert _tandem("init", "--profile", "gpu", folder=tmp_path).returncode == 0
    written = (tmp_path / "tandem.toml").read_text()
    assert "sglang.launch_server" in written
    again = _tandem("init", "--profile", "cpu", folder=tmp_path)
    assert again.returncode == 1 and "--force" in again.stderr + again.stdout
    assert (tmp_path / "tandem.toml").read_text() == written


def test_ask_without_a_gateway_says_how_to_start_one(tmp_path: Path) -> None:
    asked = _tandem("ask", "Hello?", "--url", f"http://127.0.0.1:{processes.free_port()}", folder=tmp_path)
    assert asked.returncode == 1
    assert "make run" in asked.stderr


def test_doctor_names_what_is_missing_and_how_to_mend_it(tmp_path: Path) -> None:
    found = _tandem("doctor", folder=tmp_path, TANDEM__STORAGE__MODELS=str(tmp_path / "nothing"))
    assert found.returncode == 1
    assert "tandem models fetch" in found.stdout
    assert "problem model small" in " ".join(found.stdout.split())


def test_doctor_shows_the_line_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "tandem.toml").write_text("[gateway]\nport = 'many'\n")
    found = _tandem("doctor", folder=tmp_path)
    assert found.returncode == 1
    assert "tandem.toml:2: gateway.port: 'many'" in found.stdout


def test_doctor_says_of_a_port_that_there_is_none_such(tmp_path: Path) -> None:
    found = _tandem("doctor", folder=tmp_path, TANDEM__GATEWAY__PORT="70000")
    assert found.returncode == 1
    assert "TANDEM__GATEWAY__PORT: gateway.port: '70000' should be less than or equal to 65535" in found.stdout
    assert "Traceback" not in found.stderr


def test_serve_and_bench_refuse_a_ladder_that_could_not_be_climbed(tmp_path: Path) -> None:
    _tandem("init", folder=tmp_path)
    settings = tmp_path / "tandem.toml"
    settings.write_text(f"auto.ladders.high = ['programm(large)']\n{settings.read_text()}")
    for command in (("serve",), ("bench", "--data", str(tmp_path))):
        refused = _tandem(*command, folder=tmp_path)
        assert refused.returncode != 0
        assert "tandem.toml:1: auto.ladders.high.0: 'programm(large)' names no strategy" in refused.stderr


def test_bench_without_questions_says_where_to_put_them(tmp_path: Path) -> None:
    refused = _tandem("bench", "--data", str(tmp_path / "none"), folder=tmp_path, TANDEM_BENCH_DATA="")
    assert refused.returncode == 1
    assert "TANDEM_BENCH_DATA" in refused.stderr


def test_a_name_that_looks_like_markup_is_listed_as_it_is(tmp_path: Path) -> None:
    assert _tandem("keys", "create", "[/x]", folder=tmp_path).returncode == 0
    listed = _tandem("keys", "list", folder=tmp_path)
    assert "[/x]" in listed.stdout, listed.stderr


@pytest.mark.parametrize(
    ("setting", "command"),
    [("TANDEM__ACCEPTANCE__CARD", "tandem train acceptance"), ("TANDEM__AUTO__ASKING_CARD", "tandem train asking")],
)
def test_serve_says_at_once_that_a_card_cannot_be_read(tmp_path: Path, setting: str, command: str) -> None:
    refused = _tandem("serve", folder=tmp_path, **{setting: "nowhere.json"})
    assert refused.returncode == 1
    assert "nowhere.json" in refused.stderr and command in refused.stderr


def test_bench_says_that_a_card_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "gsm8k_test.jsonl").write_bytes(
        b'{"id": "x", "question": "1 + 1?", "answer": "2", "kind": "math", "answer_type": "number"}'
    )
    # Engines of one's own, so that none is started.
    engines = {f"TANDEM__MODELS__{role}__ENGINE__URL": "http://127.0.0.1:9" for role in ("small", "large")}
    only = ("--dataset", "gsm8k_test:1", "--system", "auto:medium", "--results", str(tmp_path), "--name", "x")
    refused = _tandem(
        "bench", "--data", str(tmp_path), *only, folder=tmp_path, TANDEM__AUTO__ASKING_CARD="nowhere.json", **engines
    )
    assert refused.returncode == 1
    assert "nowhere.json" in refused.stderr and "Traceback" not in refused.stderr


def test_an_address_without_a_scheme_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "tandem.toml").write_text('[observability]\nendpoint = "collector:4318"\n')
    refused = _tandem("doctor", folder=tmp_path)
    assert refused.returncode == 1
    assert "tandem.toml:2: observability.endpoint: 'collector:4318'" in refused.stdout and "http://" in refused.stdout
