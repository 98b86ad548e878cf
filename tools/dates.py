"""The tool ``date``: differences between dates, dates some time away, days of the week."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from dateutil.relativedelta import relativedelta

from tools.protocol import ToolResult

_PARTS = ("years", "months", "weeks", "days")


class Dates:
    name = "date"
    description = (
        "Calculate with calendar dates (YYYY-MM-DD): with 'until', the time between two dates; else the date that "
        "lies years, months, weeks and days (negative: before) from 'start'. Gives the day of the week."
    )
    schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "start": {"type": "string", "description": "YYYY-MM-DD"},
            "until": {"type": "string", "description": "YYYY-MM-DD"},
            **{part: {"type": "integer", "minimum": -100_000, "maximum": 100_000} for part in _PARTS},
        },
        "required": ["start"],
        "additionalProperties": False,
    }

    async def call(self, arguments: Mapping[str, Any]) -> ToolResult:
        try:
            start = date.fromisoformat(arguments["start"])
            if "until" in arguments:
                return ToolResult(_between(start, date.fromisoformat(arguments["until"])))
            moved = start + relativedelta(**{part: arguments[part] for part in _PARTS if part in arguments})
        except (ValueError, OverflowError) as error:
            return ToolResult(f"{error}; write dates as YYYY-MM-DD", ok=False)
        return ToolResult(f"{moved.isoformat()}, {_weekday(moved)}")


def _between(start: date, end: date) -> str:
    apart = relativedelta(end, start)
    return (
        f"{(end - start).days} days ({apart.years} years, {apart.months} months, {apart.days} days) from "
        f"{_weekday(start)} to {_weekday(end)}"
    )


def _weekday(day: date) -> str:
    return ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")[day.weekday()]
