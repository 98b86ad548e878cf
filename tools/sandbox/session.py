"""A session of programs that share variables: what an earlier block defined is there in a later one.

Every block runs in a fresh sandbox after the earlier successful ones have been run again there, silently. That costs
their time once more and needs no process that outlives a call: a worker that dies, or another one that takes the next
block, changes nothing.
"""

import json
import mimetypes
import re
import secrets
from importlib import resources

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tools.sandbox.output import BoundedOutput
from tools.sandbox.protocol import Execution, Limits, ProgramFile, Sandbox

FILES_BYTES = 2 * 1024**2
MOST_FILES = 16
_MOST_BLOCKS = 32
_NAME = re.compile(r"[^A-Za-z0-9._-]")
# Base64 of the files with their names in JSON, beside what the program itself may print.
_TRANSPORT_BYTES = FILES_BYTES * 4 // 3 + 64 * 1024


class _Collected(BaseModel):
    model_config = ConfigDict(strict=False, extra="forbid")

    files: tuple[ProgramFile, ...] = Field(max_length=MOST_FILES)


class Session:
    """One run's session. ``files`` of an execution are those that are new or changed since the block before."""

    def __init__(self, sandbox: Sandbox, limits: Limits) -> None:
        self._sandbox = sandbox
        self._limits = limits
        self._blocks: list[str] = []
        self._known: dict[str, bytes] = {}

    async def run(self, block: str) -> Execution:
        """Run ``block``. It becomes part of the session if it ends well."""
        marker = f"--files-{secrets.token_hex(16)}--"
        limits = self._limits.model_copy(update={"output_bytes": self._limits.output_bytes * 2 + 2 * _TRANSPORT_BYTES})
        execution = await self._sandbox.run(self._program(block, marker), limits)
        printed, _, tail = execution.stdout.partition(marker)
        execution = execution.model_copy(
            update={
                "stdout": self._bounded(printed),
                "stderr": self._bounded(execution.stderr),
                "files": self._news(tail),
            }
        )
        if execution.ok:
            self._blocks = [*self._blocks, block][-_MOST_BLOCKS:]
        return execution

    def _program(self, block: str, marker: str) -> str:
        source = resources.files(__package__).joinpath("session_start.py").read_text(encoding="utf-8")
        given = {
            "__name__": "session",
            "MARKER": marker,
            "BLOCKS": self._blocks,
            "FILES_BYTES": FILES_BYTES,
            "MOST_FILES": MOST_FILES,
        }
        # In a namespace of its own, so that the block sees nothing of it.
        return f"exec(compile({source!r}, 'session', 'exec'), {{**{given!r}, 'SPACE': globals()}})\n{block}"

    def _bounded(self, text: str) -> str:
        output = BoundedOutput(self._limits.output_bytes)
        output.add(text.encode("utf-8", errors="replace"))
        return output.text()

    def _news(self, tail: str) -> tuple[ProgramFile, ...]:
        """Files as the program's process reported them: what is malformed was meddled with, and is dropped."""
        try:
            # What the program prints while it ends may follow.
            found = _Collected.model_validate({"files": json.JSONDecoder().raw_decode(tail)[0]}).files if tail else ()
        except (ValueError, ValidationError, RecursionError):
            return ()
        safe = [file.model_copy(update={"name": safe_name(file.name)}) for file in found]
        news = tuple(file for file in safe if self._known.get(file.name) != file.content)
        self._known = {file.name: file.content for file in safe}
        return news


def safe_name(name: str) -> str:
    """A file name without folders and without characters that mean something to a shell, a browser or a path."""
    return _NAME.sub("_", name)[-100:].lstrip("._-") or "file"


def media_type(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
