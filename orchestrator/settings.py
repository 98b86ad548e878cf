"""Settings: one ``tandem.toml`` plus environment, validated at start with the line and the value that is wrong."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from orchestrator.settings_acceptance import AcceptanceSettings
from orchestrator.settings_addresses import HttpAddress, Port, RedisAddress
from orchestrator.settings_auto import AutoSettings
from orchestrator.settings_collaboration import CollaborationSettings
from orchestrator.settings_efforts import over
from orchestrator.settings_observability import ObservabilitySettings
from orchestrator.settings_outcomes import OutcomeSettings
from orchestrator.settings_playbook import PlaybookSettings
from orchestrator.settings_router import RouterSettings
from orchestrator.settings_strategies import StrategySettings
from orchestrator.settings_web_search import WebSearchSettings
from routers.route import Effort
from tools.sandbox.protocol import Limits
from workers.ledger import Budget, Price
from workers.model_files.store import MODELS_DIRECTORY


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


_NEEDED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "sglang": ("url", "the address of the server, such as http://127.0.0.1:30000"),
        "litellm": ("provider_model", "the model as LiteLLM writes it, such as openai/gpt-4o-mini"),
    }
)
"""By the kind of an engine, the setting that it cannot do without, and what that is."""


class EngineSettings(_Section):
    """Where a model's tokens come from. ``llamacpp`` with ``file`` is started by Tandem, with ``url`` it is yours.
    ``torch`` runs ``file`` (a GGUF file or a Hugging Face folder) inside the worker of collaborative answers.

    ``exclusive`` engines share the machine's decode lease: on a CPU two engines that decode at once slow each other
    tenfold. ``port`` 0 is counted up from 8101, ``threads`` 0 means all cores; ``context`` is per slot, in tokens.
    ``draft`` names a smaller configured model, or a GGUF file, with the same tokenizer: a llama.cpp engine started by
    Tandem drafts with it and verifies every token itself, which changes how fast it writes and nothing else.
    """

    kind: Literal["llamacpp", "sglang", "torch", "litellm"] = "llamacpp"
    url: HttpAddress = ""
    file: str = ""
    port: int = Field(default=0, ge=0, le=65_535)
    context: int = Field(default=8192, ge=1)
    slots: int = Field(default=4, ge=1)
    threads: int = Field(default=0, ge=0)
    exclusive: bool = True
    tokenizer: str = ""
    draft: str = ""
    provider_model: str = ""
    api_key_variable: str = ""

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> "EngineSettings":
        needed = _NEEDED.get(self.kind)
        if needed is not None and not getattr(self, needed[0]):
            raise ValueError(f"an engine of kind {self.kind!r} needs `{needed[0]}`: {needed[1]}")
        return self


class ModelSettings(_Section):
    """``parameters`` in billions, embeddings included: what the parameter-weighted cost is computed from."""

    role: Literal["small", "large", "other"]
    parameters: float = Field(gt=0, allow_inf_nan=False)
    sha256: str = ""
    price: Price = Price()
    engine: EngineSettings


def _buys_something(budget: Budget) -> Budget:
    for limit, value in budget:
        if value == 0:
            raise ValueError(
                f"{limit} = 0 leaves nothing to answer with; write more, or leave `{limit}` out for no limit"
            )
    return budget


class EffortSettings(_Section):
    """What a ``reasoning_effort`` buys; an absent limit is unlimited."""

    budget: Annotated[Budget, AfterValidator(_buys_something)]


class ConsensusSettings(_Section):
    """Which model votes and which decides when the votes disagree."""

    voter: Literal["small", "large"] = "large"
    judge: Literal["small", "large"] = "large"


class GatewaySettings(_Section):
    host: str = Field(default="127.0.0.1", min_length=1)
    port: Port = 8000
    concurrent_runs: int = Field(default=64, ge=1)
    body_bytes: int = Field(default=1024 * 1024, ge=1)
    log_messages: bool = False
    runs_per_minute: int = Field(default=600, ge=1)
    concurrent_runs_per_key: int = Field(default=32, ge=1)


class SlackSettings(_Section):
    """The Slack bot; off unless ``enabled``. Secrets are read from the environment variables named here.

    ``mode`` socket needs no public address, http serves ``/slack/events``. ``workspaces`` one works with the bot's own
    token, many lets workspaces install the bot at ``/slack/install``. ``show_work`` shows the steps of a run,
    ``show_reasoning`` also what programs said. ``file_bytes`` and ``document_characters`` bound one shared file and all
    of a thread's together; ``history_messages`` how much of a thread is read; ``answers_at_once`` is per gateway.
    """

    enabled: bool = False
    mode: Literal["socket", "http"] = "socket"
    workspaces: Literal["one", "many"] = "one"
    model: str = "auto"
    effort: Effort | None = None
    show_work: bool = True
    show_reasoning: bool = False
    history_messages: int = Field(default=40, ge=1, le=1000)
    file_bytes: int = Field(default=256 * 1024, ge=0)
    document_characters: int = Field(default=12_000, ge=0)
    answers_at_once: int = Field(default=256, ge=1)
    api_url: HttpAddress = "https://slack.com/api/"
    redirect_url: HttpAddress = ""
    bot_token_variable: str = "SLACK_BOT_TOKEN"
    app_token_variable: str = "SLACK_APP_TOKEN"
    signing_secret_variable: str = "SLACK_SIGNING_SECRET"
    client_id_variable: str = "SLACK_CLIENT_ID"
    client_secret_variable: str = "SLACK_CLIENT_SECRET"

    def needed_variables(self) -> dict[str, str]:
        """The environment variables that this configuration reads, each with what it holds."""
        needed = {}
        if self.mode == "socket":
            needed[self.app_token_variable] = "the app-level token (xapp-…) with connections:write"
        if self.workspaces == "one":
            needed[self.bot_token_variable] = "the bot token (xoxb-…) of the workspace"
        if self.mode == "http":
            needed[self.signing_secret_variable] = "the app's signing secret"
        if self.workspaces == "many":
            needed[self.client_id_variable] = "the app's client ID"
            needed[self.client_secret_variable] = "the app's client secret"
        return needed


class RedisSettings(_Section):
    """``url`` empty: Tandem starts its own on ``port``. Event streams expire after ``keep_seconds``."""

    url: RedisAddress = ""
    port: Port = 6399
    keep_seconds: int = Field(default=86_400, ge=1)
    stream_events: int = Field(default=100_000, ge=1)


class AnswerCacheSettings(_Section):
    """Whether a request that comes again word for word gets the answer of before, without asking a model. ``ttl`` is
    how long an answer is kept, in seconds; ``entry_bytes`` bounds one of them, ``entries`` how many an owner has."""

    enabled: bool = False
    ttl: int = Field(default=86_400, ge=1, le=30 * 86_400)
    entry_bytes: int = Field(default=64 * 1024, ge=1)
    entries: int = Field(default=10_000, ge=1)


class StorageSettings(_Section):
    """``directory`` holds the database, checkpoints and Redis' file; ``models`` is the cache of model files;
    ``mirror`` a folder that is looked through for model files before any network (none if unset)."""

    directory: Path = Path("~/.local/share/tandem")
    models: Path = MODELS_DIRECTORY
    mirror: Path | None = None
    database_url: str = ""

    @model_validator(mode="after")
    def _expand(self) -> "StorageSettings":
        object.__setattr__(self, "directory", self.directory.expanduser())
        object.__setattr__(self, "models", self.models.expanduser())
        if self.mirror is not None:
            object.__setattr__(self, "mirror", self.mirror.expanduser())
        return self


def _default_efforts() -> dict[Effort, EffortSettings]:
    limits: dict[Effort, tuple[int, int, float]] = {
        "none": (1024, 1, 120),
        "minimal": (1024, 2, 180),
        "low": (2048, 3, 300),
        "medium": (6144, 8, 600),
        "high": (16384, 24, 1800),
    }
    return {
        effort: EffortSettings(budget=Budget(tokens=tokens, calls=calls, seconds=seconds))
        for effort, (tokens, calls, seconds) in limits.items()
    }


class McpSettings(_Section):
    """An MCP server whose tools the agents may use: ``command`` (one line, as in a shell) is started with
    ``environment`` on top of a few harmless variables, ``url`` is reached over streamable HTTP, with the value of the
    environment variable ``token_variable`` as bearer token where one is named."""

    command: str = ""
    environment: dict[str, str] = Field(default_factory=dict)
    url: HttpAddress = ""
    token_variable: str = ""

    @model_validator(mode="after")
    def _one_way_to_reach_it(self) -> "McpSettings":
        if bool(self.command) == bool(self.url):
            raise ValueError("set either 'command' or 'url'")
        if self.command and self.token_variable:
            raise ValueError(
                "'token_variable' is for a server with 'url'; what a started one reads goes into 'environment'"
            )
        return self


class DocumentsSettings(_Section):
    """``folder`` of text files that the agents may search; None: no such tool."""

    folder: Path | None = None

    @model_validator(mode="after")
    def _expand(self) -> "DocumentsSettings":
        if self.folder is not None:
            object.__setattr__(self, "folder", self.folder.expanduser())
        return self


class ToolSettings(_Section):
    """``allow``: names or patterns of the tools that callers without a list of their own may use, such as
    ``github__*``; a list made with ``tandem keys create --tools`` takes its place. ``rounds`` of tool calls before
    the strategy ``tools`` has to answer."""

    allow: tuple[str, ...] = ("*",)
    rounds: int = Field(default=6, ge=1, le=50)


class Settings(_Section):
    """Everything that can be configured. ``models`` maps a model's name to what serves it, ``efforts`` what is said of
    them, over the defaults of the others. What no single setting shows to be wrong is in ``settings_consistency``."""

    models: dict[str, ModelSettings]
    efforts: Annotated[dict[Effort, EffortSettings], over(_default_efforts)] = Field(default_factory=_default_efforts)
    default_effort: Effort = "medium"
    consensus: ConsensusSettings = ConsensusSettings()
    strategies: StrategySettings = StrategySettings()
    auto: AutoSettings = AutoSettings()
    acceptance: AcceptanceSettings = AcceptanceSettings()
    router: RouterSettings = RouterSettings()
    outcomes: OutcomeSettings = OutcomeSettings()
    sandbox: Limits = Limits()
    tools: ToolSettings = ToolSettings()
    documents: DocumentsSettings = DocumentsSettings()
    web_search: WebSearchSettings = WebSearchSettings()
    mcp: dict[str, McpSettings] = Field(default_factory=dict)
    gateway: GatewaySettings = GatewaySettings()
    redis: RedisSettings = RedisSettings()
    storage: StorageSettings = StorageSettings()
    collaboration: CollaborationSettings = CollaborationSettings()
    answer_cache: AnswerCacheSettings = AnswerCacheSettings()
    playbook: PlaybookSettings = PlaybookSettings()
    slack: SlackSettings = SlackSettings()
    observability: ObservabilitySettings = ObservabilitySettings()

    def named(self, role: Literal["small", "large"]) -> str:
        """The name of the model with that role."""
        return next(name for name, model in self.models.items() if model.role == role)

    def with_threads(self, threads: int) -> "Settings":
        """These settings with so many threads for every engine; 0 leaves them."""
        if not threads:
            return self
        models = {
            name: model.model_copy(update={"engine": model.engine.model_copy(update={"threads": threads})})
            for name, model in self.models.items()
        }
        return self.model_copy(update={"models": models})

    @model_validator(mode="after")
    def _one_of_each_role(self) -> "Settings":
        for role in ("small", "large"):
            names = [name for name, model in self.models.items() if model.role == role]
            if len(names) != 1:
                raise ValueError(f"exactly one model has role {role!r}, got {names}")
        return self
