"""What a scripted engine answers: replies chosen by a pattern on the rendered prompt."""

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

Failure = Literal["disconnect", "unavailable", "refuse"]


class Reply(BaseModel):
    """One scripted answer.

    ``match`` is a regular expression searched in the rendered prompt. Of several ``texts`` the n-th request that
    matches gets the n-th, then they begin again. ``logprobs`` are cycled over the tokens. Delays are in seconds.
    ``endless`` repeats the text until the request's limit or an abort; ``continues`` leaves out as many tokens of it as
    the assistant's turn in the prompt has already, whoever wrote those. ``failure`` "disconnect" breaks the connection
    off after ``failure_after`` tokens, "unavailable" answers 503, "refuse" 400. ``tool_calls`` (OpenAI's shape) are
    given instead of text when a chat request brings tools.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    match: str = ""
    texts: tuple[str, ...] = ("",)
    logprobs: tuple[float, ...] = (-0.1,)
    delay: float = Field(default=0.0, ge=0)
    prompt_delay: float = Field(default=0.0, ge=0)
    endless: bool = False
    continues: bool = False
    failure: Failure | None = None
    failure_after: int = Field(default=0, ge=0)
    tool_calls: tuple[dict[str, Any], ...] = ()

    @model_validator(mode="after")
    def _endless_has_text(self) -> "Reply":
        if not self.texts or (self.endless and not all(self.texts)):
            raise ValueError("a reply needs at least one text, and an endless reply no empty one")
        return self


class Script(BaseModel):
    """Replies in the order in which they are tried, and what the engine says of itself.

    ``context`` is in tokens per slot; requests beyond ``slots`` wait, as they do on llama.cpp's server.
    """

    model_config = ConfigDict(extra="forbid")

    replies: tuple[Reply, ...] = ()
    default: Reply = Reply(texts=("ok",))
    name: str = "scripted"
    context: int = 65536
    slots: int = Field(default=64, ge=1)

    _patterns: dict[str, re.Pattern[str]] = PrivateAttr(default_factory=dict)

    def reply(self, prompt: str) -> Reply:
        return next((reply for reply in self.replies if self._pattern(reply.match).search(prompt)), self.default)

    def _pattern(self, match: str) -> re.Pattern[str]:
        if match not in self._patterns:
            self._patterns[match] = re.compile(match)
        return self._patterns[match]


def say(text: str, match: str = "", **fields: Any) -> Reply:
    """A reply with one text; ``fields`` as in ``Reply``."""
    return Reply(match=match, texts=(text,), **fields)


def read_script(path: Path) -> Script:
    """A script from a JSON file. Raises pydantic's ``ValidationError`` with the place that is wrong."""
    return Script.model_validate_json(path.read_bytes())
