"""What all spans have in common: names by OpenTelemetry's conventions for generative AI, and how they end."""

from collections.abc import Iterable, Mapping

from opentelemetry.trace import Span, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from workers.usage import Usage

OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
MODEL = "gen_ai.request.model"
RUN = "tandem.run"
ROUTE = "tandem.route"
CANCELLED = "tandem.cancelled"


def known(attributes: Mapping[str, AttributeValue | None]) -> dict[str, AttributeValue]:
    """The attributes that have a value."""
    return {name: value for name, value in attributes.items() if value is not None}


def counted(span: Span, usages: Iterable[Usage]) -> None:
    """Put the sum of what models read and wrote on the span."""
    total = sum(usages, Usage())
    span.set_attributes(
        {
            "gen_ai.usage.input_tokens": total.prompt,
            "gen_ai.usage.output_tokens": total.completion,
            "gen_ai.usage.cache_read.input_tokens": total.cached,
        }
    )


def failed(span: Span, error: Exception) -> None:
    """Say what kind of fault it was. Its message stays here: engines quote prompts in theirs."""
    span.set_attribute("error.type", type(error).__qualname__)
    span.set_status(Status(StatusCode.ERROR))
