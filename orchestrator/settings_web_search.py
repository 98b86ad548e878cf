"""Settings of the tool ``web_search``."""

from pydantic import BaseModel, ConfigDict, Field, field_validator


class WebSearchSettings(BaseModel):
    """``url`` of a SearXNG of your own that answers in JSON; "": no such tool. ``language`` as SearXNG names it ("" is
    the server's own); ``seconds`` bounds one search."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = ""
    language: str = ""
    seconds: float = Field(default=10.0, gt=0, le=60)

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError(f"{value!r} is no address: give that of your SearXNG, such as http://127.0.0.1:8888")
        return value
