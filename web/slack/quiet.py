"""The logger that Slack's libraries get."""

import logging


def slack_logger() -> logging.Logger:
    """Errors only: below that the libraries log whole requests, which are what people wrote."""
    logger = logging.getLogger("tandem.slack")
    # Set, not inherited: the libraries take a level of zero for "log everything".
    logger.setLevel(logging.ERROR)
    return logger
