"""The playbook's Lua scripts, each with what they share before it."""

from importlib.resources import files

from redis.asyncio import Redis
from redis.commands.core import AsyncScript


def script_of(redis: Redis, name: str) -> AsyncScript:
    """Takes the keys of ``Keys.renewed`` and the arguments of ``renewal`` before its own."""
    folder = files("orchestrator.playbook")
    texts = (folder.joinpath(f"{part}.lua").read_text("utf-8") for part in ("renew", name))
    return redis.register_script("\n".join(texts))
