"""Where an engine is, as data that can travel to another process."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from workers.engines.llamacpp import LlamaCppEngine
from workers.engines.protocol import Engine
from workers.engines.sglang import SGLangEngine


class EngineAddress(BaseModel):
    """A running engine of the model ``name``. ``tokenizer`` as in ``SGLangEngine``; ``exclusive`` engines share the
    machine's decode lease, up to ``slots`` requests of one engine at a time. ``sha256`` is that of the model's file,
    where it is known. It holds no secrets."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: Literal["llamacpp", "sglang"]
    url: str
    tokenizer: str = ""
    slots: int = 1
    exclusive: bool = False
    sha256: str = ""


def open_engine(address: EngineAddress) -> Engine:
    """The client of that engine; nothing is connected yet."""
    match address.kind:
        case "sglang":
            return SGLangEngine(address.name, address.url, address.tokenizer)
        case "llamacpp":
            return LlamaCppEngine(address.name, address.url)
