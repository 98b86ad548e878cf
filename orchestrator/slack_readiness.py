"""What the Slack bot lacks, where the settings turn it on."""

import importlib.util
import os
from collections.abc import Mapping

from orchestrator.settings import SlackSettings

_PREFIXES = {"bot_token_variable": "xoxb-", "app_token_variable": "xapp-"}


def slack_problems(settings: SlackSettings, environment: Mapping[str, str] = os.environ) -> list[str]:
    """One sentence for each thing that is missing, with the way to mend it; empty if the bot can start."""
    problems = []
    if importlib.util.find_spec("slack_bolt") is None:
        problems.append("the package slack-bolt is not installed; run `pip install 'tandem[slack]'`")
    needed = settings.needed_variables()
    for variable, holds in needed.items():
        if not environment.get(variable):
            problems.append(f"${variable} is not set; export {holds} before `tandem serve`")
    for field, prefix in _PREFIXES.items():
        variable = getattr(settings, field)
        value = environment.get(variable, "") if variable in needed else ""
        if value and not value.startswith(prefix):
            problems.append(f"${variable} does not begin with {prefix}: another of the app's tokens stands there")
    if settings.workspaces == "many" and settings.mode == "http" and not settings.redirect_url:
        problems.append(
            "`redirect_url` under [slack] is empty; write the public address of /slack/oauth_redirect there, as the "
            "app's manifest has it"
        )
    return problems
