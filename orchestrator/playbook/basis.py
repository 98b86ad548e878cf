"""What outcomes depend on: with another model pair, or other prompts, they say nothing."""

import hashlib
from importlib import resources

from orchestrator.settings import Settings


def pair_of(settings: Settings) -> str:
    """A digest of the small and the large model: of their files where these are known, else of their names."""
    parts = []
    for role in ("small", "large"):
        name = settings.named("small" if role == "small" else "large")
        model = settings.models[name]
        parts.append(model.sha256 or f"{name} {model.engine.provider_model} {model.engine.file}")
    return _digest("\n".join(parts))


def version_of() -> str:
    """A digest of every prompt that strategies are written with."""
    folder = resources.files("agents").joinpath("prompts")
    texts = sorted((file.name, file.read_text("utf-8")) for file in folder.iterdir() if file.name.endswith(".md"))
    return _digest("\n".join(f"{name}\n{text}" for name, text in texts))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
