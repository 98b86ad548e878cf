"""Reading what a program prints without letting it fill the memory of the host."""

import asyncio

_CHUNK = 64 * 1024
_GAP = b"\n[... output left out ...]\n"


class BoundedOutput:
    """Keeps the first and the last half of at most ``limit`` bytes: the answer and a traceback stand at the end."""

    def __init__(self, limit: int) -> None:
        room = max(limit - len(_GAP), 0)
        self._limit = limit
        self._head_room = room // 2
        self._tail_room = room - room // 2
        self._kept = bytearray()
        self._tail = bytearray()
        self.truncated = False

    def add(self, data: bytes) -> None:
        if not self.truncated:
            self._kept += data
            if len(self._kept) > self._limit:
                self.truncated = True
                self._tail += self._kept[self._head_room :]
                del self._kept[self._head_room :]
        else:
            self._tail += data
        if len(self._tail) > self._tail_room:
            del self._tail[: len(self._tail) - self._tail_room]

    def text(self) -> str:
        data = bytes(self._kept + _GAP + self._tail) if self.truncated else bytes(self._kept)
        return data[: self._limit].decode("utf-8", errors="replace")

    async def drain(self, stream: asyncio.StreamReader) -> None:
        """Read ``stream`` to its end, for a full pipe would stop the program instead of its output limit."""
        while data := await stream.read(_CHUNK):
            self.add(data)
