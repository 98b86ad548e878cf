"""A model with fewer layers: another model with the same tokenizer, made without a download.

Two copies of one model cannot show that tokens were mixed up between them; a truncated one writes other text.
"""

from pathlib import Path

import gguf

from tests.smollm import cache_folder, fetch_smollm, locked


def truncated_smollm(layers: int = 28) -> Path:
    """SmolLM2 without the last of its 30 layers, as GGUF; made once and kept."""
    target = cache_folder() / f"smollm2-135m-instruct-q4_1-{layers}-layers.gguf"
    source = fetch_smollm()
    with locked(target):
        if not target.is_file():
            unfinished = target.with_suffix(".part")
            _truncate(source, unfinished, layers)
            unfinished.rename(target)
    return target


def _truncate(source: Path, target: Path, layers: int) -> None:
    reader = gguf.GGUFReader(source)
    architecture = str(reader.fields["general.architecture"].contents())
    writer = gguf.GGUFWriter(target, architecture)
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture":
            continue
        value = layers if name == f"{architecture}.block_count" else field.contents()
        inner = field.types[-1] if len(field.types) > 1 else None
        writer.add_key_value(name, value, field.types[0], inner)
    for tensor in reader.tensors:
        if not _is_cut(tensor.name, layers):
            writer.add_tensor(tensor.name, tensor.data, raw_shape=tensor.data.shape, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _is_cut(tensor: str, layers: int) -> bool:
    parts = tensor.split(".")
    return parts[0] == "blk" and int(parts[1]) >= layers
