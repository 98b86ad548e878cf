"""How a run solved its problem, as far as that is still known."""

from redis.asyncio import Redis

from agents.events import StepFinished
from orchestrator.event_log import read_all
from orchestrator.guard import strip_template_tokens
from orchestrator.storage.records import TaughtRun

_CHARACTERS = 1500


class Traces:
    """``redis`` is that of the runs, whose event streams expire after about a day."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def text(self, run: TaughtRun) -> str:
        """What the run's models wrote, step by step, bounded; only its answer where the stream has expired."""
        steps = [event.text for event in await read_all(self._redis, run.id) if isinstance(event, StepFinished)]
        written = "\n".join(step.strip() for step in steps if step.strip()) or run.text
        return strip_template_tokens(written)[:_CHARACTERS]
