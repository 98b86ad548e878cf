"""Slack's markup, read as people wrote it, and at no more cost than its length."""

import pytest

from tests.hostile import ENOUGH, cpu_seconds, hostile
from web.slack.wording import plain


def test_links_and_names_are_read_as_people_wrote_them() -> None:
    text = "<@U1> see <https://a.example/x|the page>, <https://b.example> or <#C9|general>, <@U2|ann> <!here>"
    assert plain(text, "U1") == "see the page (https://a.example/x), https://b.example or #general, @ann @here"


@pytest.mark.parametrize("piece", ["<!a^", "<!a|", "<http:a", "<http:a|", "<@U1|", "<#C1|", "<"])
def test_a_long_repetition_is_no_trap(piece: str) -> None:
    assert cpu_seconds(lambda text: plain(text, "U1"), hostile("", piece, 40_000)) < ENOUGH
