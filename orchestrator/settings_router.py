"""Settings of the learned router."""

from pydantic import BaseModel, ConfigDict


class RouterSettings(BaseModel):
    """``serve``: whether `auto` asks the version that `tandem router activate` put in service, if there is one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    serve: bool = True
