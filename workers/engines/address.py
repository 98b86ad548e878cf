"""Where an engine is, as data that can travel to another process."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from workers.engines.llamacpp import LlamaCppEngine
from workers.engines.protocol import Engine
from workers.engines.sglang import SGLangEngine
from workers.engines.torch_engine import TorchEngine
from workers.model_files.store import MODELS_DIRECTORY


class EngineAddress(BaseModel):
    """A running engine of the model ``name``. ``tokenizer`` and ``models`` as in ``SGLangEngine``; ``exclusive``
    engines share the machine's decode lease, up to ``slots`` requests of one engine at a time. ``sha256`` is that of
    the model's file, where it is known. A ``torch`` engine has a ``source`` instead of a url, and runs in the process
    that opens it; ``prefixes`` as in ``TorchEngine``. It holds no secrets."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: Literal["llamacpp", "sglang", "torch"]
    url: str = ""
    tokenizer: str = ""
    models: str = str(MODELS_DIRECTORY)
    slots: int = 1
    exclusive: bool = False
    sha256: str = ""
    source: str = ""
    context: int = 0
    threads: int = 0
    prefixes: int = 4


def open_engine(address: EngineAddress) -> Engine:
    """The client of that engine; nothing is connected yet."""
    match address.kind:
        case "sglang":
            return SGLangEngine(address.name, address.url, address.tokenizer, address.models)
        case "torch":
            return TorchEngine(
                address.name,
                address.source,
                context=address.context,
                threads=address.threads,
                prefixes=address.prefixes,
            )
        case "llamacpp":
            return LlamaCppEngine(address.name, address.url)
