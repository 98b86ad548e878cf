"""Logs as one JSON object a line. What people ask and what models answer is left out unless the settings say so."""

import sys
from typing import Any, TextIO, cast

import orjson
import structlog
from structlog.typing import FilteringBoundLogger, Processor


def _json(value: Any, **_options: Any) -> str:
    return orjson.dumps(value, default=repr).decode()


def _processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # Without the frames' local variables: those hold prompts and answers.
        structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
        structlog.processors.JSONRenderer(serializer=_json),
    ]


def open_log(stream: TextIO | None = None) -> FilteringBoundLogger:
    """A logger of its own, on standard error by default."""
    logger = structlog.wrap_logger(
        structlog.WriteLogger(stream or sys.stderr),
        processors=_processors(),
        wrapper_class=structlog.make_filtering_bound_logger("INFO"),
    )
    return cast(FilteringBoundLogger, logger)


def configure_process_logs() -> None:
    """For a program's entry only: what other modules log through structlog comes out in the same shape."""
    structlog.configure(
        processors=_processors(),
        wrapper_class=structlog.make_filtering_bound_logger("INFO"),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
