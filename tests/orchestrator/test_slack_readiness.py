"""What `tandem doctor` says of the Slack bot before it is started."""

from orchestrator.settings import SlackSettings
from orchestrator.slack_readiness import slack_problems


def test_a_complete_configuration_has_no_problems() -> None:
    tokens = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}
    assert slack_problems(SlackSettings(enabled=True), tokens) == []


def test_every_missing_secret_is_named_with_what_it_holds() -> None:
    problems = slack_problems(SlackSettings(enabled=True, mode="http", workspaces="many"), {})
    text = "\n".join(problems)
    for variable in ("SLACK_SIGNING_SECRET", "SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"):
        assert f"${variable} is not set" in text
    assert "redirect_url" in text
    assert "SLACK_BOT_TOKEN" not in text


def test_tokens_in_each_others_place_are_noticed_and_not_shown() -> None:
    swapped = {"SLACK_BOT_TOKEN": "xapp-secret", "SLACK_APP_TOKEN": "xoxb-secret"}
    problems = slack_problems(SlackSettings(enabled=True), swapped)
    assert len(problems) == 2
    assert "secret" not in "".join(problems)
