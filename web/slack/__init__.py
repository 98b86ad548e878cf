"""The Slack door: mentions, direct messages and the assistant pane, each answered by a run in its thread."""
