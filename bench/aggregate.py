"""From solved questions to the rows of a report."""

from collections.abc import Mapping, Sequence

from bench.record import Row
from bench.solving import Solved
from bench.statistics import wilson
from orchestrator.settings import Settings
from routers.cost import weigh_all
from workers.usage import Usage


def weighted_tokens(tokens: Mapping[str, Usage], settings: Settings) -> float:
    """Parameter-weighted tokens by the parameters of the configured models."""
    return weigh_all(tokens, {model: settings.models[model].parameters for model in tokens})


def total_tokens(solved: Sequence[Solved]) -> dict[str, Usage]:
    """Tokens by model over all questions."""
    total: dict[str, Usage] = {}
    for one in solved:
        for model, usage in one.tokens.items():
            total[model] = total.get(model, Usage()) + usage
    return total


def row_of(
    system: str,
    setting: str,
    dataset: str,
    solved: Sequence[Solved],
    reference: Sequence[Solved] | None,
    settings: Settings,
) -> Row:
    """``reference`` are the large model's ``cot`` answers, which cost 1 by definition: to the same questions, or to the
    first of them, whose mean then stands for the others; the row says to how many."""
    tokens = total_tokens(solved)
    correct = sum(one.correct for one in solved)
    written = sum(usage.completion for usage in tokens.values())
    large = tokens.get(settings.named("large"), Usage()).completion
    base = weighted_tokens(total_tokens(reference), settings) / len(reference) * len(solved) if reference else 0.0
    return Row(
        system=system,
        setting=setting,
        dataset=dataset,
        n=len(solved),
        seeds=[0],
        accuracy=correct / len(solved),
        ci95=wilson(correct, len(solved)),
        tokens=tokens,
        large_share=large / written if written else 0.0,
        cost=weighted_tokens(tokens, settings) / base if base else None,
        seconds=sum(one.seconds for one in solved),
        extra={
            "escalations_per_question": sum(len(one.routes) - 1 for one in solved) / len(solved),
            "reference_rows": len(reference or ()),
        },
    )
