"""The settings a benchmark runs under."""

from orchestrator.settings import Settings

# The bound that the published baselines were measured under; the service's is `[auto] step_tokens`, 1,024 by default.
_STEP_TOKENS = 700


def measured(settings: Settings, threads: int) -> Settings:
    """``settings`` with the bound of the published baselines; ``threads`` of each engine, 0 leaves them as they are."""
    auto = settings.auto.model_copy(update={"step_tokens": _STEP_TOKENS})
    if not threads:
        return settings.model_copy(update={"auto": auto})
    models = {
        name: model.model_copy(update={"engine": model.engine.model_copy(update={"threads": threads})})
        for name, model in settings.models.items()
    }
    return settings.model_copy(update={"auto": auto, "models": models})
