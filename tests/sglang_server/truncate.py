"""Copy a Hugging Face folder with fewer layers, tokenizer included: another model for the same server.

Usage: python truncate.py FOLDER OUT_FOLDER LAYERS
"""

import sys

from transformers import AutoModelForCausalLM, AutoTokenizer


def truncate(folder: str, out: str, layers: int) -> None:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype="auto")
    model.model.layers = model.model.layers[:layers]
    model.config.num_hidden_layers = layers
    # Configurations that list a kind of attention for every layer must list as many.
    if getattr(model.config, "layer_types", None):
        model.config.layer_types = model.config.layer_types[:layers]
    model.save_pretrained(out)
    AutoTokenizer.from_pretrained(folder).save_pretrained(out)


if __name__ == "__main__":
    truncate(sys.argv[1], sys.argv[2], int(sys.argv[3]))
