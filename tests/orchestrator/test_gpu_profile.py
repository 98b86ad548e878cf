"""The profile for GPUs: what it names is found, and the servers it says to start are the ones it asks."""

import json
import re
import shlex
from pathlib import Path

import pytest

from orchestrator.model_park import build_engine
from orchestrator.settings import Settings
from orchestrator.settings_file import load_settings, profile_text
from tests import processes
from tests.hub_server import HubServer, hub_server
from workers.engines.chat_template import TokenizerFolderError
from workers.engines.sglang import SGLangEngine

TEMPLATE = "{% for message in messages %}[{{ message.role }}] {{ message.content }} {% endfor %}[assistant]"
NAMES = ("small", "large")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    file = tmp_path / "tandem.toml"
    file.write_text(profile_text("gpu"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "huggingface"))
    return load_settings(file, {"TANDEM__STORAGE__MODELS": str(tmp_path / "models")})


def hub_of(*repositories: str) -> HubServer:
    configuration = json.dumps({"chat_template": TEMPLATE}).encode()
    files = {"config.json": b'{"vocab_size": 9}', "tokenizer_config.json": configuration}
    return HubServer({f"/{r}/resolve/main/{name}": data for r in repositories for name, data in files.items()})


async def test_its_tokenizers_are_found_by_their_hub_names(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with hub_server(hub_of("Qwen/Qwen3-1.7B", "Qwen/Qwen3-32B")) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        for name in NAMES:
            engine = build_engine(settings, name)
            assert await engine.render([{"role": "user", "content": "Hi"}]) == "[user] Hi [assistant]"
            await engine.aclose()


async def test_without_them_an_engine_says_what_to_do(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{processes.free_port()}")
    engine = build_engine(settings, "large")
    with pytest.raises(TokenizerFolderError, match=r"engine 'large': .*Qwen/Qwen3-32B.*`tokenizer`.*tandem\.toml"):
        await engine.render([{"role": "user", "content": "Hi"}])
    await engine.aclose()


async def test_a_hub_name_that_the_server_itself_reports_is_found_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = hub_of("Qwen/Qwen3-1.7B")
    server.files = {**server.files, "/model_info": b'{"tokenizer_path": "Qwen/Qwen3-1.7B"}'}
    monkeypatch.setenv("HF_HOME", str(tmp_path / "huggingface"))
    with hub_server(server):
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        engine = SGLangEngine("small", server.url, models=tmp_path / "models")
        assert await engine.render([{"role": "user", "content": "Hi"}]) == "[user] Hi [assistant]"
        await engine.aclose()


def test_the_servers_that_it_says_to_start_are_the_ones_that_it_asks(settings: Settings) -> None:
    text = re.sub(r"^# ?", "", profile_text("gpu"), flags=re.MULTILINE).replace("\\\n", " ")
    started = {}
    for line in text.splitlines():
        words = shlex.split(line) if "sglang.launch_server" in line else []
        if words:
            started[words[words.index("--served-model-name") + 1]] = words
    assert set(started) == set(NAMES)
    for name in NAMES:
        words, engine = started[name], settings.models[name].engine
        assert engine.url.endswith(":" + words[words.index("--port") + 1])
        assert engine.tokenizer == words[words.index("--model-path") + 1]
        assert engine.context == int(words[words.index("--context-length") + 1])
        assert "--incremental-streaming-output" in words
    assert "export SGLANG_RETURN_ORIGINAL_LOGPROB=1" in text
