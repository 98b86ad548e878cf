"""The fields of a chat completion request. A field that is not here is refused by name."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from routers.route import Effort

_MAX_RUNS = 16


class Fields(BaseModel):
    """Strict: "1" is not 1. Unknown names are errors, so that a typing mistake does not pass silently."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class BudgetFields(Fields):
    """Limits of one request: completion tokens, model calls, seconds, US dollars."""

    tokens: int | None = Field(None, ge=1, le=10**9)
    calls: int | None = Field(None, ge=1, le=10**6)
    seconds: float | None = Field(None, gt=0, le=10**6)
    money: float | None = Field(None, gt=0, le=10**6)


class TandemFields(Fields):
    """What OpenAI's API has no word for. ``max_risk``: the share of wrong answers among those given that the caller
    will bear; what is less sure is withheld."""

    effort: Effort | None = None
    strategy: str | None = Field(None, min_length=1, max_length=64)
    thread_id: str | None = Field(None, pattern=r"^[A-Za-z0-9._:-]{1,128}$")
    budget: BudgetFields | None = None
    options: dict[str, float | int | bool | str] | None = Field(None, max_length=32)
    max_risk: float | None = Field(None, gt=0, lt=1)
    fresh: bool | None = None


class MessageFields(Fields):
    """``content`` is checked by hand, since it is a string or a list of parts."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: Any = None
    name: str | None = Field(None, max_length=128)
    tool_calls: list[dict[str, Any]] | None = Field(None, max_length=128)
    tool_call_id: str | None = Field(None, max_length=256)
    # Clients send back what an answer held; none of it is for the model.
    refusal: Any = None
    annotations: Any = None
    audio: None = None
    function_call: None = None
    reasoning: Any = None
    reasoning_content: Any = None
    thinking_blocks: Any = None
    provider_specific_fields: Any = None


class FunctionFields(Fields):
    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class ToolFields(Fields):
    type: Literal["function"]
    function: FunctionFields


class SchemaFields(Fields):
    model_config = ConfigDict(populate_by_name=True)

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    description: str | None = None
    schema_: dict[str, Any] | None = Field(None, alias="schema")
    strict: bool | None = None


class ResponseFormatFields(Fields):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: SchemaFields | None = None


class StreamOptionsFields(Fields):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class ChatFields(Fields):
    """One request. The last two groups are there for clients' sake: ignored, or taken at their neutral value only."""

    model: Annotated[str, Field(min_length=1, max_length=200)]
    messages: list[MessageFields] = Field(min_length=1, max_length=10_000)
    stream: bool | None = None
    stream_options: StreamOptionsFields | None = None
    n: int | None = Field(None, ge=1, le=_MAX_RUNS)
    stop: Any = None
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    max_completion_tokens: int | None = Field(None, ge=1, le=10**9)
    max_tokens: int | None = Field(None, ge=1, le=10**9)
    seed: int | None = Field(None, ge=-(2**63), lt=2**63)
    response_format: ResponseFormatFields | None = None
    tools: list[ToolFields] | None = Field(None, max_length=128)
    tool_choice: Any = None
    reasoning_effort: Effort | None = None
    tandem: TandemFields | None = None

    user: Any = None
    metadata: Any = None
    store: Any = None
    safety_identifier: Any = None
    prompt_cache_key: Any = None
    prompt_cache_retention: Any = None
    service_tier: Any = None
    parallel_tool_calls: bool | None = None
    prediction: Any = None
    verbosity: Any = None

    frequency_penalty: float | None = Field(None, ge=0, le=0)
    presence_penalty: float | None = Field(None, ge=0, le=0)
    logit_bias: Annotated[dict[str, Any], Field(max_length=0)] | None = None
    logprobs: Literal[False] | None = None
    top_logprobs: int | None = Field(None, ge=0, le=0)
    modalities: list[Literal["text"]] | None = None
    audio: None = None
    web_search_options: None = None
    functions: None = None
    function_call: None = None
