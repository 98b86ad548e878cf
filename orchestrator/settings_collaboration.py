"""Settings of collaborative answers: the queue, and the options of each policy."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from workers.collaboration.policies import policy_names, policy_options
from workers.collaboration.protocol import Option, UnknownPolicy


class CollaborationSettings(BaseModel):
    """At most ``queue`` collaborative answers wait or are written at once, over all gateways on one Redis; a worker of
    `tandem serve` writes ``concurrency`` at the same time. Where no worker at all is there for ``patience_seconds``, an
    answer is given up. ``head`` is a file with a head for `divergence`, as the workers see it; empty takes the
    one that ships for the pair, if any. A table named after a policy holds its options."""

    model_config = ConfigDict(frozen=True, extra="allow")

    __pydantic_extra__: dict[str, dict[str, Option]] = Field(init=False)

    queue: int = Field(default=32, ge=1)
    concurrency: int = Field(default=8, ge=1)
    patience_seconds: float = Field(default=10.0, gt=0)
    head: str = ""

    def options(self, policy: str) -> dict[str, Option]:
        """What is set for the policy, over its defaults."""
        return dict((self.__pydantic_extra__ or {}).get(policy, {}))

    @model_validator(mode="before")
    @classmethod
    def _only_policies(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        for name in values:
            if name not in cls.model_fields and name not in policy_names():
                known = ", ".join((*cls.model_fields, *policy_names()))
                raise ValueError(f"there is no setting or policy {name!r}; allowed here: {known}")
        return values

    @model_validator(mode="after")
    def _options_of_the_policies(self) -> "CollaborationSettings":
        for policy in self.__pydantic_extra__ or {}:
            try:
                policy_options(policy, self.options(policy))
            except UnknownPolicy as error:
                raise ValueError(str(error)) from error
        return self
