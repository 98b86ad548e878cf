"""The tool ``convert_units``: quantities between units, through pint."""

import asyncio
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import pint

from tools.protocol import ToolResult

# Names with small powers, multiplied and divided: nothing that the library's parser could be made to compute for long.
_UNIT = re.compile(r"^(?:[^\W\d]|[°%])+(?:\^-?\d)?(?:(?: ?[*/] ?| )(?:[^\W\d]|[°%])+(?:\^-?\d)?)*$")
_LONGEST_UNIT = 60


class ConvertUnits:
    name = "convert_units"
    description = "Convert a quantity from one unit to another, for example 3.5 miles to km or 20 degC to degF."
    schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "value": {"type": "number"},
            "from_unit": {"type": "string", "description": "for example mile, kg, m/s, degC"},
            "to_unit": {"type": "string"},
        },
        "required": ["value", "from_unit", "to_unit"],
        "additionalProperties": False,
    }

    async def call(self, arguments: Mapping[str, Any]) -> ToolResult:
        source, target = arguments["from_unit"], arguments["to_unit"]
        try:
            value = float(arguments["value"])
        except OverflowError:
            return ToolResult("the value is too large; write it as a smaller number of a larger unit", ok=False)
        # The registry reads its definitions on first use, which takes a moment.
        return await asyncio.to_thread(_convert, value, source, target)


def _convert(value: float, source: str, target: str) -> ToolResult:
    for unit in (source, target):
        if len(unit) > _LONGEST_UNIT or not _UNIT.match(unit):
            return ToolResult(f"{unit[:_LONGEST_UNIT]!r} is no unit; write one such as 'km', 'm/s' or 'degC'", ok=False)
    try:
        converted = _registry().Quantity(value, source).to(target)
    except (pint.PintError, ValueError, TypeError, OverflowError, ZeroDivisionError) as error:
        return ToolResult(f"cannot convert {source!r} to {target!r}: {error}"[:300], ok=False)
    return ToolResult(f"{value:g} {source} = {converted.magnitude:.10g} {target}")


@cache
def _registry() -> Any:
    return pint.UnitRegistry()
