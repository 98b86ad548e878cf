"""Models that transformers runs in this process, from a GGUF file or a Hugging Face folder.

torch and transformers are an extra (``worker``): they are imported here when a model is loaded and nowhere before.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workers.engines.errors import EngineUnavailable


@dataclass(frozen=True, slots=True)
class TorchModel:
    """A causal language model in memory. ``ends`` are the ids that end a turn; ``context`` in tokens; ``template`` the
    source of its chat template, "" if it has none."""

    model: Any
    tokenizer: Any
    vocabulary: int
    context: int
    ends: frozenset[int]
    template: str


def load_torch_model(name: str, source: Path, *, context: int = 0, threads: int = 0) -> TorchModel:
    """Load ``source``, a GGUF file (unpacked into plain weights) or a folder: bfloat16 on a GPU where there is one,
    float32 on the processor. ``context`` bounds the model's own; ``threads`` 0 leaves torch's choice, which is the
    process's.

    Raises ``EngineUnavailable`` when the extra is not installed or there is no such model.
    """
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    except ImportError as error:
        raise EngineUnavailable(
            f"model {name!r} runs in torch, which is not installed ({error}): pip install -e '.[worker]'"
        ) from error
    if not source.exists():
        raise EngineUnavailable(f"model {name!r}: there is no file or folder {source}; set `file` in tandem.toml")
    if threads:
        torch.set_num_threads(threads)
    device, dtype = ("cuda", torch.bfloat16) if torch.cuda.is_available() else ("cpu", torch.float32)
    packed = {} if source.is_dir() else {"gguf_file": source.name}
    folder = source if source.is_dir() else source.parent
    unpack = {} if source.is_dir() else {"quantization_config": GgufConfig(dequantize=True)}
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **packed)
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, **packed, **unpack)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise EngineUnavailable(f"model {name!r}: transformers cannot load {source}: {error}") from error
    own = int(model.config.get_text_config().max_position_embeddings)
    return TorchModel(
        model=model.to(device).eval(),
        tokenizer=tokenizer,
        vocabulary=int(model.get_input_embeddings().num_embeddings),
        context=min(own, context) if context else own,
        ends=_ends(model, tokenizer),
        template=tokenizer.chat_template if isinstance(tokenizer.chat_template, str) else "",
    )


def _ends(model: Any, tokenizer: Any) -> frozenset[int]:
    configured = (model.generation_config.eos_token_id, tokenizer.eos_token_id)
    flat = (entry for item in configured for entry in (item if isinstance(item, list) else [item]))
    return frozenset(int(entry) for entry in flat if entry is not None)
