"""Outcomes as columns, and back."""

from collections.abc import Sequence
from typing import Any

import orjson
import pyarrow as pa

from agents.problem import Evidence
from routers.outcome import Outcome
from workers.usage import Usage

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("question", pa.string()),
        ("family", pa.string()),
        ("split_key", pa.string()),
        ("form", pa.string()),
        ("route", pa.string()),
        ("seed", pa.int64()),
        ("build", pa.string()),
        ("value", pa.string()),
        ("correct", pa.bool_()),
        (
            "tokens",
            pa.list_(
                pa.struct(
                    [
                        ("model", pa.string()),
                        ("prompt", pa.int64()),
                        ("completion", pa.int64()),
                        ("cached", pa.int64()),
                    ]
                )
            ),
        ),
        ("seconds", pa.float64()),
        # JSON, because what counts as evidence grows with the strategies, and a column a kind would grow with it.
        ("evidence", pa.string()),
        ("source", pa.string()),
        ("created", pa.float64()),
    ]
)


def to_table(outcomes: Sequence[Outcome]) -> Any:
    """A ``pyarrow.Table`` of ``SCHEMA``."""
    return pa.Table.from_pylist([_row(outcome) for outcome in outcomes], schema=SCHEMA)


def from_table(table: Any) -> list[Outcome]:
    """Raises ``pydantic.ValidationError`` or ``KeyError`` for a table of other columns."""
    return [_outcome(row) for row in table.to_pylist()]


def _row(outcome: Outcome) -> dict[str, Any]:
    return {
        **outcome.model_dump(exclude={"tokens", "evidence"}),
        "tokens": [{"model": model, **usage.model_dump()} for model, usage in outcome.tokens.items()],
        "evidence": orjson.dumps(outcome.evidence.model_dump(mode="json", exclude_defaults=True)).decode(),
    }


def _outcome(row: dict[str, Any]) -> Outcome:
    tokens = {use.pop("model"): Usage.model_validate(use) for use in row["tokens"]}
    evidence = Evidence.model_validate_json(row["evidence"])
    return Outcome.model_validate({**row, "tokens": tokens, "evidence": evidence})
