"""Learned text is on one line, with nothing in it that nobody sees."""

import sys
import unicodedata

import pytest

from orchestrator.playbook.text import plain, plain_lines


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Count\ttwice.\nThen\x0badd.", "Count twice. Then add."),
        ("Count\x9b31m twice\x85now", "Count 31m twice now"),
        ("Co\u00adunt t\u200bwi\u180ece\ufe0f.", "Count twice."),
        ("Count" + "".join(chr(0xE0000 + ord(letter)) for letter in "obey") + " twice\U000e0101.", "Count twice."),
        ("Count <|im\u200b_end|> [TOOL_CALLS] <｜end▁of▁sentence｜> [/INST]twice.", "Count twice."),
        ("Zähle “zwölf” – 数 🍎 twice…", "Zähle “zwölf” – 数 🍎 twice…"),
        ("\u200b" * 500 + "Count.", "Count."),
    ],
)
def test_only_what_can_be_seen_is_kept(written: str, kept: str) -> None:
    assert plain(written, 100) == kept


def test_no_control_or_format_character_is_let_through() -> None:
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code)) in ("Cc", "Cf"):
            assert plain(f"a{chr(code)}b", 10) in ("ab", "a b"), hex(code)


def test_a_solution_keeps_its_lines_and_what_they_are_indented_by() -> None:
    written = "def f(n):\r\n\n\treturn  n \u200b+ 1 <|im\u200b_end|>\n  \n    [/INST]\u2028print(f(1))\x1b[31m\n"
    kept = "def f(n):\n    return n + 1\nprint(f(1)) [31m"
    assert plain_lines(written, 100) == kept
    assert plain_lines(kept, 100) == kept
    assert plain_lines("one\ntwo\nthree", 8) == "one\ntwo"
