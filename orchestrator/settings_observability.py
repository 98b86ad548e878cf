"""Settings of what leaves for an OpenTelemetry collector."""

from pydantic import BaseModel, ConfigDict, Field, field_validator


class ObservabilitySettings(BaseModel):
    """``endpoint`` is where traces go, as OTLP over HTTP, such as ``http://127.0.0.1:4318/v1/traces``; "" sends none.
    ``service`` is what they call this gateway, ``sample`` the share of requests that are traced where the caller does
    not say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoint: str = ""
    service: str = "tandem"
    sample: float = Field(default=1.0, ge=0, le=1)

    @field_validator("endpoint")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError(f"{value!r} is no address: give the collector's, such as http://127.0.0.1:4318/v1/traces")
        return value
