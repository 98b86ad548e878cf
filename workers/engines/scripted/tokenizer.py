"""The scripted engine's tokenizer: one token per UTF-8 byte, and ChatML's markers. Reversible for any text."""

import codecs
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

MARKERS = ("<|im_start|>", "<|im_end|>", "<|endoftext|>")
END_OF_TURN = 256 + MARKERS.index("<|im_end|>")
VOCABULARY = 256 + len(MARKERS)

_IDS = {marker: 256 + index for index, marker in enumerate(MARKERS)}
_SPLIT = re.compile("(" + "|".join(re.escape(marker) for marker in MARKERS) + ")")


def encode(text: str, parse_special: bool = True) -> list[int]:
    if not parse_special:
        return list(text.encode())
    ids: list[int] = []
    for part in _SPLIT.split(text):
        if part in _IDS:
            ids.append(_IDS[part])
        else:
            ids.extend(part.encode())
    return ids


def decode(ids: Iterable[int]) -> str:
    """Text of ``ids``, markers written out; bytes that are no UTF-8 become the replacement character."""
    return b"".join(MARKERS[i - 256].encode() if i >= 256 else bytes((i,)) for i in ids).decode(errors="replace")


def pieces(text: str, begun: int = 0) -> list[tuple[int, str]]:
    """Ids of ``text`` from the ``begun``-th on, with the characters each completes: "" while a character's bytes are
    incomplete."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    return [(byte, decoder.decode(bytes((byte,)))) for byte in text.encode()[begun:]]


def turn_length(prompt: Sequence[int]) -> int:
    """How many tokens of the assistant's turn the prompt holds already."""
    opening = [_IDS["<|im_start|>"], *b"assistant\n"]
    for start in range(len(prompt) - len(opening), -1, -1):
        if list(prompt[start : start + len(opening)]) == opening:
            return len(prompt) - start - len(opening)
    return 0


CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    # As an expression: jinja drops a newline that ends a template.
    "{{ '<|im_start|>assistant\n' }}"
)
"""The template that ``chatml`` renders, for messages whose content is text."""


def chatml(messages: Sequence[Mapping[str, Any]]) -> str:
    """ChatML, as Qwen's models use it, without a default system message."""
    turns = [f"<|im_start|>{message['role']}\n{_text(message.get('content'))}<|im_end|>\n" for message in messages]
    return "".join(turns) + "<|im_start|>assistant\n"


def _text(content: object) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content)
    return "" if content is None else str(content)
