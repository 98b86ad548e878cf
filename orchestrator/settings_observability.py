"""Settings of what leaves for an OpenTelemetry collector."""

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.settings_addresses import HttpAddress


class ObservabilitySettings(BaseModel):
    """``endpoint`` is where traces go, as OTLP over HTTP, such as ``http://127.0.0.1:4318/v1/traces``; "" sends none.
    ``service`` is what they call this gateway, ``sample`` the share of requests that are traced where the caller does
    not say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoint: HttpAddress = ""
    service: str = "tandem"
    sample: float = Field(default=1.0, ge=0, le=1)
