"""Write what transformers makes of conversations: the reference for rendering and tokenizing without transformers.

Usage: python render.py HF_FOLDER CONVERSATIONS.json OUT.json. Each entry: the rendered text and its token ids.
"""

import json
import sys
from pathlib import Path

from transformers import AutoTokenizer


def render(folder: str, conversations: str, out: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    rendered = []
    for messages in json.loads(Path(conversations).read_text(encoding="utf-8")):
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        rendered.append({"messages": messages, "text": text, "ids": ids})
    Path(out).write_text(json.dumps(rendered), encoding="utf-8")


if __name__ == "__main__":
    render(*sys.argv[1:])
