"""A model of a few thousand random weights, as GGUF, with the scripted engine's tokenizer: what reads it in torch is
there at once, and means the same by an id as a scripted engine."""

from pathlib import Path

import gguf
import numpy as np

from workers.engines.scripted.tokenizer import CHATML, END_OF_TURN, MARKERS, VOCABULARY

_WIDTH, _HEADS, _INNER, _CONTEXT = 32, 2, 64, 2048


def write_tiny_model(path: Path) -> Path:
    """The same weights every time; it writes nonsense, and always the same."""
    writer = gguf.GGUFWriter(path, "llama")
    _add_shape(writer)
    _add_tokenizer(writer)
    _add_weights(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_shape(writer: gguf.GGUFWriter) -> None:
    writer.add_context_length(_CONTEXT)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(_INNER)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_WIDTH // _HEADS)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(VOCABULARY)


def _add_tokenizer(writer: gguf.GGUFWriter) -> None:
    """One token for each byte, as byte-level tokenizers name them, and the markers; nothing is merged."""
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([*_byte_names(), *MARKERS])
    writer.add_token_types([gguf.TokenType.NORMAL] * 256 + [gguf.TokenType.CONTROL] * len(MARKERS))
    # Merges are worked out from the scores where none are listed: no two tokens make a third.
    writer.add_token_scores([0.0] * VOCABULARY)
    writer.add_bos_token_id(END_OF_TURN)
    writer.add_eos_token_id(END_OF_TURN)
    writer.add_chat_template(CHATML)


def _byte_names() -> list[str]:
    """Bytes that print stand for themselves; the others are moved behind them."""
    printing = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    moved = [byte for byte in range(256) if byte not in printing]
    return [chr(byte) if byte in printing else chr(256 + moved.index(byte)) for byte in range(256)]


def _add_weights(writer: gguf.GGUFWriter) -> None:
    chance = np.random.default_rng(0)
    shapes = {
        "token_embd": (VOCABULARY, _WIDTH),
        "blk.0.attn_q": (_WIDTH, _WIDTH),
        "blk.0.attn_k": (_WIDTH, _WIDTH),
        "blk.0.attn_v": (_WIDTH, _WIDTH),
        "blk.0.attn_output": (_WIDTH, _WIDTH),
        "blk.0.ffn_gate": (_INNER, _WIDTH),
        "blk.0.ffn_up": (_INNER, _WIDTH),
        "blk.0.ffn_down": (_WIDTH, _INNER),
        "output": (VOCABULARY, _WIDTH),
    }
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", chance.normal(size=shape).astype(np.float32))
    for name in ("blk.0.attn_norm", "blk.0.ffn_norm", "output_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(_WIDTH, dtype=np.float32))
