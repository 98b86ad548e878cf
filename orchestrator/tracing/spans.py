"""What all spans have in common: names by OpenTelemetry's conventions for generative AI, and how they end."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

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


@contextmanager
def telling_faults(span: Span, *, but: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Say on the span what kind of fault ended the block, and let it go on; ``but`` are no faults. Its message stays
    here: engines quote prompts in theirs."""
    try:
        yield
    except but:
        raise
    except Exception as error:  # whatever it is: it is named here and handled by whoever asked
        span.set_attribute("error.type", type(error).__qualname__)
        span.set_status(Status(StatusCode.ERROR))
        raise
