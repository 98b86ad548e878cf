"""Settings of the tool ``web_search``."""

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.settings_addresses import HttpAddress


class WebSearchSettings(BaseModel):
    """``url`` of a SearXNG of your own that answers in JSON; "": no such tool. ``language`` as SearXNG names it ("" is
    the server's own); ``seconds`` bounds one search."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: HttpAddress = ""
    language: str = ""
    seconds: float = Field(default=10.0, gt=0, le=60)
