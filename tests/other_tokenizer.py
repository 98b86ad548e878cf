"""A scripted engine of another family: it cuts text into other tokens."""

import re
from collections.abc import Iterator

from workers.engines.scripted.app import ScriptedApp
from workers.engines.scripted.script import Script
from workers.engines.scripted.tokenizer import MARKERS, encode
from workers.engines.scripted.wire import Exchange, Receive, Scope, Send

_SPLIT = re.compile("(" + "|".join(map(re.escape, MARKERS)) + ")")


class OfCharacters:
    """An ASGI application whose tokens are characters instead of bytes: the same ids for ASCII and the markers, and for
    nothing else."""

    def __init__(self, script: Script) -> None:
        self._app = ScriptedApp(script)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") != "/tokenize":
            await self._app(scope, receive, send)
            return
        exchange = Exchange(receive, send)
        try:
            content = str((await exchange.json())["content"])
            await exchange.answer(200, {"tokens": list(_ids(content))})
        finally:
            exchange.finish()


def _ids(text: str) -> Iterator[int]:
    for part in _SPLIT.split(text):
        yield from encode(part) if part in MARKERS else map(ord, part)
