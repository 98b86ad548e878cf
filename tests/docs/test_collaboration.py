"""The page on collaboration names everything that can be set."""

from pathlib import Path

import pytest

from agents.collaborative import collaborative_names
from workers.collaboration.policies import policy_kind

PAGE = (Path(__file__).parents[2] / "docs/collaboration.md").read_text()


@pytest.mark.parametrize("name", collaborative_names())
def test_every_option_of_a_policy_is_on_the_page(name: str) -> None:
    [row] = [line for line in PAGE.splitlines() if line.startswith(f"| `{name}` | `")]
    missing = [option for option in policy_kind(name).Options.model_fields if f"`{option}`" not in row]
    assert missing in ([], ["top_logprobs"])
