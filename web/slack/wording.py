"""Slack's way of writing text, there and back."""

import re

# None reaches beyond the next "<", which Slack writes as an entity: else many of them would cost the square of theirs.
_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|([^<>]*))?>")
_CHANNEL = re.compile(r"<#([CG][A-Z0-9]+)(?:\|([^<>]*))?>")
_SPECIAL = re.compile(r"<!([a-z]+)(?:\^[^<>|]*)?(?:\|([^<>]*))?>")
_LINK = re.compile(r"<((?:https?|mailto|tel):[^<>|]+)(?:\|([^<>]*))?>")
# What would notify people if a model wrote it.
_CALLS = re.compile(r"<(?=!(?:channel|here|everyone|subteam\^)|@[UW][A-Z0-9])")
_UNFINISHED = re.compile(r"<[!@]?[^<>\s]{0,24}$")


def plain(text: str, bot_user: str) -> str:
    """A message as its author wrote it: without the mention of the bot, and without Slack's markup for links and
    names."""
    text = text.replace(f"<@{bot_user}>", " ")
    text = _MENTION.sub(lambda match: f"@{match[2] or match[1]}", text)
    text = _CHANNEL.sub(lambda match: f"#{match[2] or match[1]}", text)
    text = _SPECIAL.sub(lambda match: match[2] or f"@{match[1]}", text)
    text = _LINK.sub(lambda match: match[1] if match[2] in (None, match[1]) else f"{match[2]} ({match[1]})", text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()


def mentions(text: str, bot_user: str) -> bool:
    return any(match[1] == bot_user for match in _MENTION.finditer(text))


def harmless(text: str) -> str:
    """A model's text in which no mention notifies anybody: a zero-width space breaks each one."""
    return _CALLS.sub("<\u200b", text)


def settled(text: str) -> int:
    """How much of a growing text can be shown: what may still become a mention waits for its end."""
    match = _UNFINISHED.search(text)
    return len(text) if match is None else match.start()


def escaped(text: str) -> str:
    """Plain text for a field that Slack reads as markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shortened(text: str, most: int) -> str:
    """On one line, at most that many characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def cut(text: str, room: int) -> int:
    """Where to end a page that has ``room`` characters left: after the last line that fits, if there is one."""
    if len(text) <= room:
        return len(text)
    end = text.rfind("\n", 0, room)
    return end + 1 if end > room // 2 else room


def fence_open(text: str) -> bool:
    """Whether a code block is still open at the end of the text."""
    return sum(line.lstrip().startswith("```") for line in text.split("\n")) % 2 == 1
