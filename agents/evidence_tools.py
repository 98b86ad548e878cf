"""The tools that ``plan-tools`` can plan with: text in, text out; what fails says so in words."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from agents.execution import printed, run_program
from agents.problem import Problem
from agents.prompts import render
from agents.strategy import SolveContext, write
from agents.tool_call import call_tool
from agents.untrusted import neutralised
from tools.protocol import Tool
from tools.toolbox import Toolbox
from workers.messages import Message

_ANSWER_TOKENS = 160
_DESCRIBED = 400
_JSON_KINDS = frozenset({"number", "integer", "boolean", "array", "object", "null"})


class EvidenceTool(Protocol):
    """``description`` tells the planner in one line what the input is and what comes back."""

    name: str
    description: str

    async def find(self, text: str, problem: Problem, context: SolveContext) -> str:
        """What the tool finds for its input, or the text of its error. Raises ``BudgetSpent``."""
        ...


class Calculate:
    """Evaluates an expression, inside the sandbox."""

    name = "calculate"
    description = "calculate[expression]: the value of a Python expression; functions of math are known"

    async def find(self, text: str, problem: Problem, context: SolveContext) -> str:
        expression = text.replace("^", "**").strip()
        program = f"from math import *\nprint(eval({expression!r}))"
        return printed(await run_program(context, program))


class Ask:
    """Asks the model a question of its own."""

    name = "ask"
    description = "ask[question]: a short answer from general knowledge"

    async def find(self, text: str, problem: Problem, context: SolveContext) -> str:
        messages = (Message(role="user", content=render("ask_tool", input=text)),)
        sampling = replace(problem.sampling, max_tokens=_ANSWER_TOKENS, stop=(), json_schema=None)
        completion = await write(context, context.writer(), messages, sampling, purpose="answer a planned question")
        return completion.text.strip()


class FromToolbox:
    """A tool that the caller may use. Its input is a JSON object, or as it stands the one argument that it needs."""

    def __init__(self, tool: Tool, toolbox: Toolbox) -> None:
        self.name = tool.name
        self.description = _described(tool)
        self._schema = tool.schema
        self._toolbox = toolbox

    async def find(self, text: str, problem: Problem, context: SolveContext) -> str:
        return (await call_tool(context, self._toolbox, self.name, _arguments(text, self._schema))).text


def _described(tool: Tool) -> str:
    kinds, needed = _kinds(tool.schema), _needed(tool.schema)
    wanted = ", ".join(f'"{name}"{"" if name in needed else "?"}: {kind}' for name, kind in kinds.items())
    shown = next(iter(kinds)) if len(kinds) == 1 else f"{{{wanted}}}"
    return neutralised(f"{tool.name}[{shown}]: {' '.join(tool.description.split())}")[:_DESCRIBED]


def _arguments(text: str, schema: Mapping[str, Any]) -> str:
    """The JSON text of the arguments that an input stands for."""
    kinds = _kinds(schema)
    needed = _needed(schema) or tuple(kinds)
    if len(needed) != 1 or _is_object(text):
        return text
    name = needed[0]
    return json.dumps({name: text.strip()}) if kinds.get(name) not in _JSON_KINDS else f"{{{json.dumps(name)}: {text}}}"


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _kinds(schema: Mapping[str, Any]) -> dict[str, str]:
    """The types of a tool's arguments, "any" where its schema, which may be anybody's, does not say one."""
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return {}
    types = {str(name): said.get("type") if isinstance(said, Mapping) else None for name, said in properties.items()}
    return {name: kind if isinstance(kind, str) else "any" for name, kind in types.items()}


def _needed(schema: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the arguments that may not be left out."""
    required = schema.get("required")
    return tuple(str(name) for name in required) if isinstance(required, list) else ()
