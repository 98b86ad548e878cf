"""The little of LaTeX and Markdown that stands around an answer."""

import re

_WRAPPED = re.compile(r"\\(?:text|textbf|mathrm|mathbf|operatorname|mbox)\s*\{([^{}]*)\}")
_FRACTION = re.compile(r"\\[dt]?frac\s*(?:\{([^{}]+)\}|(\d))\s*(?:\{([^{}]+)\}|(\d))")
_SIMPLE = re.compile(r"-?[\d.]+")
_SPACING = re.compile(r"\\(?:[,!;:\s]|left\b|right\b|displaystyle\b|quad\b|big\b)|\{,\}|\\[()\[\]]")
_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{")


def plain(text: str) -> str:
    """``text`` without the marks around it: emphasis, dollars of a formula, spacing, braces of simple fractions."""
    text = text.replace("\u00a0", " ").replace("**", "^" if _power(text) else "").strip()
    text = _WRAPPED.sub(r" \1 ", text).replace("\\$", "$").replace("\\%", "%")
    text = text.replace("{,}", ",").replace("^\\circ", "°").replace("^{\\circ}", "°")
    text = _FRACTION.sub(_simple_fraction, _SPACING.sub("", text)).strip()
    while len(text) > 1 and text[0] == text[-1] and text[0] in "$*_`\"'":
        text = text[1:-1].strip()
    return text.strip(" `*_\"'").removesuffix(".").strip()


def boxed(text: str) -> str | None:
    """What the last ``\\boxed{...}`` holds, braces inside it included; None without one. Takes an unclosed one too."""
    starts = list(_BOXED.finditer(text))
    if not starts:
        return None
    begin = starts[-1].end()
    depth = 1
    for position in range(begin, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return text[begin:position].strip()
    return text[begin:].split("\n", 1)[0].rstrip("$ ").strip() or None


def _power(text: str) -> bool:
    """Whether ``**`` is Python's power and not emphasis."""
    return bool(re.search(r"[\w)]\s*\*\*\s*[\w(-]", text)) and not text.strip().startswith("**")


def _simple_fraction(match: re.Match[str]) -> str:
    top, bottom = (match[1] or match[2]).strip(), (match[3] or match[4]).strip()
    simple = _SIMPLE.fullmatch(top) and _SIMPLE.fullmatch(bottom)
    return f"{top}/{bottom}" if simple else f"({top})/({bottom})"
