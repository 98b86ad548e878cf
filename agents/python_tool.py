"""The tool ``python``: a stateful session in the sandbox, whose files are kept for the reader."""

from collections.abc import Mapping
from typing import Any

from agents.strategy import KeepFile
from tools.protocol import ToolResult
from tools.sandbox.session import Session


class PythonTool:
    """``keep`` is told the name and contents of every file that a program wrote."""

    name = "python"
    description = (
        "Run Python in an isolated session that keeps variables between calls; numpy, sympy and z3 are there, the "
        "network is not. What the program prints is the result; files it writes are shown to the user."
    )
    schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {"code": {"type": "string", "description": "a program that prints what you want to know"}},
        "required": ["code"],
        "additionalProperties": False,
    }

    def __init__(self, session: Session, keep: KeepFile | None = None) -> None:
        self._session = session
        self._keep = keep

    async def call(self, arguments: Mapping[str, Any]) -> ToolResult:
        execution = await self._session.run(arguments["code"])
        if self._keep is not None:
            for file in execution.files:
                await self._keep(file.name, file.content)
        printed = (execution.stdout + "\n" + execution.stderr).strip()
        if execution.outcome != "exited":
            printed = f"{printed}\n(stopped: {execution.outcome})"
        if execution.files:
            printed += "\n(files written: " + ", ".join(file.name for file in execution.files) + ")"
        return ToolResult(printed.strip() or "(nothing was printed)", ok=execution.ok)
