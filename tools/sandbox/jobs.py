"""A sandbox run as it travels between the gateway and a worker."""

from pydantic import BaseModel, ConfigDict

from tools.sandbox.protocol import Limits

TASK = "sandbox.run"
QUEUE = "sandbox"
KEEP_SECONDS = 60


class Job(BaseModel):
    """``expires`` is the Unix time after which nobody waits for the result any more."""

    model_config = ConfigDict(frozen=True)

    id: str
    program: str
    limits: Limits
    expires: float

    @property
    def result_key(self) -> str:
        return result_key(self.id)

    @property
    def unwanted_key(self) -> str:
        """Is there from the moment on when nobody wants the result any more."""
        return f"{self.result_key}:unwanted"


def result_key(job: str) -> str:
    return f"tandem:sandbox:{job}"
