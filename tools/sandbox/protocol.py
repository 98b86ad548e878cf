"""The seam between strategies and the sandbox that runs a model's programs."""

from typing import Literal, Protocol

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field


class Limits(BaseModel):
    """What one program may use. ``cpu_seconds`` and ``wall_seconds`` in seconds, ``memory_bytes`` and
    ``output_bytes`` in bytes (output: stdout and stderr each), ``processes`` counts processes and threads."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cpu_seconds: int = Field(default=5, ge=1)
    wall_seconds: float = Field(default=10.0, gt=0, allow_inf_nan=False)
    memory_bytes: int = Field(default=1024**3, ge=1)
    processes: int = Field(default=32, ge=1)
    output_bytes: int = Field(default=64 * 1024, ge=1)
    file_bytes: int = Field(default=16 * 1024**2, ge=1)


Outcome = Literal["exited", "timeout", "memory", "killed", "refused"]


class ProgramFile(BaseModel):
    """A file that a program wrote; in JSON its ``content`` is base64. Name and content are the program's own words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    content: Base64Bytes


class Execution(BaseModel):
    """What a program did. ``outcome`` "refused" means that the sandbox could not isolate it and did not run it.
    ``files`` is filled by a ``Session`` only."""

    model_config = ConfigDict(frozen=True)

    outcome: Outcome
    exit_code: int | None = None
    stdout: str = ""
    stderr: str = ""
    truncated: bool = False
    seconds: float = 0.0
    files: tuple[ProgramFile, ...] = ()

    @property
    def ok(self) -> bool:
        return self.outcome == "exited" and self.exit_code == 0


class Sandbox(Protocol):
    async def run(self, program: str, limits: Limits = Limits()) -> Execution:
        """Run ``program`` (Python source) isolated from the machine. Never raises for what the program does."""
        ...
