"""The manifest that docs/slack.md tells people to paste."""

import re
from pathlib import Path

from web.slack.installations import SCOPES

_DOCUMENT = Path(__file__).parents[3] / "docs" / "slack.md"


def _listed(key: str) -> list[str]:
    text = _DOCUMENT.read_text(encoding="utf-8")
    match = re.search(rf"^ *{key}:\n((?: +- \S+\n)+)", text, re.MULTILINE)
    assert match is not None, key
    return re.findall(r"- (\S+)", match[1])


def test_it_asks_for_the_scopes_that_an_installation_asks_for() -> None:
    assert tuple(_listed("bot")) == SCOPES


def test_it_subscribes_to_every_event_that_the_bot_handles() -> None:
    places = {f"message.{kind}" for kind in ("channels", "groups", "im", "mpim")}
    assert set(_listed("bot_events")) == places | {
        "app_mention",
        "app_uninstalled",
        "assistant_thread_started",
        "tokens_revoked",
    }
