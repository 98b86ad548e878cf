"""A session of programs that share variables: what an earlier block defined is there in a later one.

Every block runs in a fresh sandbox after the earlier successful ones have been run again there, silently and with the
same random numbers. That costs their time once more and needs no process that outlives a call: a worker that dies, or
another one that takes the next block, changes nothing.
"""

import json
import math
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
# How often a block's own time the earlier ones may take to run again.
_MOST_REPLAYED = 2
# Running a block again may take longer than it did the first time.
_SLOWER = 2
_NAME = re.compile(r"[^A-Za-z0-9._-]")
# Base64 of the files with their names in JSON, beside what the program itself may print.
_TRANSPORT_BYTES = FILES_BYTES * 4 // 3 + 64 * 1024


class _Collected(BaseModel):
    model_config = ConfigDict(strict=False, extra="forbid")

    files: tuple[ProgramFile, ...] = Field(max_length=MOST_FILES)


class Session:
    """One run's session. ``files`` of an execution are those that are new or changed since the block before.

    ``limits`` are each block's own; the earlier ones have as much time besides as they need, up to twice that of a
    block. A block that does not fit into the session any more runs like the others and is not kept, and ``stderr``
    says so."""

    def __init__(self, sandbox: Sandbox, limits: Limits) -> None:
        self._sandbox = sandbox
        self._limits = limits
        self._seed = secrets.randbits(32)
        self._blocks: list[str] = []
        # what running the kept blocks takes
        self._seconds = 0.0
        self._known: dict[str, bytes] = {}

    async def run(self, block: str) -> Execution:
        """Run ``block``. It becomes part of the session if it ends well."""
        marker = f"--files-{secrets.token_hex(16)}--"
        execution = await self._sandbox.run(self._program(block, marker), self._allowed())
        printed, _, tail = execution.stdout.partition(marker)
        note = self._keep(block, execution.seconds) if execution.ok else ""
        return execution.model_copy(
            update={
                "stdout": self._bounded(printed),
                "stderr": self._bounded(execution.stderr) + note,
                "files": self._news(tail),
            }
        )

    def _allowed(self) -> Limits:
        """The block's own limits with what comes beside it: the earlier blocks' time, and the files on their way."""
        own = self._limits
        replayed = min(self._seconds * _SLOWER, own.wall_seconds * _MOST_REPLAYED)
        return own.model_copy(
            update={
                "cpu_seconds": own.cpu_seconds + math.ceil(replayed),
                "wall_seconds": own.wall_seconds + replayed,
                "output_bytes": own.output_bytes * 2 + 2 * _TRANSPORT_BYTES,
            }
        )

    def _keep(self, block: str, seconds: float) -> str:
        """Make ``block`` part of the session; a note for its reader where the session is full."""
        most = self._limits.wall_seconds * _MOST_REPLAYED
        if len(self._blocks) < _MOST_BLOCKS and seconds <= most:
            self._blocks.append(block)
            self._seconds = seconds
            return ""
        reason = f"{_MOST_BLOCKS} blocks" if seconds <= most else f"blocks that take {most:.0f} s to run again"
        return (
            f"(the session holds no more than {reason}: later blocks see what the first {len(self._blocks)} defined, "
            "and not what this one did)"
        )

    def _program(self, block: str, marker: str) -> str:
        source = resources.files(__package__).joinpath("session_start.py").read_text(encoding="utf-8")
        given = {
            "__name__": "session",
            "MARKER": marker,
            "BLOCKS": self._blocks,
            "SEED": self._seed,
            "CPU_SECONDS": self._limits.cpu_seconds,
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
