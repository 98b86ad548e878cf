"""What happens to a request before anything is spent on it."""

import re
from collections.abc import Sequence

from workers.messages import Message

# A user who writes a model's own turn markers could end the user's turn and speak as the system.
_TEMPLATE_TOKEN = re.compile(r"<\|[a-zA-Z0-9_]{1,40}\|>|\[/?INST\]|<</?SYS>>|</?s>|<(?:start|end)_of_turn>")


def without_template_tokens(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The messages with chat-template markers taken out of every text, whoever sent it."""
    return tuple(message.model_copy(update={"content": strip_template_tokens(message.content)}) for message in messages)


def strip_template_tokens(text: str) -> str:
    """``text`` without turn markers, also those that only appear once others are taken out."""
    previous = None
    while previous != text:
        previous, text = text, _TEMPLATE_TOKEN.sub("", text)
    return text
