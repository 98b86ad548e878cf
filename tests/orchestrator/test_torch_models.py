"""Models of kind ``torch``: the gateway knows where they are, and leaves them to the worker."""

from pathlib import Path

import pytest

from orchestrator.model_files import fetched_here, served_here
from orchestrator.model_park import ModelPark, build_engine, engine_address
from orchestrator.settings import EngineSettings, ModelSettings, Settings
from workers.engines.errors import EngineRefused
from workers.engines.protocol import Sampling
from workers.engines.torch_engine import TorchEngine
from workers.messages import Message
from workers.model_files.errors import ModelUnavailable
from workers.models.protocol import ChatRequest


def settings(file: Path) -> Settings:
    torch = EngineSettings(kind="torch", file=str(file), context=512, threads=1)
    served = EngineSettings(url="http://127.0.0.1:1")
    return Settings(
        models={
            "small": ModelSettings(role="small", parameters=0.1, engine=torch),
            "large": ModelSettings(role="large", parameters=1.0, engine=served),
        }
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Looks like a Hugging Face folder; nothing is loaded here."""
    (tmp_path / "config.json").write_text("{}")
    return tmp_path


def test_the_worker_is_told_what_to_load(folder: Path) -> None:
    address = engine_address(settings(folder), "small")
    assert (address.kind, address.source, address.context, address.threads) == ("torch", str(folder), 512, 1)
    assert address.prefixes >= settings(folder).collaboration.concurrency, "every answer keeps what was read for it"
    assert isinstance(build_engine(settings(folder), "small"), TorchEngine)


def test_no_server_is_started_and_a_folder_is_not_fetched(folder: Path) -> None:
    assert served_here(settings(folder)) == []
    assert fetched_here(settings(folder)) == []
    assert fetched_here(settings(folder / "model.gguf")) == ["small"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"gone\.gguf"):
        engine_address(settings(tmp_path / "gone.gguf"), "small")


async def test_asked_alone_it_says_what_can_use_it(folder: Path) -> None:
    park = ModelPark(settings(folder), None)
    request = ChatRequest(call="c", messages=(Message(role="user", content="Hello"),), sampling=Sampling(max_tokens=4))
    with pytest.raises(EngineRefused, match=r"runs in torch .* entropy"):
        async for _ in park.models["small"].generate(request):
            pass
    assert list(park.engines) == ["large"]
    await park.aclose()
