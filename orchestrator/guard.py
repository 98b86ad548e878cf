"""What happens to a request before anything is spent on it."""

from collections.abc import Sequence

from agents.untrusted import TEMPLATE_MARKER
from workers.messages import Message

# Markers within markers. Each level is a pass over the text, which may be long and nested to its end.
_DEEPEST = 8


def without_template_tokens(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The messages with chat-template markers taken out of every text, whoever sent it: a user who writes a model's own
    turn markers could end the user's turn and speak as the system."""
    return tuple(message.model_copy(update={"content": strip_template_tokens(message.content)}) for message in messages)


def strip_template_tokens(text: str) -> str:
    """``text`` without turn markers, also those that only appear once others are taken out."""
    for _ in range(_DEEPEST):
        text, found = TEMPLATE_MARKER.subn("", text)
        if not found:
            return text
    # What stands on both sides of a blank makes no new marker.
    return TEMPLATE_MARKER.sub(" ", text)
