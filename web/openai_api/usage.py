"""What a run drew, in OpenAI's words and in Tandem's own."""

from collections.abc import Sequence
from typing import Any

from agents.events import RunFinished
from orchestrator.runs import RunRequest
from workers.ledger import LedgerSummary
from workers.usage import Usage

_FINISH_REASONS = frozenset({"stop", "length", "tool_calls", "content_filter"})


def usage_of(ledgers: Sequence[LedgerSummary]) -> dict[str, Any]:
    """The sum over every internal call of every choice, prompt and completion."""
    total = sum((usage for ledger in ledgers for usage in ledger.tokens.values()), Usage())
    return {
        "prompt_tokens": total.prompt,
        "completion_tokens": total.completion,
        "total_tokens": total.total,
        "prompt_tokens_details": {"cached_tokens": total.cached},
    }


def finish_reason(last: RunFinished) -> str:
    """One of OpenAI's values; what only Tandem can say is in ``tandem.status``."""
    return last.finish_reason if last.finish_reason in _FINISH_REASONS else "stop"


def tandem_object(run: str, request: RunRequest, last: RunFinished) -> dict[str, Any]:
    """What OpenAI's shape has no place for. ``thread_id`` is what the caller may send to go on with this thread."""
    return {
        "run": run,
        "route": last.route,
        "status": last.status,
        "value": last.value,
        "thread_id": request.thread or run,
        "ledger": last.ledger.model_dump(mode="json"),
        "recalled": last.recalled,
        "provenance": None if last.provenance is None else last.provenance.model_dump(mode="json"),
    }
