"""The tools that one run may use: held to the allow-list, their arguments checked, their output bounded."""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import jsonschema
import structlog
from referencing import Registry
from referencing.exceptions import Unresolvable

from tools.protocol import Tool, ToolResult

_LONGEST_RESULT = 6_000
_LONGEST_ARGUMENTS = 200_000
_LONGEST_REASON = 300
_CALL_SECONDS = 120.0
_log = structlog.get_logger(__name__)


class Toolbox:
    """``allowed`` are names or patterns such as ``files__*``; None allows every tool. A tool that is not allowed is
    neither shown to the model nor called when the model names it all the same."""

    def __init__(self, tools: Iterable[Tool] = (), allowed: Sequence[str] | None = None) -> None:
        self._tools = {tool.name: tool for tool in tools if _allows(allowed, tool.name)}
        self._allowed = allowed

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._tools)

    @property
    def tools(self) -> tuple[Tool, ...]:
        return tuple(self._tools.values())

    def with_tools(self, more: Iterable[Tool]) -> "Toolbox":
        """This toolbox and ``more``, under the same allow-list."""
        return Toolbox((*self._tools.values(), *more), self._allowed)

    def each(self, wrap: Callable[[Tool], Tool]) -> "Toolbox":
        """This toolbox with ``wrap`` around every tool."""
        return Toolbox(map(wrap, self._tools.values()), self._allowed)

    def openai(self) -> tuple[Mapping[str, Any], ...]:
        """The tools in the shape of OpenAI's ``tools``."""
        return tuple(
            {
                "type": "function",
                "function": {"name": tool.name, "description": tool.description, "parameters": dict(tool.schema)},
            }
            for tool in self._tools.values()
        )

    async def call(self, name: str, arguments: str) -> ToolResult:
        """Call a tool with the JSON text that a model wrote. Whatever goes wrong is a result that says so."""
        tool = self._tools.get(name)
        if tool is None:
            known = ", ".join(self._tools) or "none"
            return ToolResult(f"there is no tool {name[:100]!r} here; the tools are: {known}", ok=False)
        read = _read(arguments, tool.schema)
        if isinstance(read, ToolResult):
            return read
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                result = await tool.call(read)
        except TimeoutError:
            return ToolResult(f"{name} did not answer within {_CALL_SECONDS:.0f} s", ok=False)
        # A tool may be anybody's; what it raises must not end the run that called it.
        except Exception as error:  # noqa: BLE001
            _log.warning("a tool raised", tool=name, error=repr(error)[:_LONGEST_REASON])
            return ToolResult(f"{name} failed: {repr(error)[:_LONGEST_REASON]}", ok=False)
        return ToolResult(bounded(result.text), result.ok)


def bounded(text: str, longest: int = _LONGEST_RESULT) -> str:
    """``text``, its middle left out where it is longer than ``longest`` characters."""
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters left out ...]\n{text[-half:]}"


def _read(arguments: str, schema: Mapping[str, Any]) -> dict[str, Any] | ToolResult:
    if len(arguments) > _LONGEST_ARGUMENTS:
        return ToolResult(f"the arguments are {len(arguments)} characters long: too many", ok=False)
    try:
        value = json.loads(arguments or "{}")
    except (ValueError, RecursionError) as error:
        return ToolResult(f"the arguments are no JSON: {error}", ok=False)
    if not isinstance(value, dict):
        return ToolResult("the arguments must be a JSON object", ok=False)
    problem = _misfit(value, schema)
    return value if problem is None else ToolResult(problem, ok=False)


def _misfit(value: Mapping[str, Any], schema: Mapping[str, Any]) -> str | None:
    """What is wrong with the arguments or with the schema, which may come from an MCP server; None if they fit."""
    try:
        # The registry is empty, so that a $ref to an address is not fetched.
        jsonschema.validate(value, schema, registry=Registry())
    except jsonschema.ValidationError as error:
        return f"the arguments do not fit: {error.message[:_LONGEST_REASON]}"
    except jsonschema.SchemaError as error:
        return _unusable(f"is not valid: {error.message}")
    except Unresolvable as error:
        return _unusable(f"refers to what is not in it: {error}")
    # A schema can be at odds with the library in many ways, among them a $ref to itself.
    except Exception as error:  # noqa: BLE001
        return _unusable(f"cannot be used: {error!r}")
    return None


def _unusable(problem: str) -> str:
    return f"this tool cannot be called, use another one; the schema of its arguments {problem[:_LONGEST_REASON]}"


def _allows(allowed: Sequence[str] | None, name: str) -> bool:
    return allowed is None or any(fnmatchcase(name, pattern) for pattern in allowed)
