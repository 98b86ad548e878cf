"""A scripted engine of another family: it cuts text into other tokens."""

from workers.engines.scripted.app import ScriptedApp
from workers.engines.scripted.script import Script
from workers.engines.scripted.wire import Exchange, Receive, Scope, Send


class OfCharacters:
    """An ASGI application whose tokens are characters instead of bytes: the same ids for ASCII and for nothing else."""

    def __init__(self, script: Script) -> None:
        self._app = ScriptedApp(script)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") != "/tokenize":
            await self._app(scope, receive, send)
            return
        exchange = Exchange(receive, send)
        try:
            content = str((await exchange.json())["content"])
            await exchange.answer(200, {"tokens": [ord(character) for character in content]})
        finally:
            exchange.finish()
