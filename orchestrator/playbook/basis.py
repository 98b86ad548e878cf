"""What outcomes depend on: with another model pair, other prompts or other routes they say nothing."""

import hashlib
import json
from importlib import resources

from orchestrator.settings import Settings

_OF_TOOLS = ("tool_repeated", "tool_result", "tools")
_OF_CODE = ("code", "code_tests")
_OF_ASKING = ("answerable", "ask_tool", "clarified", "clarify")
_OTHER_PROMPTS = frozenset(f"{name}.md" for name in (*_OF_TOOLS, *_OF_CODE, *_OF_ASKING, "cot_open"))
"""Those that no answer is written with of which the playbook learns."""
_OTHER_OF_AUTO = {"ask", "ask_words", "asking_card", "ask_weak", "ask_strong", "code"}


def pair_of(settings: Settings) -> str:
    """A digest of the small and the large model: of their files where these are known, else of their names."""
    parts = []
    for role in ("small", "large"):
        name = settings.named("small" if role == "small" else "large")
        model = settings.models[name]
        parts.append(model.sha256 or f"{name} {model.engine.provider_model} {model.engine.file}")
    return _digest("\n".join(parts))


def version_of(settings: Settings) -> str:
    """A digest of what the default and recipes answer with: the prompts of strategies, and the settings that choose
    routes and accept answers."""
    folder = resources.files("agents").joinpath("prompts")
    texts = sorted(
        (file.name, file.read_text("utf-8"))
        for file in folder.iterdir()
        if file.name.endswith(".md") and file.name not in _OTHER_PROMPTS
    )
    chosen = {
        "auto": settings.auto.model_dump(exclude=_OTHER_OF_AUTO),
        "consensus": settings.consensus.model_dump(),
        "strategies": settings.strategies.model_dump(exclude={"code"}),
    }
    return _digest("\n".join((json.dumps(chosen, sort_keys=True), *(f"{name}\n{text}" for name, text in texts))))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
